"""The five dashboards, and the metrics that are on none of them."""

from typing import Final

from grafana.machines import DEVICES, SYSTEM
from grafana.parcels import LINE, READING, WEIGHING

BOARDS: Final = (LINE, READING, WEIGHING, DEVICES, SYSTEM)

SPARE: Final = {
    r"beltkeeper_\w+_seconds_(sum|count)": "mean of a histogram whose quantiles are shown",
}
"""Exported, but on no panel: full name as a pattern → why."""
