"""A parcel of known weight that a person runs over the belt: the scale is compared with it.

Whatever else is on it, a parcel with the code of a check parcel never ships; it leaves as
``scale_check_parcel`` once it was weighed, or at its deadline without a weight, which is a check that failed.
"""

from edge.core.alarms import set_alarm
from edge.core.scope import Scope
from edge.core.state import Track
from edge.model.alarm import AlarmKind
from edge.model.records import ScaleChecked
from edge.model.topology import CheckParcel
from edge.model.units import MonoUs
from edge.model.weight import WeightQuality


def check_of(scope: Scope, track: Track) -> CheckParcel | None:
    """The check parcel that a track is."""
    checks = scope.layout.checks
    if not checks:
        return None
    return next((checks[one.code.text] for one in track.codes if one.code.text in checks), None)


def compare(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """Put the comparison on record; a difference alarms until a check passes."""
    check, scale = check_of(scope, track), scope.layout.topology.scale
    if check is None or scale is None:
        return
    weight = track.weight
    passed = (
        weight is not None
        and weight.quality is WeightQuality.GOOD
        and abs(weight.grams - check.weight_g) <= check.tolerance_g
    )
    scope.record(
        ScaleChecked(
            at_us=at_us,
            track=track.id,
            check=check.id,
            reference_g=check.weight_g,
            reading=weight,
            passed=passed,
        )
    )
    found = "without a weight" if weight is None else f"weighed {weight.grams} g, {weight.quality}"
    detail = f"{check.id}: {check.weight_g} g, {found}"
    set_alarm(scope, at_us, AlarmKind.SCALE_CHECK_FAILED, on=not passed, subject=scale.device, detail=detail)
