"""Where links put what they have seen. All calls are from the loop's thread and never block."""

from typing import NamedTuple, Protocol

from edge.model.codes import Code
from edge.model.events import Event
from edge.model.ids import BootEpoch, ReaderId, ScaleId
from edge.model.units import MonoUs, Ticks
from edge.model.weight import WeightSample


class BeltSample(NamedTuple):
    """One status block. The PLC took it at some instant in ``asked_us…answered_us``.

    ``ring_read``: every ring entry older than this status has been posted before it.
    """

    asked_us: MonoUs
    answered_us: MonoUs
    epoch: BootEpoch
    plc_ms: int
    ticks: Ticks
    running: bool
    ring_read: bool


class EventSink(Protocol):
    def post(self, event: Event) -> None:
        """Queue one core input. Order within one caller is kept."""
        ...


class BeltSink(Protocol):
    def belt_seen(self, sample: BeltSample) -> None: ...

    def belt_unseen(self) -> None:
        """The link is down: no extrapolation beyond what was seen."""
        ...


class CodeSink(Protocol):
    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        """One answer of a reader; empty: it said no-read."""
        ...


class SampleSink(Protocol):
    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None: ...
