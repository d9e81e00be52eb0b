"""Commands on their way to the PLC: in order, one unacknowledged at a time (CMD-9…CMD-12). No I/O."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.codecs.plc import WrongBlock
from drivers.codecs.plc.command import encode_command, is_newer, next_seq
from edge.model.commands import Revoke, SendDivert
from edge.model.divert import CommandStatus
from edge.model.events import CommandAnswered
from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber
from edge.model.register_map import PlcCommand, PlcStatus
from edge.model.units import MonoUs

Command = SendDivert | Revoke

QUEUE_LIMIT = 1_024
"""Far more than parcels fit on a belt: reaching it is an error of ours."""
RESENDS = 2
"""A block that arrived torn or under a used sequence goes out again so often, then its refusal stands."""
_NOT_TAKEN = (CommandStatus.REFUSED_CRC, CommandStatus.REFUSED_SEQ)
"""Judged without becoming the PLC's last sequence: known by their CRC alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    command: Command
    since_us: MonoUs
    resends: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The one block that is unacknowledged, or about to be."""

    queued: _Queued
    seq: CommandSeq
    words: tuple[int, ...]

    def answered_by(self, status: PlcStatus) -> bool:
        """Read back: the same CRC, and the same sequence or a refusal that leaves it as it was."""
        if status.last_crc != self.words[5] or status.last_status == CommandStatus.NONE:
            return False
        return status.last_seq == self.seq or status.last_status in _NOT_TAKEN


class CommandLane:
    """The commands of one line, over all sessions of its link."""

    def __init__(self) -> None:
        self._queue: deque[_Queued] = deque()
        self._block: _Block | None = None
        self._to_write = False
        """The block stands and its bytes are not out (again)."""
        self._last_seq = CommandSeq(0)

    def put(self, command: Command, now: MonoUs) -> None:
        """Queue it once. A Revoke takes the place of its parcel's divert that was not sent yet."""
        if command in self._standing():
            return
        if len(self._queue) >= QUEUE_LIMIT:
            raise OverflowError(f"{QUEUE_LIMIT} commands wait for the PLC")
        if isinstance(command, Revoke):
            self._drop_diverts(command.epoch, command.number)
        self._queue.append(_Queued(command=command, since_us=now))

    def forget(self, epoch: int) -> None:
        """Nothing of ``epoch`` is sent or awaited any more."""
        self._keep(lambda command: command.epoch != epoch)

    def attach(self, status: PlcStatus) -> None:
        """A session begins with this status: go on from the PLC's last sequence, drop what is of another
        epoch, and see that a block without an answer goes out again: under its own sequence if that is
        still newer, else under a fresh one; not at all if a Revoke for its parcel waits behind it."""
        self._keep(lambda command: command.epoch == status.epoch)
        self._last_seq = status.last_seq
        block = self._block
        if block is None or block.answered_by(status):
            return
        if any(isinstance(later.command, Revoke) for later in self._same_parcel(block.queued.command)):
            self._block = None
            return
        fresh = not is_newer(block.seq, status.last_seq)
        self._block = _block(block.queued, next_seq(status.last_seq) if fresh else block.seq)
        self._to_write = True

    @property
    def awaiting(self) -> bool:
        """A block is out and not answered."""
        return self._block is not None and not self._to_write

    @property
    def ready(self) -> bool:
        """A block may be written now."""
        return self._to_write or (self._block is None and bool(self._queue))

    def take(self) -> tuple[int, ...]:
        """The words to write now; from here on they may have reached the PLC."""
        if self._block is None:
            self._block = _block(self._queue.popleft(), next_seq(self._last_seq))
        self._to_write = False
        self._last_seq = self._block.seq
        return self._block.words

    def judge(self, status: PlcStatus, now: MonoUs) -> CommandAnswered | None:
        """The PLC's answer to the block that is out, if ``status`` has it; raises ``WrongBlock``."""
        block = self._block
        if block is None or self._to_write or not block.answered_by(status):
            return None
        try:
            answer = CommandStatus(status.last_status)
        except ValueError as unknown:
            raise WrongBlock(f"status block: {unknown}") from unknown
        if answer in _NOT_TAKEN:
            after = next_seq(block.seq)
            fresh = after if is_newer(after, status.last_seq) else next_seq(status.last_seq)
            self._last_seq = fresh
            if block.queued.resends < RESENDS:
                again = replace(block.queued, resends=block.queued.resends + 1)
                self._block, self._to_write = _block(again, fresh), True
                return None
        self._block = None
        command = block.queued.command
        return CommandAnswered(
            at_us=now,
            track=command.track,
            epoch=command.epoch,
            number=command.number,
            exit=_exit_of(command),
            revoke=isinstance(command, Revoke),
            seq=block.seq,
            status=answer,
            waited_us=now - block.queued.since_us,
        )

    def _standing(self) -> list[Command]:
        standing = [queued.command for queued in self._queue]
        if self._block is not None:
            standing.append(self._block.queued.command)
        return standing

    def _same_parcel(self, command: Command) -> list[_Queued]:
        of = (command.epoch, command.number)
        return [later for later in self._queue if (later.command.epoch, later.command.number) == of]

    def _drop_diverts(self, epoch: BootEpoch, number: PlcNumber) -> None:
        self._queue = deque(
            queued
            for queued in self._queue
            if isinstance(queued.command, Revoke)
            or (queued.command.epoch, queued.command.number) != (epoch, number)
        )

    def _keep(self, wanted: Callable[[Command], bool]) -> None:
        self._queue = deque(queued for queued in self._queue if wanted(queued.command))
        if self._block is not None and not wanted(self._block.queued.command):
            self._block, self._to_write = None, False


def _exit_of(command: Command) -> ExitNo:
    return command.end if isinstance(command, Revoke) else command.exit


def _block(queued: _Queued, seq: CommandSeq) -> _Block:
    command = queued.command
    words = encode_command(
        PlcCommand(
            epoch=command.epoch,
            number=command.number,
            exit=_exit_of(command),
            revoke=isinstance(command, Revoke),
            seq=seq,
        )
    )
    return _Block(queued=queued, seq=seq, words=words)
