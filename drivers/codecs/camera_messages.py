"""What a camera process says to the line: lines of JSON, in UTF-8, over a stream that keeps their order.

``{"kind":"beat","picture":"good"}`` several times a second: it lives, and so its pictures are;
``{"kind":"read","grabbed_us":…,"codes":[[text,symbology],…]}`` for the codes that count in one frame.
``grabbed_us`` is CLOCK_MONOTONIC of the machine that both are on. Every line opens with ``"v":1``.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from drivers.codecs.json_lines import WholeLines
from edge.model.codes import Code, Symbology
from edge.model.units import MonoUs

VERSION = 1
MAX_LINE_BYTES = 32_768
"""A label's codes with room to spare: a QR code holds 2,953 bytes."""
MAX_CODES = 16
MAX_TEXT = 4_296
"""Characters of the largest QR code (ISO/IEC 18004)."""


class Picture(StrEnum):
    """How a camera's pictures are; anything but ``good`` and ``plain`` reads nothing that counts."""

    GOOD = "good"
    PLAIN = "plain"
    """Well lit, and so far nothing in them that would show whether they are sharp: an empty belt."""
    BLACK = "black"
    OVEREXPOSED = "overexposed"
    OUT_OF_FOCUS = "out_of_focus"


PICTURES = tuple(Picture)
SYMBOLOGIES = tuple(Symbology)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraBeat:
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRead:
    """The codes that began to count with the frame of ``grabbed_us``."""

    grabbed_us: MonoUs
    codes: tuple[Code, ...]


CameraMessage = CameraBeat | CameraRead


def encode(message: CameraMessage) -> bytes:
    """One line with its end."""
    body: dict[str, object] = {"v": VERSION}
    if isinstance(message, CameraBeat):
        body |= {"kind": "beat", "picture": message.picture.value}
    else:
        codes = [[code.text, code.symbology.value] for code in message.codes]
        body |= {"kind": "read", "grabbed_us": message.grabbed_us, "codes": codes}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class CameraMessages:
    """``WholeLines`` of messages."""

    def __init__(self) -> None:
        self._lines: WholeLines[CameraMessage] = WholeLines(_parsed, MAX_LINE_BYTES)

    @property
    def rejected(self) -> int:
        """Lines dropped, for metrics."""
        return self._lines.rejected

    def feed(self, data: bytes, _at_us: MonoUs) -> tuple[CameraMessage, ...]:
        """The messages that ``data`` completes."""
        return self._lines.feed(data)


def _parsed(line: bytes) -> CameraMessage | None:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("v") != VERSION:
        return None
    if body.get("kind") == "beat" and set(body) == {"v", "kind", "picture"}:
        picture = body["picture"]
        return CameraBeat(picture=Picture(picture)) if picture in PICTURES else None
    if body.get("kind") == "read" and set(body) == {"v", "kind", "grabbed_us", "codes"}:
        grabbed_us, codes = body["grabbed_us"], _codes(body["codes"])
        if isinstance(grabbed_us, int) and not isinstance(grabbed_us, bool) and codes:
            return CameraRead(grabbed_us=MonoUs(grabbed_us), codes=codes)
    return None


def _codes(given: object) -> tuple[Code, ...]:
    """Empty where one of them is none."""
    if not isinstance(given, list) or len(given) > MAX_CODES:
        return ()
    codes = []
    for one in given:
        if not isinstance(one, list) or len(one) != 2 or not all(isinstance(part, str) for part in one):
            return ()
        text, symbology = one
        if not text or len(text) > MAX_TEXT or symbology not in SYMBOLOGIES:
            return ()
        codes.append(Code(text=text, symbology=Symbology(symbology)))
    return tuple(codes)
