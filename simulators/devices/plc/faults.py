"""What can be wrong between a PLC and its bus, switched by a test or a scenario while it runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

TURNAROUND_US = 5_000
"""What the simulated PLC takes for an answer unless told otherwise."""


class Silence(Enum):
    NONE = "none"
    DEAF = "deaf"
    """Requests are neither obeyed nor answered."""
    MUTE = "mute"
    """Requests are obeyed, their answers are lost."""


Mangle = Callable[[bytes], bytes]
"""Modbus TCP frame out of the server -> what goes on the cable instead; empty: nothing."""


@dataclass(slots=True)
class BusFaults:
    """``turnaround_us`` holds unless ``draw_us`` draws one for each request. ``refuse``: no
    new connection is served. ``mangle`` acts on the next ``mangled`` answers of a Modbus server."""

    turnaround_us: int = TURNAROUND_US
    draw_us: Callable[[], int] | None = None
    silence: Silence = Silence.NONE
    refuse: bool = False
    mangle: Mangle | None = None
    mangled: int = field(default=0)

    def next_turnaround_us(self) -> int:
        return self.turnaround_us if self.draw_us is None else self.draw_us()


def wrong_id(frame: bytes) -> bytes:
    """The transaction id of another request (a late answer)."""
    other = (int.from_bytes(frame[:2], "big") - 2) % 0xFFFF + 1
    return other.to_bytes(2, "big") + frame[2:]


def zero_id(frame: bytes) -> bytes:
    """Some gateways answer with transaction id 0."""
    return b"\0\0" + frame[2:]


def wrong_unit(frame: bytes) -> bytes:
    return frame[:6] + bytes([frame[6] % 247 + 1]) + frame[7:]


def wrong_function(frame: bytes) -> bytes:
    """FC4 for FC3 and the like: another function of the same form."""
    return frame[:7] + bytes([frame[7] ^ 7]) + frame[8:]


def truncated(frame: bytes) -> bytes:
    """The last byte never comes."""
    return frame[:-1]


def too_few(frame: bytes) -> bytes:
    """A read's answer with one register less, consistent in itself."""
    length = int.from_bytes(frame[4:6], "big") - 2
    return frame[:4] + length.to_bytes(2, "big") + frame[6:8] + bytes([frame[8] - 2]) + frame[9:-2]


def wrong_echo(frame: bytes) -> bytes:
    """A write's answer that names another address."""
    address = int.from_bytes(frame[8:10], "big") ^ 1
    return frame[:8] + address.to_bytes(2, "big") + frame[10:]


def lost(_frame: bytes) -> bytes:
    return b""
