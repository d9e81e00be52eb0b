"""The command block: its checks, in the order of the contract's table (section 4)."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.model.divert import CommandStatus
from edge.model.register_map import PlcCommand
from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.lanes import Lanes
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.outcomes import Outcome, Outcomes
from simulators.devices.plc.pc import PcWatch
from simulators.devices.plc.registers import COMMAND_WORDS, command_crc, decode_command

SEQ_MODULUS = 65_535
NEWER_MAX = 32_767


def is_newer(seq: int, last: int) -> bool:
    """CMD-2: sequences run 1…65535; after a last seq of 0 all are newer."""
    if seq == 0:
        return False
    return last == 0 or 1 <= (seq - last) % SEQ_MODULUS <= NEWER_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fitting, newer block, and what the PLC knows of its number."""

    command: PlcCommand
    track: Track | None
    outcome: Outcome | None


Check = Callable[["Commands", Case], CommandStatus | None]


def _epoch(plc: "Commands", case: Case) -> CommandStatus | None:
    return CommandStatus.REFUSED_EPOCH if case.command.epoch != plc.epoch else None


def _number(plc: "Commands", case: Case) -> CommandStatus | None:
    known = case.track is not None or case.outcome is not None
    return None if known else CommandStatus.UNKNOWN_NUMBER


def _exit(plc: "Commands", case: Case) -> CommandStatus | None:
    exit_no = case.command.exit
    end = plc.belt.geometry.end_exit
    if case.command.revoke:
        return CommandStatus.BAD_EXIT if exit_no != end else None
    recorded = case.outcome.exit if case.outcome is not None else 0
    if not 1 <= exit_no < end or recorded not in (0, exit_no):
        return CommandStatus.BAD_EXIT
    return None


def _heartbeat(plc: "Commands", case: Case) -> CommandStatus | None:
    return None if plc.pc.fresh else CommandStatus.STALE


def _repeat(plc: "Commands", case: Case) -> CommandStatus | None:
    return case.outcome.status if case.outcome is not None else None


def _trust(plc: "Commands", case: Case) -> CommandStatus | None:
    track = case.track
    return CommandStatus.UNTRUSTED if track is not None and (track.marked or track.refused) else None


def _commit_point(plc: "Commands", case: Case) -> CommandStatus | None:
    exit_plan = plc.belt.geometry.exits[case.command.exit - 1]
    if case.track is not None and plc.belt.position(case.track) > exit_plan.commit:
        return CommandStatus.TOO_LATE
    return None


def _full(plc: "Commands", case: Case) -> CommandStatus | None:
    full = plc.lanes.exits_full >> case.command.exit - 1 & 1
    return CommandStatus.EXIT_FULL if full else None


def _disabled(plc: "Commands", case: Case) -> CommandStatus | None:
    enabled = plc.pc.status.exits_enabled >> case.command.exit - 1 & 1
    return None if enabled else CommandStatus.EXIT_DISABLED


COMMON: tuple[Check, ...] = (_epoch, _number, _exit, _heartbeat)
"""Checks 5…8: commands and revokes."""
DIVERT: tuple[Check, ...] = (_repeat, _trust, _commit_point, _full, _disabled)
"""Checks 9…13: commands only."""
NOTHING_RECORDED = frozenset({CommandStatus.REFUSED_EPOCH, CommandStatus.UNKNOWN_NUMBER})


class Commands:
    """``words`` are the command registers. ``last_seq``: the newest taken; ``last_status`` and
    ``last_crc``: of the block judged last. As plain ints: they are read every cycle."""

    def __init__(
        self,
        *,
        now: Moment,
        by_us: Agenda,
        epoch: int,
        belt: Belt,
        diverting: Diverting,
        outcomes: Outcomes,
        pc: PcWatch,
        lanes: Lanes,
        misfit_us: int,
    ) -> None:
        self._now = now
        self._misfit_us = misfit_us
        self._misfit = by_us.timer(self._refuse_misfit)
        self._diverting = diverting
        self._outcomes = outcomes
        self.epoch = epoch
        self.belt = belt
        self.pc = pc
        self.lanes = lanes
        self.words = [0] * COMMAND_WORDS
        self._taken_crc = 0
        self._taken_status = CommandStatus.NONE
        self.last_seq = 0
        self.last_status = CommandStatus.NONE.value
        self.last_crc = 0

    def written(self) -> None:
        """The registers changed: judge the block, or wait whether the rest of it comes."""
        words = self.words
        if not any(words):
            return
        if command_crc(words) == words[5]:
            self._misfit.clear()
            self._answer(words[5], self._judge_seq(words))
        elif self._misfit.due is None:
            self._misfit.set(self._now.us + self._misfit_us)

    def _refuse_misfit(self) -> None:
        self._answer(self.words[5], CommandStatus.REFUSED_CRC)

    def _answer(self, crc: int, status: CommandStatus) -> None:
        self.last_crc = crc
        self.last_status = status.value

    def _judge_seq(self, words: list[int]) -> CommandStatus:
        seq, crc = words[6], words[5]
        if seq == self.last_seq and seq:
            return self._taken_status if crc == self._taken_crc else CommandStatus.REFUSED_SEQ
        if not is_newer(seq, self.last_seq):
            return CommandStatus.REFUSED_SEQ
        self.last_seq = seq
        self._taken_crc = crc
        self._taken_status = self._judge(decode_command(words))
        return self._taken_status

    def _judge(self, command: PlcCommand) -> CommandStatus:
        case = Case(
            command=command,
            track=self.belt.numbers.get(command.number),
            outcome=self._outcomes.get(command.number),
        )
        for check in COMMON:
            refusal = check(self, case)
            if refusal is not None:
                self._record_refusal(case, refusal)
                return refusal
        if command.revoke:
            return self._revoke(case)
        for check in DIVERT:
            refusal = check(self, case)
            if refusal is not None:
                self._record_refusal(case, refusal)
                return refusal
        if case.track is None:  # neither on the belt nor recorded: check 6
            raise AssertionError("a command for a number that is not on the belt passed its checks")
        self._diverting.accept(case.track, command.exit)
        return CommandStatus.APPLIED

    def _record_refusal(self, case: Case, refusal: CommandStatus) -> None:
        """CMD-7: no later repeat applies a command that was refused."""
        if case.command.revoke or case.outcome is not None or refusal in NOTHING_RECORDED:
            return
        self._outcomes.record(case.command.number, CommandStatus.DROPPED, case.command.exit)
        if case.track is not None:
            case.track.aborted = True

    def _revoke(self, case: Case) -> CommandStatus:
        """CMD-5, the outcome table."""
        track, outcome = case.track, case.outcome
        if outcome is None:
            self._outcomes.record(case.command.number, CommandStatus.REVOKED, 0)
            return CommandStatus.APPLIED
        if outcome.status is not CommandStatus.APPLIED or track is None:
            return outcome.status
        if self.belt.position(track) > self.belt.geometry.exits[outcome.exit - 1].commit:
            return CommandStatus.PASSED
        self._diverting.revoke(track)
        return CommandStatus.APPLIED
