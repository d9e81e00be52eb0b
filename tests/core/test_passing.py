"""Whom the line tells a triggered camera of: from the eye's passage until it has left the camera's field."""

from dataclasses import replace

from edge.core.timing import mm_to_ticks, read_window
from edge.model.ids import BootEpoch, DeviceId, EyeNo, PlcNumber, ReaderId, TrackId
from edge.model.records import TrackOpened
from edge.model.units import Mm, MonoUs, Ticks
from edge.ports.sinks import BeltSample
from edge.runtime.passing import KEPT, SETTLING, OnItsWay, Passing
from tests.core.core_line import DEMO

TOP = DEMO.readers[0]
FAR = replace(TOP, id=ReaderId("far"), device=DeviceId("far"), position_mm=Mm(1_500))
LINE = replace(DEMO, readers=(TOP, FAR))
LENGTH = Mm(300)
NEAR_END = read_window(LINE, TOP, Ticks(0), LENGTH).last
FAR_END = read_window(LINE, FAR, Ticks(0), LENGTH).last
Word = tuple[str, tuple[int, ...] | None]


class Told:
    """A line's passages, and what its cameras and its belt were told."""

    def __init__(self, *readers: str) -> None:
        self.words: list[Word] = []
        self.belt: list[int] = []
        self.passing = Passing(LINE, [ReaderId(one) for one in readers], self, self.tell)

    def tell(self, reader: ReaderId, tracks: tuple[TrackId, ...] | None) -> None:
        self.words.append((reader, tracks))

    def belt_seen(self, sample: BeltSample) -> None:
        self.belt.append(sample.ticks)

    def belt_unseen(self) -> None:
        self.belt.append(-1)

    def at(self, ticks: int, *, epoch: int = 1, ring_read: bool = True) -> list[Word]:
        """A status; what is told with it."""
        self.words.clear()
        self.passing.belt_seen(
            BeltSample(
                asked_us=MonoUs(0),
                answered_us=MonoUs(0),
                epoch=BootEpoch(epoch),
                plc_ms=0,
                ticks=Ticks(ticks),
                running=True,
                ring_read=ring_read,
            )
        )
        return list(self.words)

    def opened(self, track: int, ticks: int, eye: int = 1) -> list[Word]:
        self.words.clear()
        self.passing.observe(
            TrackOpened(
                at_us=MonoUs(0),
                track=TrackId(track),
                epoch=BootEpoch(1),
                number=PlcNumber(track),
                eye=EyeNo(eye),
                ticks=Ticks(ticks),
                length_mm=LENGTH,
            )
        )
        return list(self.words)


def settled(*readers: str) -> Told:
    told = Told(*readers)
    assert [told.at(0) for _ in range(SETTLING)][-1] == [(one, ()) for one in readers]
    return told


def test_a_parcel_is_told_of_from_the_eye_until_it_has_left_the_field() -> None:
    told = settled("top", "far")
    assert told.opened(7, 0) == [("top", (7,)), ("far", (7,))]
    assert told.at(NEAR_END) == []
    assert told.at(NEAR_END + 1) == [("top", ())]
    assert told.opened(8, NEAR_END) == [("top", (8,)), ("far", (7, 8))]
    assert told.at(FAR_END + 1) == [("far", (8,))]
    assert told.belt[-1] == FAR_END + 1


def test_one_that_runs_free_is_told_nothing() -> None:
    assert settled("far").opened(7, 0) == [("far", (7,))]


def test_what_is_seen_first_downstream_passes_too() -> None:
    eye = DEMO.eyes[1]
    told = settled("far")
    at = mm_to_ticks(eye.position_mm, DEMO.ticks_per_m)
    assert told.opened(7, at, eye=eye.no) == [("far", (7,))]
    assert told.at(FAR_END) == []
    assert told.at(FAR_END + 1) == [("far", ())]


def test_while_the_plc_is_silent_nobody_knows_and_the_camera_looks() -> None:
    told = settled("top")
    told.opened(7, 0)
    told.words.clear()
    told.passing.belt_unseen()
    assert told.words == [("top", None)]
    assert told.opened(8, 100) == []
    assert told.at(200, ring_read=False) == []
    assert [told.at(200) for _ in range(SETTLING)][-1] == [("top", (7, 8))]


def test_a_plc_that_starts_anew_has_an_empty_belt() -> None:
    told = settled("top")
    told.opened(7, 0)
    assert told.at(10, epoch=2) == []
    assert told.at(20, epoch=2) == [("top", ())]


def test_a_recovered_line_tells_of_what_is_on_its_belt() -> None:
    told = Told("top")
    told.passing.begin([OnItsWay(track=TrackId(5), origin=Ticks(0), length_mm=LENGTH)])
    assert told.words == []
    told.at(10)
    assert told.at(20) == [("top", (5,))]


def test_of_too_many_the_latest_are_told() -> None:
    told = settled("top")
    for track in range(1, KEPT + 3):
        told.opened(track, track)
    assert told.words == [("top", tuple(range(3, KEPT + 3)))]
