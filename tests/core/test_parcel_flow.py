"""The parcel's table: every pair of state and step has a row, and the rows keep the promises."""

from itertools import product

import pytest

from edge.core.parcel_flow import TABLE, Action, FlowBroken, Step, take
from edge.core.state import Track
from edge.model.ids import BootEpoch, EyeNo, PlcNumber, TrackId
from edge.model.units import Mm, Ticks
from edge.model.verdict import ParcelState

ENDS = {ParcelState.EXITED, ParcelState.MISSING}
PAIRS = list(product(ParcelState, Step))


def track(state: ParcelState) -> Track:
    return Track(
        id=TrackId(1),
        epoch=BootEpoch(1),
        number=PlcNumber(1),
        origin=Ticks(0),
        length_mm=Mm(300),
        last_eye=EyeNo(1),
        state=state,
    )


@pytest.mark.parametrize(("state", "step"), PAIRS)
def test_every_pair_has_a_row_and_is_taken_as_written(state: ParcelState, step: Step) -> None:
    after, action = TABLE[state, step]
    parcel = track(state)
    if action is Action.BREAK:
        with pytest.raises(FlowBroken):
            take(parcel, step)
        assert parcel.state is state
    else:
        assert take(parcel, step) is action
        assert parcel.state is after


def test_the_table_has_no_other_rows() -> None:
    assert set(TABLE) == set(PAIRS)


def test_a_parcel_is_decided_once_and_only_from_tracked() -> None:
    assert {key for key, (_, action) in TABLE.items() if action is Action.DECIDE} == {
        (ParcelState.TRACKED, Step.VERDICT)
    }
    back = {state for (state, _), (after, _) in TABLE.items() if after is ParcelState.TRACKED}
    assert back == {ParcelState.TRACKED}


def test_nothing_follows_an_end() -> None:
    assert {TABLE[end, step] for end, step in product(ENDS, Step)} == {(end, Action.BREAK) for end in ENDS}


def test_only_exit_and_miss_end_a_parcel() -> None:
    for (state, _), (after, action) in TABLE.items():
        if state not in ENDS:
            assert (after in ENDS) == (action in {Action.EXIT, Action.MISS})


def test_a_revoke_goes_out_only_for_a_told_parcel() -> None:
    assert [key for key, (_, action) in TABLE.items() if action is Action.REVOKE] == [
        (ParcelState.TOLD, Step.WITHDRAWN)
    ]
