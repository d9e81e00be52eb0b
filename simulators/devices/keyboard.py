"""A scanner that types, as Linux hands its keys on: bytes of ``struct input_event`` on a 64-bit machine.

Written from the kernel's Documentation/input and its input-event-codes.h, and from what hand scanners'
manuals call *USB keyboard* and *ALT mode*; what is known to the line's codec is not looked at.
"""

import struct
from collections.abc import Sequence

MSC_SCAN, EV_SYN, EV_KEY, EV_MSC = 4, 0, 1, 4
KEY_ENTER, KEY_TAB, KEY_LEFTSHIFT, KEY_LEFTCTRL, KEY_LEFTALT = 28, 15, 42, 29, 56
ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
"""First key of a row of the US keyboard, and what its keys type without and with Shift."""
PLAIN = {text: first + n for first, row, _ in ROWS for n, text in enumerate(row)} | {
    "\r": KEY_ENTER,
    "\t": KEY_TAB,
}
SHIFTED = {text: first + n for first, _, row in ROWS for n, text in enumerate(row) if text not in PLAIN}
PAD = dict(zip("0123456789", (82, 79, 80, 81, 75, 76, 77, 71, 72, 73), strict=True))


def event(kind: int, code: int, value: int, at_us: int = 0) -> bytes:
    return struct.pack("<qqHHi", at_us // 1_000_000, at_us % 1_000_000, kind, code, value)


def key(code: int, *, down: bool) -> bytes:
    """One change of a key: its scan code, itself, and the end of the report."""
    return event(EV_MSC, MSC_SCAN, 0x70000 + code) + event(EV_KEY, code, down) + event(EV_SYN, 0, 0)


def struck(codes: Sequence[int], held: int = 0) -> bytes:
    """Keys down and up one after another, while ``held`` is down."""
    keys = b"".join(key(code, down=True) + key(code, down=False) for code in codes)
    return key(held, down=True) + keys + key(held, down=False) if held else keys


def typed_events(text: str, *, by_number: bool = False) -> bytes:
    """``text`` as it is typed: by the US layout, or each character as ``Alt`` and its number on the keypad.

    Control characters but CR and Tab are typed with Ctrl, as most makers do. What is not ASCII goes by
    number only.
    """
    return b"".join(_character(one, by_number=by_number) for one in text)


def _character(text: str, *, by_number: bool) -> bytes:
    if text in "\r\t":
        return struck([PLAIN[text]])
    if by_number:
        number = text.encode("cp1252")[0]
        return struck([PAD[digit] for digit in f"{number:04d}"], KEY_LEFTALT)
    if text in PLAIN:
        return struck([PLAIN[text]])
    if text in SHIFTED:
        return struck([SHIFTED[text]], KEY_LEFTSHIFT)
    return struck([PLAIN[chr(ord(text) + 64).lower()]], KEY_LEFTCTRL)
