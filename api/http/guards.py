"""What stands before every request: key, concurrency, body size, body deadline. Plain ASGI."""

import asyncio
from collections import Counter
from collections.abc import Callable
from math import ceil
from time import perf_counter
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.auth import OPEN_PATHS, Caller, KeyRing
from api.http.metrics import GatewayMetrics
from api.http.problems import Problem, Slug
from api.http.rates import Rates
from api.settings import GatewaySettings

CALLER_KEY: Final = "beltkeeper.caller"
RETRY_AFTER_S: Final = 1
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}

_log = structlog.get_logger("gateway")


class Guards:
    """The outermost layer. Every refusal is a problem body; an error of ours too, once it is logged."""

    def __init__(
        self, app: ASGIApp, *, keys: Callable[[], KeyRing], settings: GatewaySettings, metrics: GatewayMetrics
    ) -> None:
        self._app = app
        self._keys = keys
        self._settings = settings
        self._metrics = metrics
        self._in_flight: Counter[str] = Counter()
        self._room = _Room(settings.bodies_max_bytes)
        self._rates = Rates(per_s=settings.requests_per_s, burst=settings.requests_burst, now_s=perf_counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "the server is told to speak nothing else"
        answer = _Answer(send)
        headers = Headers(scope=scope)
        body = _Body(receive, self._settings, self._room)
        with self._metrics.request(scope, answer), body:
            try:
                caller = self._caller(scope, headers)
                body.check_declared(headers)
                async with body.deadline:
                    await self._admitted(caller, scope, body.receive, answer.send)
            except Problem as problem:
                await _refuse(problem, scope, receive, answer)
            except ClientDisconnect:
                pass  # theirs: nobody is left to answer; the request is counted without a status
            except TimeoutError:
                await _refuse(Problem(Slug.BODY_TIMEOUT), scope, receive, answer)
            except Exception:  # noqa: BLE001 - ours: logged whole, answered with one problem body
                _log.exception("request_failed", method=scope["method"], path=scope["path"][:200])
                await _refuse(Problem(Slug.INTERNAL), scope, receive, answer)

    def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        if scope["path"] in OPEN_PATHS:
            return None
        try:
            caller = self._keys().authenticate(scope["method"], scope["path"], headers)
        except Problem:
            self._metrics.refused_key()
            raise
        scope.setdefault("state", {})[CALLER_KEY] = caller
        return caller

    async def _admitted(self, caller: Caller | None, scope: Scope, receive: Receive, send: Send) -> None:
        """A turn of the key's rate, and a place in flight, for the key and for all."""
        key = caller.id if caller is not None else ""
        wait_s = self._rates.wait_s(key) if key else 0
        if wait_s:
            raise Problem(Slug.TOO_MANY_REQUESTS, retry_after_s=ceil(wait_s))
        if self._in_flight.total() >= self._settings.in_flight_max:
            raise Problem(Slug.OVERLOADED, retry_after_s=RETRY_AFTER_S)
        if self._in_flight[key] >= self._settings.in_flight_per_key:
            raise Problem(Slug.TOO_MANY_REQUESTS, retry_after_s=RETRY_AFTER_S)
        self._in_flight[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight[key] -= 1


class _Room:
    """Bytes of bodies that there is still room for."""

    def __init__(self, free: int) -> None:
        self.free = free


class _Body:
    """Counts bytes as they come, whatever Content-Length said, and gives them a deadline; they keep their
    room until the request is answered."""

    def __init__(self, receive: Receive, settings: GatewaySettings, room: _Room) -> None:
        self._receive = receive
        self._room = room
        self._max = settings.body_max_bytes
        self._deadline_s = settings.body_deadline_ms / 1000
        self._seen = 0
        self._whole = False
        self.deadline = asyncio.timeout(None)

    def __enter__(self) -> None:
        """Nothing has come yet."""

    def __exit__(self, *_: object) -> None:
        self._room.free += self._seen

    def check_declared(self, headers: Headers) -> None:
        declared = headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > self._max:
            raise self._too_large()

    def _too_large(self) -> Problem:
        return Problem(Slug.BODY_TOO_LARGE, f"at most {self._max} bytes")

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        if self._seen == 0 and self.deadline.when() is None:
            self.deadline.reschedule(asyncio.get_running_loop().time() + self._deadline_s)
        message = await self._receive()
        if message["type"] == "http.request":
            came = len(message.get("body", b""))
            self._seen += came
            self._room.free -= came
            if self._seen > self._max:
                raise self._too_large()
            if self._room.free < 0:
                raise Problem(Slug.OVERLOADED, retry_after_s=RETRY_AFTER_S)
            self._whole = not message.get("more_body", False)
        if self._whole or message["type"] == "http.disconnect":
            self.deadline.reschedule(None)
        return message


class _Answer:
    """Passes the answer on with the headers every answer has, and remembers its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _refuse(problem: Problem, scope: Scope, receive: Receive, answer: _Answer) -> None:
    """The problem as the answer. Once an answer has begun it is left torn: the server then closes."""
    if not answer.status:
        await problem.response(Headers(scope=scope))(scope, receive, answer.send)
