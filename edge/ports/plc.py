"""The PLC: blocks of registers below, commands above."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from edge.model.commands import Revoke, SendDivert
from edge.model.ids import BootEpoch, PlcNumber, RingSeq
from edge.model.register_map import ModeBit
from edge.model.units import Ticks


class BlockPort(Protocol):
    """Blocks of 16-bit registers of one PLC. One owner task; one request in flight.

    Raises ``LinkFailed`` for a time-out, a wrong or short answer, an exception response; after that
    the port is closed and ``open`` must be called again.
    """

    async def open(self) -> None: ...

    async def read(self, address: int, count: int) -> tuple[int, ...]: ...

    async def write(self, address: int, values: tuple[int, ...]) -> None: ...

    async def close(self) -> None: ...


@runtime_checkable
class ExchangePort(Protocol):
    """Of a ``BlockPort`` whose device answers FC23: a write and a read in one request."""

    async def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        """Write ``values`` at ``address``, then read ``count`` registers from ``at``; as ``read``."""
        ...


class PcOutputs(NamedTuple):
    """What the line wants the PLC to hold, sent every cycle. ``heartbeat`` moves only while the
    line loop makes progress."""

    heartbeat: int
    mode: ModeBit
    gates: int
    zones_hold: int
    release_number: PlcNumber
    exits_enabled: int
    indicators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RingMark:
    """How far the ring of an epoch has been read, and where the belt was then (unwrapped); all 0:
    nothing is on record."""

    epoch: BootEpoch
    ring_last: RingSeq
    ticks: Ticks


ReadOutputs = Callable[[], PcOutputs]


class PlcPort(Protocol):
    def send(self, command: SendDivert | Revoke) -> None:
        """Queue one command; its answer comes as ``CommandAnswered``. While the link is down it is
        kept; after a reconnect the unanswered one goes out again (plc.md section 4, Repeats)."""
        ...

    def forget(self, epoch: int) -> None:
        """Drop queued commands of an epoch that is over."""
        ...
