"""Who asked for what: the audit record of every change, by cursor."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from api.http.answers import ChangesAnswer
from api.http.deps import GatewayDep, LimitQuery
from api.http.schemas import CURSOR_MAX
from api.moments import moment
from edge.model.ids import InboxSeq

router = APIRouter(prefix="/v1", tags=["record"])

AfterChange = Annotated[
    int, Query(ge=0, le=CURSOR_MAX, description="The last ``seq`` that is known already.")
]


@router.get("/changes", responses={200: {"model": ChangesAnswer}})
async def get_changes(gateway: GatewayDep, after: AfterChange = 0, limit: LimitQuery = 100) -> JSONResponse:
    """Inbox rows above ``after`` with the key that asked and the role that it had."""
    found = await gateway.recorded(gateway.record.changes_after(InboxSeq(after), limit + 1))
    page = found[:limit]
    changes = [
        {
            "seq": change.seq,
            "at": moment(change.at_utc_us),
            "kind": change.kind,
            "message_id": change.message_id,
            "by": change.by.id,
            "role": change.by.role,
        }
        for change in page
    ]
    following = page[-1].seq if page else after
    return JSONResponse({"changes": changes, "next": following, "more": len(found) > limit})
