"""What the bytes of a matrix code say where it does not name its character set: nothing is guessed.

QR codes and Data Matrix have ECI for that, and most writers leave it out: Chinese ones write UTF-8 or GBK,
Japanese ones Shift-JIS, and the standards' own default is ISO 8859-1 (ISO/IEC 18004, 7.3.2; 16022, 5.2).
"""

import re
from typing import Final

GB, SHIFT_JIS, LATIN = "gb18030", "shift_jis", "latin-1"
MOST: Final = 0.5
"""Of the characters beyond ASCII so many are common ones, or it is no text in that character set."""
GB_SYMBOLS, GB_COMMON = range(0xA1, 0xAA), range(0xB0, 0xD8)
"""First bytes: punctuation and signs, and the 3,755 hanzi of level 1 (GB/T 2312)."""
JIS_COMMON = range(0x88, 0x99)
"""First bytes of the kanji of level 1 (JIS X 0208, in Shift-JIS)."""
KANA = range(0x3001, 0x3100)
"""Unicode: punctuation, hiragana, katakana."""
HALF_KANA = range(0xFF61, 0xFFA0)
VOICED = re.compile("[\uff73\uff76-\uff84\uff8a-\uff8e][\uff9e\uff9f]")
"""A half-width kana and its mark. Their bytes may be hanzi too, but hardly two such pairs of one text."""
STRAY = re.compile("(?<![\uff73\uff76-\uff84\uff8a-\uff8e])[\uff9e\uff9f]")
PAIRS: Final = 2
LOST: Final = "\ufffd"


def text_of(data: bytes, guess: str) -> str | None:
    """``guess``: an engine's own reading. None: it is as good a text in one character set as in another, or
    in none."""
    utf8 = _decoded(data, "utf-8")
    if utf8 is not None:
        return utf8
    if LOST not in guess and guess not in (_decoded(data, LATIN), _decoded(data, SHIFT_JIS)):
        return guess  # it does name its character set
    chinese, japanese = _chinese(data), _japanese(data)
    if chinese and japanese:
        return japanese if len(VOICED.findall(japanese)) >= PAIRS else None
    return chinese or japanese or (None if LOST in guess else guess)


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None


def _chinese(data: bytes) -> str:
    """Empty where it is no text, or an unlikely one."""
    text = _decoded(data, GB) or ""
    beyond = [one.encode(GB) for one in text if not one.isascii()]
    common = [
        one
        for one in beyond
        if len(one) == 2 and one[1] >= 0xA1 and (one[0] in GB_COMMON or one[0] in GB_SYMBOLS)
    ]
    return text if len(common) > MOST * len(beyond) else ""


def _japanese(data: bytes) -> str:
    """As ``_chinese``. Half-width kana alone are a likely text where marks tell so, and stray ones do not."""
    text = _decoded(data, SHIFT_JIS) or ""
    beyond = [one for one in text if not one.isascii()]
    half = [one for one in beyond if ord(one) in HALF_KANA]
    common = [one for one in beyond if ord(one) in KANA or one.encode(SHIFT_JIS)[0] in JIS_COMMON]
    if half and (STRAY.search(text) or not VOICED.search(text)):
        half = []
    return text if len(half) + len(common) > MOST * len(beyond) else ""
