"""What a camera process says to the line: lines of JSON, in UTF-8, over a stream that keeps their order.

``{"kind":"beat","picture":"good","frames":…,"missed":…}`` several times a second: it lives, so its pictures
are, and so many were taken since it began;
``{"kind":"read","grabbed_us":…,"codes":[[text,symbology,proof],…]}`` for the codes that count in one frame;
``{"kind":"ends","why":"…"}`` as its last word.
``grabbed_us`` is CLOCK_MONOTONIC of the machine that both are on. Every line opens with ``"v":2``.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from drivers.codecs.json_lines import WholeLines
from edge.model.codes import Code, ReadProof, Symbology
from edge.model.units import MonoUs

VERSION = 2
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


MAX_WHY = 200
"""Characters of a cause."""
MAX_COUNT = 1 << 62
PICTURES = tuple(Picture)
SYMBOLOGIES = tuple(Symbology)
PROOFS = tuple(ReadProof)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraBeat:
    """``frames`` were taken since the process began; nobody looked at ``missed`` of them: they came too late
    or not at all, or a newer one was there before their turn."""

    picture: Picture
    frames: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRead:
    """The codes that began to count with the frame of ``grabbed_us``."""

    grabbed_us: MonoUs
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEnds:
    """The process ends itself, and is to be started anew."""

    why: str


CameraMessage = CameraBeat | CameraRead | CameraEnds


def encode(message: CameraMessage) -> bytes:
    """One line with its end."""
    body: dict[str, object] = {"v": VERSION}
    match message:
        case CameraBeat():
            counts = {"frames": message.frames, "missed": message.missed}
            body |= {"kind": "beat", "picture": message.picture.value, **counts}
        case CameraRead():
            codes = [[code.text, code.symbology.value, code.proof or ""] for code in message.codes]
            body |= {"kind": "read", "grabbed_us": message.grabbed_us, "codes": codes}
        case CameraEnds():
            body |= {"kind": "ends", "why": message.why[:MAX_WHY]}
        case _:
            assert_never(message)
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
    match body.get("kind"):
        case "beat" if set(body) == {"v", "kind", "picture", "frames", "missed"}:
            return _beat(body["picture"], body["frames"], body["missed"])
        case "read" if set(body) == {"v", "kind", "grabbed_us", "codes"}:
            grabbed_us, codes = body["grabbed_us"], _codes(body["codes"])
            if type(grabbed_us) is int and codes:
                return CameraRead(grabbed_us=MonoUs(grabbed_us), codes=codes)
        case "ends" if set(body) == {"v", "kind", "why"}:
            why = body["why"]
            return CameraEnds(why=why) if isinstance(why, str) and 0 < len(why) <= MAX_WHY else None
    return None


def _beat(picture: object, frames: object, missed: object) -> CameraBeat | None:
    if not isinstance(picture, str) or picture not in PICTURES:
        return None
    if type(frames) is not int or type(missed) is not int:
        return None
    if not 0 <= missed <= frames < MAX_COUNT:
        return None
    return CameraBeat(picture=Picture(picture), frames=frames, missed=missed)


def _codes(given: object) -> tuple[Code, ...]:
    """Empty where one of them is none."""
    if not isinstance(given, list) or len(given) > MAX_CODES:
        return ()
    codes = []
    for one in given:
        if not isinstance(one, list) or len(one) != 3 or not all(isinstance(part, str) for part in one):
            return ()
        text, symbology, proof = one
        if not text or len(text) > MAX_TEXT or symbology not in SYMBOLOGIES or proof not in PROOFS:
            return ()
        codes.append(Code(text=text, symbology=Symbology(symbology), proof=ReadProof(proof)))
    return tuple(codes)
