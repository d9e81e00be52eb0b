"""The checker at the moments of a fault: what happened before it is not held against the line."""

from pathlib import Path

import pytest

from simulators.world.truth import PlcStarted, PlcStopped
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
