"""What moves on a page: the event stream from where the page was drawn."""

from typing import Annotated

from fastapi import Header, Query

from api.gateway import Gateway
from api.http.auth import Caller
from api.http.events import EventStream
from api.http.problems import Problem, Slug
from api.http.schemas import CURSOR_MAX
from edge.model.ids import JournalSeq

After = Annotated[int, Query(ge=0, le=CURSOR_MAX)]
LastEventId = Annotated[str, Header(max_length=16, pattern="^[0-9]*$")]


async def follow(
    gateway: Gateway, caller: Caller, after: int, last_event_id: str, kinds: frozenset[str]
) -> EventStream:
    """Behind ``after`` or the last event that was seen. Raises ``Problem``."""
    last = await gateway.recorded(gateway.feed.last())
    known = int(last_event_id) if last_event_id else after
    if known > last:
        raise Problem(Slug.CURSOR_AHEAD, f"the last row is {last}")
    return EventStream(gateway, caller.id, JournalSeq(known), kinds)
