"""A scanner that types: events of the Linux input interface in, the messages that were typed out.

``struct input_event`` of a 64-bit machine (Documentation/input/input.rst, section 5; include/uapi/linux/
input.h): 16 bytes of time, u16 type, u16 code, s32 value, in the machine's own order, little-endian. What the
keys spell is a message as any other line scanner's, for ``ScannerLines``. Keys have no check sum.
"""

import struct

from drivers.codecs.hid_keys import ALTS, CAPS_LOCK, CONTROLS, KEYPAD, SHIFTS, SILENT, by_number, typed
from drivers.codecs.reader_events import ReaderEvent
from drivers.codecs.scanner_lines import ScannerLines
from edge.model.units import US_PER_S, MonoUs

EVENT = struct.Struct("<qqHHi")
EV_SYN, EV_KEY, EV_MAX = 0, 1, 0x1F
SYN_REPORT, SYN_DROPPED = 0, 3
UP, DOWN, REPEAT = 0, 1, 2
KEY_MAX = 0x2FF
ILLEGIBLE = b"\xff"
"""No text in UTF-8: the message that it is in is dropped, and the next one."""


class HidKeyboard:
    """Never raises; keeps less than one event and what ``lines`` keeps.

    A key that types nothing on this layout, events that the kernel had to drop, and bytes that are no
    event make the message illegible: it is dropped whole.
    """

    def __init__(self, lines: ScannerLines) -> None:
        self._lines = lines
        self._buffer = b""
        self._held: set[int] = set()
        """Modifiers that are down."""
        self._caps = False
        self._digits: str | None = None
        """Typed on the keypad since Alt went down; None: Alt is up."""
        self._dropped = False

    @property
    def rejected(self) -> int:
        """Messages dropped, for metrics."""
        return self._lines.rejected

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[ReaderEvent, ...]:
        """The messages that ``data`` completes, stamped ``at_us``, its arrival."""
        buffer, start, text = self._buffer + data, 0, bytearray()
        while len(buffer) - start >= EVENT.size:
            seconds, micros, kind, code, value = EVENT.unpack_from(buffer, start)
            if seconds < 0 or not 0 <= micros < US_PER_S or kind > EV_MAX or code > KEY_MAX:
                start, text = start + 1, text + ILLEGIBLE
                continue
            start += EVENT.size
            text += self._event(kind, code, value)
        self._buffer = buffer[start:]
        return self._lines.feed(bytes(text), at_us) if text else ()

    def silent(self) -> tuple[ReaderEvent, ...]:
        """Silence has ended the message that lies here: no key was typed to end it."""
        return self._lines.silent()

    def _event(self, kind: int, code: int, value: int) -> bytes:
        if kind == EV_SYN:
            if code == SYN_DROPPED:
                self._dropped, self._digits = True, None
                self._held.clear()
                return ILLEGIBLE
            self._dropped = self._dropped and code != SYN_REPORT
            return b""
        if kind != EV_KEY or self._dropped:
            return b""
        return self._key_down(code) if value == DOWN else self._key_up(code) if value == UP else b""

    def _key_down(self, key: int) -> bytes:
        if key in SILENT:
            self._caps ^= key == CAPS_LOCK
            self._held.add(key)
            if key in ALTS:
                self._digits = ""
            return b""
        if self._digits is not None:
            self._digits += KEYPAD.get(key, "?")
            return b""
        shift, control = not SHIFTS.isdisjoint(self._held), not CONTROLS.isdisjoint(self._held)
        text = typed(key, shift=shift, caps=self._caps, control=control)
        return ILLEGIBLE if text is None else text.encode()

    def _key_up(self, key: int) -> bytes:
        self._held.discard(key)
        if key not in ALTS or self._digits is None:
            return b""
        digits, self._digits = self._digits, None
        text = by_number(digits) if digits.isdigit() else None
        return ILLEGIBLE if text is None else text.encode()
