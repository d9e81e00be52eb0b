"""What routes ask of their request: the gateway, the caller, a message with its hash."""

import json
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from api.clock import utc_now
from api.gateway import Gateway
from api.http.auth import Caller, authorise
from api.http.guards import CALLER_KEY
from api.http.schemas import CURSOR_MAX, ID_PATTERN, KEY_PATTERN, MESSAGE_PATTERN, PAGE_MAX, WAYBILL_PATTERN
from api.intake import Message, message_about
from edge.model.ids import MessageId


async def gateway_of(request: Request) -> Gateway:
    gateway = request.app.state.gateway
    assert isinstance(gateway, Gateway)
    return gateway


async def caller_of(request: Request) -> Caller:
    """The guards have put it there; open paths have none and no route that asks."""
    caller = request.scope["state"][CALLER_KEY]
    assert isinstance(caller, Caller)
    return caller


async def authorised(request: Request) -> None:
    """For every route but the open ones: the table decides."""
    authorise(await caller_of(request), request.method, request.scope["route"].path)


async def idempotency_key(
    idempotency_key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=66,
            pattern=KEY_PATTERN,
            description="Stands for the body's `message_id`, bare or in double quotes.",
        ),
    ] = "",
) -> str:
    """Without the quotes that the draft (draft-ietf-httpapi-idempotency-key-header) writes; empty: none."""
    return idempotency_key.strip('"')


KeyDep = Annotated[str, Depends(idempotency_key)]
GatewayDep = Annotated[Gateway, Depends(gateway_of)]
CallerDep = Annotated[Caller, Depends(caller_of)]
OrderNoPath = Annotated[str, Path(pattern=ID_PATTERN)]
IdPath = Annotated[str, Path(pattern=ID_PATTERN)]
MessageIdPath = Annotated[str, Path(pattern=MESSAGE_PATTERN)]
WaybillPath = Annotated[str, Path(pattern=WAYBILL_PATTERN)]
TrackPath = Annotated[int, Path(ge=1, le=CURSOR_MAX)]
ReaderPath = Annotated[str, Path(pattern=ID_PATTERN)]
LimitQuery = Annotated[int, Query(ge=1, le=PAGE_MAX, description="At most so many; there may be fewer.")]


def message_of(message_id: str, kind: str, subject: str, asked: Any, caller: Caller) -> Message:
    """Hashes what the client wrote (names sorted, blanks gone), so a repeat is the same after our own
    upgrades too; ``kind`` and ``subject`` stand for method and path."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return message_about(MessageId(message_id), utc_now(), kind, subject, text, by=caller.actor)
