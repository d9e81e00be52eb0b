"""What the line says to a camera process: lines of JSON over the stream on which that answers.

``{"v":1,"kind":"keep","track":…,"epoch":…,"number":…,"from_us":…,"to_us":…}``: nothing was read of this
parcel, whose label could be seen in that time (CLOCK_MONOTONIC of the machine that both are on); keep a
picture of it.
"""

import json
from dataclasses import dataclass

from edge.model.ids import BootEpoch, PlcNumber, TrackId
from edge.model.units import MonoUs

VERSION = 1
MAX_LINE_BYTES = 512
"""Five numbers."""
MAX_NUMBER = 1 << 62
NUMBERS = ("track", "epoch", "number", "from_us", "to_us")
KEYS = {"v", "kind", *NUMBERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPicture:
    """``from_us`` is no later than ``to_us``. ``epoch`` and ``number``: the PLC's name of the parcel, for a
    track's number begins anew with a new record."""

    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    from_us: MonoUs
    to_us: MonoUs


def encode_request(keep: KeepPicture) -> bytes:
    """One line with its end."""
    body = {"v": VERSION, "kind": "keep", **{name: getattr(keep, name) for name in NUMBERS}}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


class CameraRequests:
    """Never raises; keeps little more than ``MAX_LINE_BYTES``. A line that is no request is dropped whole."""

    def __init__(self) -> None:
        self._buffer = b""
        self._overlong = False
        self.rejected = 0
        """Lines dropped, for the log."""

    def feed(self, data: bytes) -> tuple[KeepPicture, ...]:
        """The requests that ``data`` completes."""
        *whole, self._buffer = (self._buffer + data).split(b"\n")
        found = [self._request(line) for line in whole]
        if len(self._buffer) > MAX_LINE_BYTES:
            self._overlong, self._buffer = True, b""
        return tuple(one for one in found if one is not None)

    def _request(self, line: bytes) -> KeepPicture | None:
        overlong, self._overlong = self._overlong or len(line) > MAX_LINE_BYTES, False
        keep = None if overlong else _parsed(line)
        if keep is None:
            self.rejected += 1
        return keep


def _parsed(line: bytes) -> KeepPicture | None:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or set(body) != KEYS or body["v"] != VERSION or body["kind"] != "keep":
        return None
    numbers = [body[name] for name in NUMBERS]
    if not all(type(one) is int and 0 <= one < MAX_NUMBER for one in numbers):
        return None
    track, epoch, number, from_us, to_us = numbers
    if track == 0 or from_us > to_us:
        return None
    return KeepPicture(
        track=TrackId(track),
        epoch=BootEpoch(epoch),
        number=PlcNumber(number),
        from_us=MonoUs(from_us),
        to_us=MonoUs(to_us),
    )
