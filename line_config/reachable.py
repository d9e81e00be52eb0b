"""Which exit reasons a line can come to, worked out of its description."""

from typing import assert_never

from edge.core.timing import merged_length_mm
from edge.model.topology import ChuteKind, Topology
from edge.model.verdict import Reason


def reachable(line: Topology) -> tuple[Reason, ...]:
    """In the order of ``Reason``. What a plan, an order or a person can bring about is reachable."""
    return tuple(reason for reason in Reason if _reaches(line, reason))


def _reaches(line: Topology, reason: Reason) -> bool:
    match reason:
        case Reason.OK:
            return any(chute.kind is ChuteKind.SHIPPING for chute in line.chutes)
        case Reason.WEIGHT_INVALID | Reason.WEIGHT_MISMATCH | Reason.OVERWEIGHT:
            return line.scale is not None
        case Reason.SCALE_CHECK_PARCEL:
            return line.scale is not None and bool(line.scale.checks)
        case Reason.OVERSIZE:
            return line.length_max_mm + line.length_tolerance_mm < merged_length_mm(line)
        case Reason.MAX_RECIRCULATION:
            return line.recirculation is not None
        case Reason.CODE_CHANGED:
            return _reads_twice(line)
        case Reason.FOREIGN_LABEL:
            return bool(line.read.foreign)
        case (
            Reason.NO_READ
            | Reason.MULTI_READ
            | Reason.UNKNOWN_ORDER
            | Reason.CANCELLED
            | Reason.HELD
            | Reason.DUPLICATE
            | Reason.SECOND_PASS
            | Reason.TWO_ON_ONE
            | Reason.NO_RULE
            | Reason.BLIND_SPOT
            | Reason.RESTRICTED
            | Reason.ADDRESS_CHANGED
            | Reason.RETURN_CHANGED
            | Reason.UPSTREAM_TIMEOUT
            | Reason.UPSTREAM_ERROR
            | Reason.CHUTE_FULL
            | Reason.CHUTE_DISABLED
            | Reason.DIVERT_ABORTED
            | Reason.DIVERT_UNCONFIRMED
            | Reason.LOST
            | Reason.UNEXPECTED
            | Reason.GAP_TOO_SMALL
            | Reason.POSITION_UNKNOWN
            | Reason.LATE_DECISION
            | Reason.PURGED
            | Reason.FLUSH_ESTOP
            | Reason.ENCODER_FAULT
            | Reason.LINK_LOST
            | Reason.PLC_RESTART
            | Reason.DISK_FULL
            | Reason.MANUAL
        ):
            return True
        case Reason.NOT_REVIEWED:
            return line.review_required
        case Reason.SKU_MISSING | Reason.SKU_EXTRA:
            return bool(line.benches)
        case _:
            assert_never(reason)


def _reads_twice(line: Topology) -> bool:
    """Some reader looks at a parcel only after another has."""
    ends = [one.position_mm + one.field_mm // 2 for one in line.readers]
    return any(one.position_mm - one.field_mm // 2 > min(ends) for one in line.readers)
