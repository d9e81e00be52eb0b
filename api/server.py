"""The gateway process: one port, one loop, one inbox."""

import asyncio
import gc
import ipaddress
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

import structlog
import uvicorn

from api.http.app import GatewayApp, create_app
from api.http.auth import KeysUnreadable
from api.http.protocol import protocol_for
from api.logs import log_to_stderr
from api.notify import Notify
from api.relay.desk import RelayTo
from api.relay.webhooks import SecretUnusable
from api.settings import GatewaySettings
from edge.store.errors import WriterLocked
from line_config.description import LineDescription

OK: Final = 0
BAD_ENVIRONMENT: Final = 3
SWITCH_S: Final = 0.001
"""The writer and the readers are threads: CPython lets one keep the interpreter for 5 ms while the loop waits
for it, and a cancel takes ten such turns."""
UMASK: Final = 0o007
"""Databases belong to the group that the line process is in."""

_log = structlog.get_logger("gateway")


def run_gateway(
    line: LineDescription, data_dir: Path, host: str | None = None, port: int | None = None
) -> int:
    """Serves until SIGTERM or SIGINT; the exit status. ``host`` and ``port`` stand in for the line's
    own; port 0 takes a free one, which the log names.

    0 after a signal; 3 when the port is taken, the data folder cannot be used or another gateway
    writes this inbox, with one sentence on stderr.
    """
    os.umask(UMASK)
    sys.setswitchinterval(SWITCH_S)
    log_to_stderr()
    settings = GatewaySettings()
    address = (line.api.host if host is None else host, line.api.port if port is None else port)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        listener = listen(address, settings.backlog)
    except OSError as error:
        return _unfit(f"cannot listen on {address[0]} port {address[1]}: {os.strerror(error.errno or 0)}")
    with listener:
        app = create_app(
            settings, line.topology, data_dir, RelayTo(site=line.site_id, settings=line.relay), line.reasons
        )
        return asyncio.run(serve(app, listener, settings))


def listen(address: tuple[str, int], backlog: int) -> socket.socket:
    """A bound socket. Raises ``OSError``.

    Accepted sockets inherit TCP_NODELAY: asyncio sets it only where the protocol number is TCP's own,
    which a socket made without it (0) does not have, and each answer then waits 40 ms for an ACK.
    """
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = found[0]
    listener = socket.create_server((str(where[0]), int(where[1])), family=family, backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(app: GatewayApp, listener: socket.socket, settings: GatewaySettings) -> int:
    """Opens the gateway, serves it on a bound socket until a signal, and closes it; the exit status."""
    stopped, notify = _Signals(), Notify(lambda: app.gateway.writer.alive)
    try:
        await app.gateway.open()
    except (WriterLocked, KeysUnreadable, SecretUnusable, OSError, sqlite3.Error) as error:
        notify.close()
        await app.gateway.close()
        return _unfit(str(error))
    try:
        host, port = listener.getsockname()[:2]
        if not ipaddress.ip_address(host).is_loopback:
            _log.warning("not_loopback", host=host, note="keys go over this network in clear")
        # What stands by now stands to the end: to look through it again would hold the loop up for 150 ms.
        gc.collect()
        gc.freeze()
        _log.info("gateway_listening", host=host, port=port)
        notify.begin()
        if not stopped.seen:
            await _Server(_config(app, settings), app.gateway.feed.end).serve(sockets=[listener])
    finally:
        notify.close()
        await app.gateway.close()
    _log.info("gateway_stopped")
    return OK


def _config(app: GatewayApp, settings: GatewaySettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol_for(settings),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_s,
        h11_max_incomplete_event_size=settings.head_max_bytes,
    )


class _Server(uvicorn.Server):
    """``stopping`` is called in the loop at the first signal: what would go on for ever has to end for
    the others to be waited for."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._loop = asyncio.get_running_loop()
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._stopping)


class _Signals:
    """uvicorn raises again, on its way out, the signal that stopped it: here it is only noted, so
    that what was taken is written and the exit status is ours."""

    def __init__(self) -> None:
        self.seen = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True


def _unfit(why: str) -> int:
    sys.stderr.write(f"beltkeeper gateway: {why}\n")
    return BAD_ENVIRONMENT
