"""Bounded field types of every configuration file: nothing here is unbounded."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_BELT_MM = 200_000
"""200 m of belt; longer lines are several lines."""


class Strict(BaseModel):
    """Unknown keys are errors, nothing is coerced, nothing changes after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"
_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$|^::1?$"
_DEVICE_PATH = r"^/[A-Za-z0-9_.:/+@,-]{1,200}$"
_URL = r"^https?://[A-Za-z0-9.:\[\]-]{1,255}(/[A-Za-z0-9._~/?&=%+-]{0,1000})?$"
_FOLDER = r"^/[^\x00-\x1f]{1,200}$"
_STREAM = r"^(rtsp|rtsps|http|https)://[!-~]{1,250}$"
_REGION = r"^[0-9]{2}([0-9]{2}([0-9]{2})?)?$"
FORMS = {
    _ID: "letters, digits, - and _, at most 32 of them",
    _HOST: "a host name or an IP address",
    _DEVICE_PATH: "a path from /, best /dev/serial/by-id/…",
    _FOLDER: "a path from /",
    _URL: "an address that begins with https:// or http://, without a password in it",
    _STREAM: "an address that begins with rtsp:// or http://",
    _REGION: 'a code of 2, 4 or 6 digits in quotes, such as "4403"',
}
"""What each pattern wants, for error messages."""

Id = Annotated[str, Field(pattern=_ID)]
"""A name: letters, digits, ``-`` and ``_``, at most 32; usable in topics, paths and labels."""
Text = Annotated[str, Field(min_length=1, max_length=200)]
Host = Annotated[str, Field(pattern=_HOST)]
Port = Annotated[int, Field(ge=1, le=65_535)]
PositionMm = Annotated[int, Field(ge=0, le=MAX_BELT_MM)]
LengthMm = Annotated[int, Field(ge=1, le=10_000)]
Ms = Annotated[int, Field(ge=0, le=60_000)]
WeightG = Annotated[int, Field(ge=0, le=200_000)]
DevicePath = Annotated[str, Field(pattern=_DEVICE_PATH)]
Folder = Annotated[str, Field(pattern=_FOLDER)]
FilePath = Annotated[str, Field(pattern=_FOLDER)]
Url = Annotated[str, Field(pattern=_URL)]
StreamUrl = Annotated[str, Field(pattern=_STREAM)]
RegionCode = Annotated[str, Field(pattern=_REGION)]
