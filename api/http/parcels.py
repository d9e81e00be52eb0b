"""Where a waybill is: the record's read model, one entry a track."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.http.deps import GatewayDep, WaybillPath
from api.http.problems import Problem, Slug
from edge.model.ids import Waybill
from edge.store.journal_types import ParcelRow

router = APIRouter(prefix="/v1", tags=["parcels"])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.get("/parcels/{waybill}")
async def get_parcel(waybill: WaybillPath, gateway: GatewayDep) -> JSONResponse:
    """Every time this label was on the belt, the latest first."""
    tracks = await gateway.recorded(gateway.record.parcels(Waybill(waybill)))
    if not tracks:
        raise Problem(Slug.PARCEL_UNKNOWN)
    return JSONResponse({"waybill": waybill, "tracks": [track_body(track) for track in tracks]})


def track_body(row: ParcelRow) -> dict[str, Any]:
    """What had not happened (yet) is null."""
    decided = row.decided_reason is not None and {
        "reason": row.decided_reason,
        "chute": row.decided_chute,
        "exit": row.decided_exit,
        "rule": row.rule,
        "plan": row.plan,
        "plan_version": row.plan_version,
    }
    return {
        "track": row.track,
        "state": row.state,
        "order_no": row.order_no,
        "order_version": row.order_version,
        "customer_code": row.customer_code,
        "shop": row.shop,
        "carrier": row.carrier,
        "length_mm": row.length_mm,
        "read_quality": row.read_quality,
        "weight_g": row.weight_g,
        "weight_quality": row.weight_quality,
        "expected_g": row.expected_g,
        "inducted_at": _moment(row.inducted_utc_us),
        "decided": decided or None,
        "decide_to_told_us": row.decide_to_told_us,
        "exited_at": _moment(row.exited_utc_us),
        "exit": row.actual_exit,
        "chute": row.actual_chute,
        "exit_reason": row.exit_reason,
        "shipped": row.shipped,
        "mis_sorted": row.mis_sorted,
    }


def _moment(utc_us: int | None) -> str | None:
    """RFC 3339, UTC; null before the line's clock was agreed."""
    return None if utc_us is None else (_EPOCH + timedelta(microseconds=utc_us)).isoformat()
