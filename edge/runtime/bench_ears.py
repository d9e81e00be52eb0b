"""What bench scanners say becomes inputs of the core: one a message, its texts in order."""

from edge.model.bench_events import BenchScanned
from edge.model.codes import Code
from edge.model.ids import BenchId, ReaderId
from edge.model.units import MonoUs
from edge.ports.sinks import EventSink


class BenchEars:
    """A ``CodeSink`` of hand scanners, whose name is their bench's; a scanner that says it read nothing
    says nothing."""

    def __init__(self, events: EventSink) -> None:
        self._events = events
        self.heard_us: MonoUs | None = None
        """When it spoke last; None: not yet."""

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.heard_us = at_us
        if codes:
            texts = tuple(code.text for code in codes)
            self._events.post(BenchScanned(at_us=at_us, bench=BenchId(reader), texts=texts))
