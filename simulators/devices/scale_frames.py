"""How indicators say a weight, written from their manuals: what is known to the line's codecs is not
looked at.

Each gives the frame of ``grams`` (at most six digits either side of zero), in kilograms with three
decimals; ``out_of_range``: over the capacity, or, of a negative weight, under zero.
"""

from collections.abc import Callable
from functools import lru_cache

FRAMES_KNOWN = 32_768
"""Every division of a scale of 60 kg, standing still and in motion."""
MOST_SHOWN = 999_999
"""Six digits."""
NIBBLES = "0123456789ABCDEF"


@lru_cache(maxsize=FRAMES_KNOWN)
def continuous_frame(grams: int, motion: bool, out_of_range: bool) -> bytes:
    """Mettler-Toledo, WILDCAT technical manual E15609900A (12/00), pages 6-4 and 6-5: gross (SWA 101), in
    steps of one (X1); tare 0."""
    status_b = 0x30 | (0x02 if grams < 0 else 0) | (0x04 if out_of_range else 0) | (0x08 if motion else 0)
    body = bytes((0x02, 0x2D, status_b, 0x20)) + f"{abs(grams):6d}{0:6d}\r".encode()
    return body + bytes((-sum(body) & 0x7F,))


@lru_cache(maxsize=FRAMES_KNOWN)
def a9_frame(grams: int, _motion: bool, out_of_range: bool) -> bytes:
    """Yaohua XK3190-A26 manual, page 10, continuous format 0. Of an overload it says nothing: the digits
    are full."""
    shown = MOST_SHOWN if out_of_range else abs(grams)
    text = f"{'-' if grams < 0 else '+'}{shown:06d}3"
    found = 0
    for byte in text.encode():
        found ^= byte
    return b"\x02" + f"{text}{NIBBLES[found >> 4]}{NIBBLES[found & 15]}".encode() + b"\x03"


@lru_cache(maxsize=FRAMES_KNOWN)
def sics_answer(grams: int, motion: bool, out_of_range: bool) -> bytes:
    """MT-SICS reference manual 11781363, pages 8 and 9; AT balances, operating instructions, page 87."""
    if out_of_range:
        return b"S -\r\n" if grams < 0 else b"S +\r\n"
    whole, part = divmod(abs(grams), 1_000)
    value = f"{'-' if grams < 0 else ''}{whole}.{part:03d}"
    return f"S {'D' if motion else 'S'} {value:>10} kg\r\n".encode()


Say = Callable[[int, bool, bool], bytes]
SCALE_FRAMES: dict[str, Say] = {
    "mettler_toledo_continuous": continuous_frame,
    "mt_sics": sics_answer,
    "yaohua_a9_continuous": a9_frame,
}
"""Encoder of each protocol that the line can understand."""
ASKED = frozenset({"mt_sics"})
"""Protocols of scales that say nothing until they are asked."""
