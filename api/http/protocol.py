"""uvicorn's HTTP/1.1 connection with the bounds it lacks: sockets, slow heads, slow readers.

Its own time-outs begin after a first answer only: 400 of 400 connections that sent half a head were
still open after 25 s. Malformed requests get a problem body as every other error does.
"""

import asyncio
import json
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.problems import PROBLEM_MEDIA_TYPE, Problem, Slug
from api.settings import GatewaySettings

LINGER_S: Final = 1.0
"""After an answer that did not wait for its body, what still comes is thrown away this long, so that
the client reads the answer instead of a reset connection."""
LINGER_BYTES: Final = 16 * 1024 * 1024
"""More than this is not even thrown away: it stays where it is until the connection is closed."""
SLOW_READER_S: Final = 10.0
"""A client that takes nothing for this long is cut."""


class BoundedProtocol(H11Protocol):
    """``settings`` is set by ``protocol_for``."""

    settings: ClassVar[GatewaySettings] = GatewaySettings()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._thrown_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.settings.connections_max:
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._reader_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._idle and self._head_timer is None:
            self._await_head()
        super().data_received(data)
        if not self._idle:
            self._head_came()
        if self._linger_timer is not None:
            self._threw(len(data))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._linger_timer is None:
            self._linger_timer, self._thrown_bytes = self.loop.call_later(LINGER_S, self.transport.close), 0

    def _threw(self, count: int) -> None:
        """Of a body that nobody waits for: once it has come to its end, the connection is as good as ever."""
        assert self._linger_timer is not None
        self._thrown_bytes += count
        if self.conn.their_state is not h11.SEND_BODY:
            self._linger_timer.cancel()
            self._linger_timer = None
        elif self._thrown_bytes > LINGER_BYTES:
            self.transport.pause_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.loop.call_later(SLOW_READER_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def send_400_response(self, msg: str) -> None:
        """``msg`` is uvicorn's own; the client learns no more than that its request is malformed."""
        body = json.dumps(Problem(Slug.REQUEST_MALFORMED).body("en")).encode()
        headers = [
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def _idle(self) -> bool:
        """Between requests: no whole head of the next one is here."""
        return self.conn.their_state is h11.IDLE

    def _await_head(self) -> None:
        deadline_s = self.settings.head_deadline_ms / 1000
        self._head_timer = self.loop.call_later(deadline_s, self._head_late)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        if self._idle:
            self.transport.abort()


def protocol_for(settings: GatewaySettings) -> type[BoundedProtocol]:
    """uvicorn makes one object of this class a connection."""
    return type("ConfiguredProtocol", (BoundedProtocol,), {"settings": settings})
