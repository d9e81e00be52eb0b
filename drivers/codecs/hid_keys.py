"""What a keyboard's keys mean: the US layout, and characters typed as numbers on the keypad.

Key codes are those of the Linux input interface (include/uapi/linux/input-event-codes.h, 5.10); the layout
is that of HID usage tables 1.12, section 10, keyboard page, with a US keyboard (ANSI INCITS 154).
"""

LETTERS: dict[int, str] = dict(
    zip(
        (*range(16, 26), *range(30, 39), *range(44, 51)),
        "qwertyuiopasdfghjklzxcvbnm",
        strict=True,
    )
)
SYMBOLS: dict[int, tuple[str, str]] = {
    **dict(zip(range(2, 14), zip("1234567890-=", "!@#$%^&*()_+", strict=True), strict=True)),
    26: ("[", "{"),
    27: ("]", "}"),
    39: (";", ":"),
    40: ("'", '"'),
    41: ("`", "~"),
    43: ("\\", "|"),
    51: (",", "<"),
    52: (".", ">"),
    53: ("/", "?"),
    57: (" ", " "),
}
"""Without and with Shift."""
KEYPAD = {82: "0", 79: "1", 80: "2", 81: "3", 75: "4", 76: "5", 77: "6", 71: "7", 72: "8", 73: "9"}
"""Digits, also where NumLock is off: a scanner means digits."""
KEYPAD_SYMBOLS = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/", 117: "="}
ENDS = {28: "\r", 96: "\r", 15: "\t"}
"""Enter, the keypad's Enter, Tab."""
SHIFTS, CONTROLS, ALTS = frozenset({42, 54}), frozenset({29, 97}), frozenset({56, 100})
CAPS_LOCK = 58
SILENT = SHIFTS | CONTROLS | ALTS | {CAPS_LOCK, 69, 70, 125, 126}
"""Type nothing by themselves; 69, 70, 125, 126: NumLock, ScrollLock, the two Meta keys."""
MAX_ALT_DIGITS = 4
"""``0`` and three more."""


def typed(key: int, *, shift: bool, caps: bool, control: bool) -> str | None:
    """The character of a key that was pressed; None for a key that types none on this layout.

    With Control, letters and ``[ \\ ] ^ _`` are the control characters that they stand for (a scanner's
    way to type FNC1 as ``Ctrl ]``).
    """
    if key in LETTERS:
        letter = LETTERS[key]
        text = letter.upper() if shift is not caps else letter
    elif key in SYMBOLS:
        text = SYMBOLS[key][1] if shift else SYMBOLS[key][0]
    else:
        return ENDS.get(key) or KEYPAD.get(key) or KEYPAD_SYMBOLS.get(key)
    if not control:
        return text
    code = ord(text.upper()) - 64
    return chr(code) if 0 < code < 32 else None


def by_number(digits: str) -> str | None:
    """The character that ``Alt`` with digits of the keypad types: code page 1252 behind a leading zero,
    else 437; both are ASCII below 128. None where there is no such character."""
    number = int(digits) if digits else 0
    if len(digits) > MAX_ALT_DIGITS or not 0 < number < 256:
        return None
    if number < 128:
        return chr(number)
    return bytes((number,)).decode("cp1252" if digits[0] == "0" else "cp437", errors="replace")
