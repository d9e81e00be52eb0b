"""What the hall shows its devices, as lines of JSON over a Unix stream socket.

The plant process publishes; the simulated scanner and scale, processes of their own, follow. All of
them are on one machine, so moments are microseconds of its monotonic clock. In virtual time nobody
needs this: the same messages are handed over as calls.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.model.codes import Code, Symbology
from simulators.faults import LineFault, LineFaultKind

MAX_UNSENT = 1 << 20
"""A follower that is so far behind is hung up on; it comes again."""
MAX_LINE = 1 << 16
RETRY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSeen:
    """A reader had something to say from ``at_us`` on (its ``speaks`` says of which moment that is);
    ``codes`` empty: it looked in vain."""

    at_us: int
    reader: str
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadChanged:
    """So much rests on the scale from ``at_us`` on."""

    at_us: int
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrinted:
    """A parcel with such a label has been put on the belt: cameras will see it."""

    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleUpset:
    """A fault of the scale strikes at ``at_us``."""

    at_us: int
    fault: LineFault


FeedMessage = LabelSeen | LoadChanged | LabelPrinted | ScaleUpset


class FeedBroken(Exception):
    """A line that is no message of this feed."""


def to_line(message: FeedMessage) -> bytes:
    """``{"kind":"label","at_us":…,"reader":…,"codes":[[text,symbology],…]}``,
    ``{"kind":"load","at_us":…,"grams":…}``, ``{"kind":"printed","codes":…}`` or
    ``{"kind":"upset","at_us":…,"fault":…,"index":…,"ms":…,"arg":…}``, and a newline."""
    body: dict[str, object]
    if isinstance(message, LabelSeen):
        codes = _told(message.codes)
        body = {"kind": "label", "at_us": message.at_us, "reader": message.reader, "codes": codes}
    elif isinstance(message, LabelPrinted):
        body = {"kind": "printed", "codes": _told(message.codes)}
    elif isinstance(message, ScaleUpset):
        fault = message.fault
        body = {"kind": "upset", "at_us": message.at_us, "fault": fault.kind.value, "index": fault.index}
        body |= {"ms": fault.duration_ms, "arg": fault.arg}
    else:
        body = {"kind": "load", "at_us": message.at_us, "grams": message.grams}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> FeedMessage:
    """Raises ``FeedBroken``."""
    try:
        body = json.loads(line)
        if body["kind"] == "load":
            return LoadChanged(at_us=int(body["at_us"]), grams=int(body["grams"]))
        if body["kind"] == "printed":
            return LabelPrinted(codes=_codes(body["codes"]))
        if body["kind"] == "upset":
            fault = LineFault(
                kind=LineFaultKind(body["fault"]),
                index=int(body["index"]),
                after_ms=0,
                duration_ms=int(body["ms"]),
                arg=int(body["arg"]),
            )
            return ScaleUpset(at_us=int(body["at_us"]), fault=fault)
        if body["kind"] == "label":
            codes = _codes(body["codes"])
            return LabelSeen(at_us=int(body["at_us"]), reader=str(body["reader"]), codes=codes)
    except (ValueError, KeyError, TypeError) as error:
        raise FeedBroken(f"{line[:200]!r}: {error}") from error
    raise FeedBroken(f"{line[:200]!r}: unknown kind")


def _told(codes: tuple[Code, ...]) -> list[list[str]]:
    return [[code.text, code.symbology.value] for code in codes]


def _codes(told: list[tuple[str, str]]) -> tuple[Code, ...]:
    return tuple(Code(text=str(text), symbology=Symbology(kind)) for text, kind in told)


class FeedServer:
    """The plant's side. A newcomer first gets the last load, so that it need not have been there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._followers: list[asyncio.StreamWriter] = []
        self._load: bytes = b""

    async def start(self) -> None:
        """Listens at ``path``, of which an old socket is taken away."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    def publish(self, message: FeedMessage) -> None:
        """To everybody who follows; never blocks, keeps the order."""
        line = to_line(message)
        if isinstance(message, LoadChanged):
            self._load = line
        for writer in tuple(self._followers):
            writer.write(line)
            if writer.transport.get_write_buffer_size() > MAX_UNSENT:
                self._followers.remove(writer)
                writer.transport.abort()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._followers:
            writer.close()
        self._followers.clear()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._load:
            writer.write(self._load)
        self._followers.append(writer)
        try:
            await reader.read()
        except OSError:
            return
        finally:
            if writer in self._followers:
                self._followers.remove(writer)
            writer.close()


async def follow(path: Path, take: Callable[[FeedMessage], None]) -> None:
    """A device's side: every message in order, for ever; connects again when the plant is away.

    Raises ``FeedBroken`` on a line that it cannot read: plant and device are of one build.
    """
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
        except OSError:
            await asyncio.sleep(RETRY_S)
            continue
        try:
            while line := await reader.readline():
                take(from_line(line))
        except OSError:
            continue
        finally:
            writer.close()
