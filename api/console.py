"""The local console: keys are added and withdrawn on the machine itself, never over the network.

A running gateway is the one writer of its inbox, so it is asked on a Unix socket that only its own user
and root can use (mode 0600, and who asks is read from the kernel). Without a gateway the command opens
the inbox itself. One JSON object a line each way, one question a connection.
"""

import asyncio
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from api.clock import utc_now
from api.key_desk import ADMIN_ROLE, Asked, KeyRefusal, KeyRefused, added, listed, withdrawn
from edge.store.errors import WriterLocked
from edge.store.inbox_types import Actor
from edge.store.inbox_writer import InboxWriter
from edge.store.places import Places, unix_name

QUESTION_MAX_BYTES: Final = 4_096
ANSWER_MAX_BYTES: Final = 64 * 1024
WAIT_S: Final = 5.0
UMASK: Final = 0o007
"""As the gateway's: its inbox is the group's."""
_CREDENTIALS: Final = struct.Struct("3i")
"""``struct ucred`` (unix(7)): pid, uid, gid."""

_NO_QUESTION: Final = (ValueError, RecursionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""No JSON, too deep, cut off, too long."""

Json = dict[str, Any]
Answer = Callable[[Json, Asked], Awaitable[Json]]


def answered(inbox: InboxWriter, question: Json, asked: Asked) -> Json:
    """What the console is told: ``keys``, ``added`` or ``withdrawn``, or ``refused`` with its values."""
    name, role = str(question.get("name", "")), str(question.get("role", ""))
    try:
        match question.get("do"):
            case "add":
                issued = added(inbox, name, role, asked)
                return {"added": {"name": issued.id, "role": issued.role.value, "text": issued.text}}
            case "withdraw":
                gone = withdrawn(inbox, name, str(question.get("fingerprint", "")), asked)
                return {"withdrawn": {"name": gone.name, "fingerprint": gone.fingerprint}}
            case _:
                return {
                    "keys": [
                        {
                            "name": key.name,
                            "role": key.role,
                            "fingerprint": key.fingerprint,
                            "added_utc_us": key.added_utc_us,
                        }
                        for key in listed(inbox)
                    ]
                }
    except KeyRefused as error:
        return {"refused": error.refusal.value, "values": dict(error.values)}


def actor_of(uid: int) -> Actor:
    """A person of this machine."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Actor(id=f"console:{name}", role=ADMIN_ROLE)


def ask(data: Path, question: Json) -> Json:
    """Of the gateway that runs on ``data``, else of the inbox itself. Raises ``OSError``."""
    if not data.is_dir():
        raise FileNotFoundError(f"{data} is not there: give the line's folder with --data or BELTKEEPER_DATA")
    places = Places(data)
    try:
        return _ask_gateway(places.console, question)
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    try:
        inbox = InboxWriter(places.inbox)
    except WriterLocked:
        return {"refused": KeyRefusal.GATEWAY_SILENT.value, "values": {}}
    try:
        return answered(inbox, question, Asked(by=actor_of(os.getuid()), at_utc_us=utc_now()))
    finally:
        inbox.close()


def _ask_gateway(path: Path, question: Json) -> Json:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(WAIT_S)
        with unix_name(path) as name:
            try:
                asking.connect(name)
            except PermissionError as error:
                raise PermissionError(error.errno, error.strerror, str(path)) from None
        asking.sendall(json.dumps(question).encode() + b"\n")
        said = b""
        while not said.endswith(b"\n") and len(said) < ANSWER_MAX_BYTES:
            piece = asking.recv(4_096)
            if not piece:
                return {"refused": KeyRefusal.GATEWAY_SILENT.value, "values": {}}
            said += piece
    answer: Json = json.loads(said)
    return answer


class ConsoleSocket:
    """The gateway's end. ``answer`` is asked once a connection."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Takes the place of a stale socket. Raises ``OSError``."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        with unix_name(self._path) as name:
            listener.bind(name)
        self._path.chmod(0o600)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=QUESTION_MAX_BYTES)

    async def close(self) -> None:
        """Idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(*_NO_QUESTION, TimeoutError, ConnectionError):
            async with asyncio.timeout(WAIT_S):
                uid = _uid_of(writer)
                if uid not in (os.getuid(), 0):
                    return
                question = json.loads(await reader.readuntil(b"\n"))
                if isinstance(question, dict):
                    said = await self._answer(question, Asked(by=actor_of(uid), at_utc_us=utc_now()))
                    writer.write(json.dumps(said).encode() + b"\n")
                    await writer.drain()


def _uid_of(writer: asyncio.StreamWriter) -> int:
    end: socket.socket = writer.get_extra_info("socket")
    told = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(told)[1]
    return uid
