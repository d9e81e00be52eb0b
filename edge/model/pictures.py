"""The no-read archive: a picture of each parcel that no reader could read, and what is known of it."""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.codes import Symbology
from edge.model.ids import BootEpoch, PlcNumber, ReaderId, TrackId
from edge.model.units import UtcUs


class NoReadCause(StrEnum):
    """Why nothing counted, as far as one picture tells; texts in ``line_config/reading.yaml``."""

    NOTHING_SEEN = "nothing_seen"
    """Nothing in it looks like a code: the label is missing, or on another side."""
    NOT_A_WAYBILL = "not_a_waybill"
    """What was read is no waybill."""
    IN_DOUBT = "in_doubt"
    """Something was decoded and does not count."""
    CUT_OFF = "cut_off"
    """The code reaches over the picture's edge."""
    LOW_CONTRAST = "low_contrast"
    """Too little between bars and paper: print, light, film."""
    BLURRED = "blurred"
    """The bars run into each other: focus, exposure, speed."""
    TOO_SMALL = "too_small"
    """Its narrowest bar has too few pixels."""
    UNREADABLE = "unreadable"
    """Sharp, large and black enough: torn, wrinkled, covered, badly printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeInPicture:
    """What the engines said of one code. ``why`` empty: it does not count. ``hex``: of bytes that are no
    text."""

    text: str
    hex: str
    symbology: Symbology
    engines: tuple[str, ...]
    rung: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNote:
    """Beside a picture: where and when it was taken, of which parcel (``epoch`` and ``number`` are the PLC's
    name of it), and what can be said of it.

    ``engines``: all that the camera has; one that no code names saw nothing, or the frame's budget was spent
    before its turn. ``stripes``: places that look like bar
    codes. Of the largest that nothing was read in, else of the whole picture: ``contrast_percent`` of black
    to white, ``sharpness_percent`` (100: an edge within one pixel), ``module_tenths`` of a pixel that its
    narrowest bar has (0: none to measure).
    """

    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    reader: ReaderId
    taken_utc_us: UtcUs
    width_px: int
    height_px: int
    picture_bytes: int
    cause: NoReadCause
    engines: tuple[str, ...]
    codes: tuple[CodeInPicture, ...]
    spent_us: int
    stripes: int
    contrast_percent: int
    sharpness_percent: int
    module_tenths: int
