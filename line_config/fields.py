"""Bounded field types of every configuration file: nothing here is unbounded."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_BELT_MM = 200_000
"""200 m of belt; longer lines are several lines."""


class Strict(BaseModel):
    """Unknown keys are errors, nothing is coerced, nothing changes after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, ser_json_inf_nan="constants")


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
"""A name: letters, digits, ``-`` and ``_``, at most 32; usable in topics, paths and labels."""
Text = Annotated[str, Field(min_length=1, max_length=200)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$|^::1?$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
PositionMm = Annotated[int, Field(ge=0, le=MAX_BELT_MM)]
LengthMm = Annotated[int, Field(ge=1, le=10_000)]
Ms = Annotated[int, Field(ge=0, le=60_000)]
WeightG = Annotated[int, Field(ge=0, le=200_000)]
DevicePath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9_.:/+@,-]{1,200}$")]
RegionCode = Annotated[str, Field(pattern=r"^[0-9]{2}([0-9]{2}([0-9]{2})?)?$")]
