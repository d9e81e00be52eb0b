"""When a triggered camera looks, and what it makes of what it is told: a table of cycles."""

import pytest

from edge.camera_trigger import LINGERS_US, Trigger, TriggerKind
from edge.model.ids import TrackId
from edge.model.units import MonoUs

MS = 1_000


class Clock:
    def __init__(self) -> None:
        self.now = MonoUs(0)

    def __call__(self) -> MonoUs:
        return self.now


def tracks(*numbers: int) -> tuple[TrackId, ...]:
    return tuple(TrackId(n) for n in numbers)


def looked(kind: TriggerKind, script: list[tuple[int, object]]) -> tuple[list[int], str | None]:
    """Play ``script`` (ms, "frame" or what is told); the frames that were looked at, and its failure."""
    clock = Clock()
    trigger, seen = Trigger(kind, clock), list[int]()
    for ms, what in script:
        clock.now = MonoUs(ms * MS)
        if what == "frame":
            if trigger.looks(clock.now):
                seen.append(ms)
        else:
            assert what is None or isinstance(what, tuple)
            trigger.told(what)
    return seen, trigger.failure


FREE = [(0, "frame"), (10, tracks(1)), (20, "frame"), (30, ()), (1_000, "frame")]
LINGERS_MS = LINGERS_US // MS


@pytest.mark.parametrize(
    ("kind", "script", "seen"),
    [
        ("free_running", FREE, [0, 20, 1_000]),
        ("line", FREE, [0, 20]),
        ("eye", FREE, [0, 20, 1_000]),
        ("line", [(0, ()), (10, "frame"), (20, tracks(1)), (30, "frame")], [30]),
        ("line", [(0, tracks(1)), (10, tracks(1, 2)), (20, tracks(2)), (900, "frame")], [900]),
        ("line", [(0, tracks(1)), (10, ()), (10 + LINGERS_MS, "frame"), (11 + LINGERS_MS, "frame")], [210]),
        ("line", [(0, ()), (900, "frame"), (910, None), (920, "frame")], [920]),
    ],
)
def test_when_it_looks(kind: TriggerKind, script: list[tuple[int, object]], seen: list[int]) -> None:
    assert looked(kind, script) == (seen, None)


@pytest.mark.parametrize(
    ("script", "fails"),
    [
        ([(0, ()), (10, tracks(1)), (20, "frame"), (30, ())], False),
        ([(0, ()), (10, tracks(1)), (30, ())], True),
        ([(0, ()), (10, tracks(1)), (20, tracks(1, 2)), (30, "frame"), (40, tracks(2)), (50, ())], False),
        ([(0, ()), (10, tracks(1)), (20, "frame"), (30, tracks(1, 2)), (40, tracks(2)), (50, ())], True),
        ([(0, None), (10, tracks(1)), (30, ())], False),
        ([(0, tracks(1)), (30, ())], False),
        ([(0, ()), (10, tracks(1)), (20, None), (30, ())], False),
    ],
    ids=[
        "it fires",
        "it does not",
        "one picture of two that are there",
        "the second fires none",
        "under way before anything was told",
        "under way at the first word",
        "nobody knew meanwhile",
    ],
)
def test_an_eye_that_fires_no_picture_of_a_parcel(script: list[tuple[int, object]], fails: bool) -> None:
    assert (looked("eye", script)[1] is not None) is fails
    assert looked("line", script)[1] is None
