"""What a bench's scanner says becomes an input, and when it spoke is known."""

from edge.model.bench_events import BenchScanned
from edge.model.codes import Code, Symbology
from edge.model.events import Event
from edge.model.ids import BenchId, ReaderId
from edge.model.units import MonoUs
from edge.runtime.bench_ears import BenchEars


class Posted:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def post(self, event: Event) -> None:
        self.events.append(event)


def test_a_scanner_that_says_it_read_nothing_has_spoken_all_the_same() -> None:
    posted = Posted()
    ears = BenchEars(posted)
    assert ears.heard_us is None
    ears.codes_seen(ReaderId("bench1"), MonoUs(5), (Code(text="A1", symbology=Symbology.CODE128),))
    ears.codes_seen(ReaderId("bench1"), MonoUs(9), ())
    assert ears.heard_us == 9
    assert posted.events == [BenchScanned(at_us=MonoUs(5), bench=BenchId("bench1"), texts=("A1",))]
