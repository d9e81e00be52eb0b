"""Real provinces, cities and districts (``regions.csv``; its source is in ``regions.README.md``)."""

import csv
from dataclasses import dataclass
from functools import lru_cache

from edge.model.order import Region
from edge.model.quick import quick
from line_config.packaged import packaged

BEYOND_THE_TABLE = frozenset({"71", "81", "82"})
"""Provinces of GB/T 2260 whose districts are not in the table: Taiwan, Hong Kong, Macao."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One row: a 6-digit code of the GB/T 2260 scheme, and its three names."""

    code: str
    province_name: str
    city_name: str
    district_name: str

    @property
    def region(self) -> Region:
        return region_of(self.code)


def region_of(code: str) -> Region:
    """2, 4 or 6 digits → codes of province, city and district; the finer ones empty where not given."""
    return Region(
        province=code[:2], city=code[:4] if len(code) > 2 else "", district=code if len(code) > 4 else ""
    )


@lru_cache(maxsize=1)
def districts() -> tuple[District, ...]:
    """All districts, ordered by code as in the source."""
    with packaged("regions.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            District(
                code=row["code"],
                province_name=row["province"],
                city_name=row["city"],
                district_name=row["district"],
            )
            for row in csv.DictReader(file)
        )


@lru_cache(maxsize=1)
def region_names() -> dict[str, str]:
    """Name by code, of all three levels."""
    names: dict[str, str] = {}
    for one in districts():
        names.setdefault(one.code[:2], one.province_name)
        names.setdefault(one.code[:4], one.city_name)
        names[one.code] = one.district_name
    return names


@lru_cache(maxsize=1)
def provinces() -> frozenset[str]:
    """Every province's 2 digits."""
    return frozenset(one.code[:2] for one in districts()) | BEYOND_THE_TABLE


def exists(code: str) -> bool:
    """Whether a region of 2, 4 or 6 digits is known; below a province beyond the table all are."""
    return code in region_names() or code[:2] in BEYOND_THE_TABLE
