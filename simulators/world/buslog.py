"""What the bus brought to the PLC, as facts of the truth log: commands, their answers, heartbeats.

Written from docs/plc-contract.md alone: it looks at the blocks, not into the PLC's program.
"""

from collections.abc import Sequence

from edge.model.divert import CommandStatus
from edge.model.register_map import CommandFlag
from edge.model.topology import Topology
from simulators.plant import Program
from simulators.world.truth import CommandJudged, CommandWritten, HeartbeatMoved, TruthSink

COMMAND_WORDS = 7
ANSWER_OFFSET = 17
"""Words 17…19 of the status block: seq, status and CRC of the command judged last."""


class BusLog:
    """A listener of the plant. A block that is not whole is no command (the driver writes them whole)."""

    def __init__(self, topology: Topology, truth: TruthSink) -> None:
        self._registers = topology.plc.registers
        self._truth = truth
        self._heartbeat = 0
        self._open: CommandWritten | None = None

    def written(self, at_us: int, address: int, values: Sequence[int]) -> None:
        registers = self._registers
        if address == registers.pc_status and values[0] not in (0, self._heartbeat):
            self._heartbeat = values[0]
            self._truth(HeartbeatMoved(at_us))
        elif address == registers.command and len(values) == COMMAND_WORDS:
            epoch, high, low, exit_, flags, crc, seq = values
            number = high << 16 | low
            revoke = bool(flags & CommandFlag.REVOKE)
            self._open = CommandWritten(at_us, epoch, number, exit_, revoke, seq, crc)
            self._truth(self._open)

    def ran(self, at_us: int, program: Program) -> None:
        block = self._open
        if block is None:
            return
        seq, status, crc = program.read(self._registers.status + ANSWER_OFFSET, 3)
        if status != CommandStatus.NONE and crc == block.crc:
            refused = status in (CommandStatus.REFUSED_CRC, CommandStatus.REFUSED_SEQ)
            if refused or seq == block.seq:
                self._open = None
                self._truth(
                    CommandJudged(
                        at_us, block.epoch, block.number, block.exit, block.revoke, block.seq, status
                    )
                )
