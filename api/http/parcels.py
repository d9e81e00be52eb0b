"""Where parcels are and went: the record's read model, one entry a track."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.feed import fed
from api.http.answers import ParcelAnswer, ParcelsAnswer, StoryAnswer
from api.http.deps import GatewayDep, LimitQuery, TrackPath, WaybillPath
from api.http.problems import Problem, Slug
from api.http.schemas import CURSOR_MAX
from api.moments import moment
from edge.model.ids import JournalSeq, TrackId, Waybill
from edge.store.journal_types import ParcelRow

router = APIRouter(prefix="/v1", tags=["parcels"])

AfterTrack = Annotated[int, Query(ge=0, le=CURSOR_MAX, description="The last track that is known already.")]
AfterEnd = Annotated[
    int, Query(ge=0, le=CURSOR_MAX, description="The last ``end_seq`` that is known already.")
]
OnBelt = Annotated[bool, Query(description="Only those that have no end yet.")]


@router.get("/parcels", responses={200: {"model": ParcelsAnswer}})
async def get_parcels(
    gateway: GatewayDep, after: AfterTrack = 0, limit: LimitQuery = 100, on_belt: OnBelt = False
) -> JSONResponse:
    """Parcels by induction, each as it stands. Ask again with ``next``."""
    found = await gateway.recorded(gateway.record.parcels_after(TrackId(after), limit + 1, on_belt=on_belt))
    page = found[:limit]
    return JSONResponse(
        {
            "parcels": [track_body(row) for row in page],
            "next": page[-1].track if page else after,
            "more": len(found) > limit,
        }
    )


@router.get("/exits", responses={200: {"model": ParcelsAnswer}})
async def get_exits(gateway: GatewayDep, after: AfterEnd = 0, limit: LimitQuery = 100) -> JSONResponse:
    """Parcels by their end (seen by a confirm eye, or missing), each exactly once. Ask again with
    ``next``."""
    found = await gateway.recorded(gateway.record.ends_after(JournalSeq(after), limit + 1))
    page = found[:limit]
    return JSONResponse(
        {
            "parcels": [track_body(row) for row in page],
            "next": page[-1].last_seq if page else after,
            "more": len(found) > limit,
        }
    )


@router.get("/tracks/{track}", responses={200: {"model": StoryAnswer}})
async def get_track(track: TrackPath, gateway: GatewayDep) -> Response:
    """One parcel and every row of the log about it: each step with its time and values."""
    parcel, rows = await gateway.recorded(gateway.record.story(TrackId(track)))
    if parcel is None:
        raise Problem(Slug.PARCEL_UNKNOWN)
    events = ",".join(fed(row).text for row in rows)
    text = f'{{"parcel":{json.dumps(track_body(parcel))},"events":[{events}]}}'
    return Response(text, media_type="application/json")


@router.get("/parcels/{waybill}", responses={200: {"model": ParcelAnswer}})
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
        "waybill": row.waybill,
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
        "inducted_at": moment(row.inducted_utc_us),
        "decided": decided or None,
        "decide_to_told_us": row.decide_to_told_us,
        "exited_at": moment(row.exited_utc_us),
        "exit": row.actual_exit,
        "chute": row.actual_chute,
        "exit_reason": row.exit_reason,
        "shipped": row.shipped,
        "mis_sorted": row.mis_sorted,
        "end_seq": row.last_seq,
    }
