"""What is answered about parcels that no reader could read: who waits for a person, and their pictures."""

from api.http.answers import Answer


class SeenAnswer(Answer):
    """``standing``: what became of it (texts: ``reading.yaml``)."""

    text: str
    symbology: str
    standing: str


class ToCodeAnswer(Answer):
    """A parcel that no reader could read. ``picture``: the track under which the no-read archive has its
    pictures (``/v1/tracks/{track}/pictures``), if it has any. ``on_belt``: it has no end yet."""

    track: int
    since: str | None
    length_mm: int
    picture: int
    on_belt: bool
    chute: str | None
    exit_reason: str | None
    codes: list[SeenAnswer]


class CodeInPictureAnswer(Answer):
    """``why`` empty: it does not count. ``hex``: of bytes that are no text."""

    text: str
    hex: str
    symbology: str
    engines: list[str]
    rung: str
    why: str


class PictureAnswer(Answer):
    """``cause``: why nothing was read, as far as it tells (texts: ``reading.yaml``). ``engines``: all that
    the camera has; the frame's budget may be spent before one's turn. ``module_tenths``: of a pixel that the
    narrowest bar has, 0: no bars."""

    reader: str
    at: str
    width_px: int
    height_px: int
    cause: str
    engines: list[str]
    codes: list[CodeInPictureAnswer]
    spent_us: int
    stripes: int
    contrast_percent: int
    sharpness_percent: int
    module_tenths: int


class PicturesAnswer(Answer):
    pictures: list[PictureAnswer]


class NoReadCountAnswer(Answer):
    """``carrier`` and ``customer_code`` empty: nobody knows the parcels yet."""

    reader: str
    carrier: str
    customer_code: str
    cause: str
    pictures: int


class NoReadsAnswer(Answer):
    pictures: int
    counts: list[NoReadCountAnswer]


class ReadyCodeAnswer(Answer):
    """A code that was keyed too late for its parcel: ready when that comes round."""

    track: int
    code: str
    length_mm: int
    picture: int
    by: str
    at: str | None


class CodingAnswer(Answer):
    """Latest first."""

    waiting: list[ToCodeAnswer]
    ready: list[ReadyCodeAnswer]
