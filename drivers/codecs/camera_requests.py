"""What the line says to a camera process: lines of JSON over the stream on which that answers.

``{"v":1,"kind":"keep","track":…,"epoch":…,"number":…,"from_us":…,"to_us":…}``: nothing was read of this
parcel, whose label could be seen in that time (CLOCK_MONOTONIC of the machine that both are on); keep a
picture of it.
``{"v":1,"kind":"passing","tracks":[…]}``: the parcels that are before a triggered camera now, or on their
way to it; null: nobody knows. Whenever they change.
"""

import json
from dataclasses import dataclass

from drivers.codecs.json_lines import WholeLines
from edge.model.ids import BootEpoch, PlcNumber, TrackId
from edge.model.units import MonoUs

VERSION = 1
MAX_LINE_BYTES = 2_048
"""Five numbers, or as many tracks as may be on their way."""
MAX_PASSING = 64
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsPassing:
    """``tracks`` None: look at whatever comes."""

    tracks: tuple[TrackId, ...] | None


CameraRequest = KeepPicture | ParcelsPassing


def encode_request(request: CameraRequest) -> bytes:
    """One line with its end."""
    body: dict[str, object] = {"v": VERSION}
    if isinstance(request, ParcelsPassing):
        body |= {"kind": "passing", "tracks": request.tracks}
    else:
        body |= {"kind": "keep", **{name: getattr(request, name) for name in NUMBERS}}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


class CameraRequests:
    """``WholeLines`` of requests."""

    def __init__(self) -> None:
        self._lines: WholeLines[CameraRequest] = WholeLines(_parsed, MAX_LINE_BYTES)

    @property
    def rejected(self) -> int:
        """Lines dropped, for the log."""
        return self._lines.rejected

    def feed(self, data: bytes) -> tuple[CameraRequest, ...]:
        """The requests that ``data`` completes."""
        return self._lines.feed(data)


def _parsed(line: bytes) -> CameraRequest | None:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("v") != VERSION:
        return None
    if body.get("kind") == "passing" and set(body) == {"v", "kind", "tracks"}:
        return _passing(body["tracks"])
    return _keep(body) if body.get("kind") == "keep" and set(body) == KEYS else None


def _passing(tracks: object) -> ParcelsPassing | None:
    if tracks is None:
        return ParcelsPassing(tracks=None)
    if not isinstance(tracks, list) or len(tracks) > MAX_PASSING:
        return None
    if not all(type(one) is int and 0 < one < MAX_NUMBER for one in tracks):
        return None
    return ParcelsPassing(tracks=tuple(TrackId(one) for one in tracks))


def _keep(body: dict[str, object]) -> KeepPicture | None:
    numbers = [one for one in (body[name] for name in NUMBERS) if type(one) is int and 0 <= one < MAX_NUMBER]
    if len(numbers) != len(NUMBERS):
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
