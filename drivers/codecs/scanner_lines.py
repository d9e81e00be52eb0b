"""Line scanners that send text: one message an answer, ended by a terminator or by silence.

``[prefix] code [separator code]… terminator`` in UTF-8, each code behind its AIM identifier where the
reader is set to send one. The format has no check sum: TCP has its own, on a bare serial cable a lost
byte can shorten a code.
"""

from dataclasses import dataclass
from functools import lru_cache

from drivers.codecs.aim import identified
from drivers.codecs.reader_events import ReaderAnswered, ReaderBeat, ReaderEvent
from edge.model.codes import Code, Symbology
from edge.model.units import MonoUs

MAX_CODES = 16
"""Codes of one answer: a label shows three or four."""
CODES_KNOWN = 4_096
"""Codes kept to be used again: those of goods come over and over."""
FNC1 = "\x1d"
"""Separates GS1 fields: the one control character that a code may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """``terminator`` empty: a message ends by silence only. ``no_read`` and ``heartbeat`` are whole messages
    without the prefix; an empty ``separator`` or ``heartbeat``: there is none."""

    prefix: bytes
    terminator: bytes
    separator: str
    aim: bool
    no_read: tuple[str, ...]
    heartbeat: str
    max_bytes: int


class ScannerLines:
    """Never raises, keeps little more than ``max_bytes``. A message that breaks the format is dropped
    whole, and the next one too: its head may be the broken one's tail."""

    def __init__(self, fmt: LineFormat) -> None:
        self._fmt = fmt
        self._buffer = b""
        self._last_us = MonoUs(0)
        self._overlong = False
        self._skip = False
        self.rejected = 0
        """Messages dropped, for metrics."""

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[ReaderEvent, ...]:
        """The messages that ``data`` completes, stamped ``at_us``, its arrival."""
        self._last_us = at_us
        whole, rest = [], self._buffer + data
        if self._fmt.terminator:
            *whole, rest = rest.split(self._fmt.terminator)
        events = [self._message(message, at_us) for message in whole]
        if len(rest) > self._fmt.max_bytes + len(self._fmt.terminator):
            self._overlong, rest = True, rest[len(rest) - len(self._fmt.terminator) :]
        self._buffer = rest
        return tuple(event for event in events if event is not None)

    def silent(self) -> tuple[ReaderEvent, ...]:
        """Silence has ended the message that lies here; stamped with its last byte's arrival."""
        message, self._buffer = self._without_torn_end(self._buffer), b""
        event = self._message(message, self._last_us) if message or self._overlong else None
        return () if event is None else (event,)

    def _without_torn_end(self, message: bytes) -> bytes:
        """Less the beginning of a terminator whose rest did not come."""
        for size in range(len(self._fmt.terminator) - 1, 0, -1):
            if message.endswith(self._fmt.terminator[:size]):
                return message[:-size]
        return message

    def _message(self, message: bytes, at_us: MonoUs) -> ReaderEvent | None:
        text = None if self._overlong or len(message) > self._fmt.max_bytes else self._text(message)
        codes = None if text is None else self._codes(text)
        skip, self._overlong, self._skip = self._skip, False, codes is None
        if codes is None or skip:
            self.rejected += 1
            return None
        if not codes and text == self._fmt.heartbeat:
            return ReaderBeat(at_us=at_us)
        return ReaderAnswered(at_us=at_us, codes=codes)

    def _text(self, message: bytes) -> str | None:
        text = message.removeprefix(self._fmt.prefix).decode(errors="replace")
        framed = message.startswith(self._fmt.prefix) and "\ufffd" not in text
        # A reader may say its no-read in control characters, as Datalogic's CAN.
        legible = text.replace(FNC1, "").isprintable() or text in self._fmt.no_read
        return text if framed and legible else None

    def _codes(self, text: str) -> tuple[Code, ...] | None:
        if text in self._fmt.no_read or (text and text == self._fmt.heartbeat):
            return ()
        parts = text.split(self._fmt.separator) if self._fmt.separator else [text]
        codes = [
            identified(part) if self._fmt.aim else _unidentified(part) for part in parts[: MAX_CODES + 1]
        ]
        whole = tuple(code for code in codes if code is not None)
        return whole if len(whole) == len(codes) <= MAX_CODES else None


@lru_cache(CODES_KNOWN)
def _unidentified(text: str) -> Code | None:
    return Code(text=text, symbology=Symbology.UNKNOWN) if text else None
