"""The checker at the moments of a fault: what happened before it is not held against the line."""

from pathlib import Path

import pytest

from simulators.world.truth import PlcStarted, PlcStopped, Removed
from tests.core.checker_kit import Run, Story


@pytest.mark.parametrize(("stop_after_us", "kept"), [(2_090_000, True), (2_089_999, False)])
def test_a_firing_that_had_begun_when_the_plc_died_is_of_its_epoch(
    tmp_path: Path, stop_after_us: int, kept: bool
) -> None:
    """The story's firing may have begun at 2.09 s, its parcel is carried at 2.222 s."""
    story = Story(1)
    run = Run(tmp_path, story)
    stopped = story.t + stop_after_us
    run.facts += [PlcStopped(stopped), PlcStarted(stopped + 400_000, 2, 0)]
    assert ("plc_epoch" in run.check().violated) is not kept


@pytest.mark.parametrize(
    ("touched_after_us", "shipped", "kept"),
    [(900_000, False, True), (900_000, True, False), (-1, False, False)],
)
def test_what_hands_took_off_a_standing_belt_may_pass_for_its_neighbour_but_not_ship(
    tmp_path: Path, touched_after_us: int, shipped: bool, kept: bool
) -> None:
    story = Story(1).to_the_end("flush_estop").without("left")
    touched_us = story.t + touched_after_us if touched_after_us >= 0 else -1
    story.facts["removed"] = Removed(story.t + 1_000_000, 1, 1_800, touched_us, ((1, story.ticks),))
    story.row("exited", exit=2, chute="002", shipped=shipped, mis_sorted=True)
    assert ("conservation" in Run(tmp_path, story).check().violated) is not kept


def test_two_parcels_at_one_count_of_an_encoder_that_stands_are_two(tmp_path: Path) -> None:
    first, second = Story(1), Story(2).to_the_end("encoder_fault")
    second.fact("inducted", ticks=first.ticks).row("opened", ticks=first.ticks)
    second.fact("left", seen=((1, first.ticks),))
    assert Run(tmp_path, first, second).check().violated == {}
    second.rows.clear()
    assert "conservation" in Run(tmp_path, first, second).check().violated


def test_a_second_track_of_one_parcel_is_nobodys(tmp_path: Path) -> None:
    first, second = Story(1), Story(2)
    second.facts.clear()
    second.row("opened", ticks=first.ticks)
    assert "conservation" in Run(tmp_path, first, second).check().violated
