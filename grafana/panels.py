"""What a dashboard is made of, as data. ``grafana.build`` makes Grafana's JSON of it."""

from dataclasses import dataclass
from enum import StrEnum

ON_THE_LINE = 'line=~"$line"'
"""Every query is about the lines that are chosen at the top of the dashboard."""


class Look(StrEnum):
    """How a panel shows its queries."""

    FIGURE = "figure"
    """The last value, large, with its way behind it."""
    CURVES = "curves"
    STACK = "stack"
    """Curves that add up."""
    STATES = "states"
    """Bands in time: one a series, 0 and 1 in words."""


@dataclass(frozen=True, slots=True)
class Query:
    """``expr`` in PromQL, ``LINE`` where the chosen lines go; ``legend`` names a series by its labels."""

    expr: str
    legend: str = ""

    @property
    def promql(self) -> str:
        return self.expr.replace("LINE", ON_THE_LINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """``en`` and ``zh``: its title. ``unit`` in Grafana's names. ``bad_from``: coloured from that value on,
    ``bad_below``: below it; neither: grey, whatever it is. ``off`` and ``on``: 0 and 1 in words (STATES)."""

    en: str
    zh: str
    look: Look
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    bad_from: float | None = None
    bad_below: float | None = None
    off: str = "no"
    on: str = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """``name`` is its file and its place in Grafana (``/d/beltkeeper-NAME``)."""

    name: str
    en: str
    zh: str
    panels: tuple[Panel, ...]


def hourly(counter: str, by: str, where: str = "") -> Query:
    """Per hour, one series for each value of the label ``by``; ``where`` narrows."""
    chosen = f"{{LINE, {where}}}" if where else "{LINE}"
    return Query(f"3600 * sum by ({by}) (rate({counter}{chosen}[$__rate_interval]))", f"{{{{{by}}}}}")


def quantiles(metric: str, by: str = "") -> tuple[Query, ...]:
    """Median and p99 of a histogram; ``by`` one label, or nothing."""
    labels, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    rate = f"sum by ({labels}) (rate({metric}_bucket{{LINE}}[$__rate_interval]))"
    return tuple(
        Query(f"histogram_quantile({quantile}, {rate})", name + legend)
        for quantile, name in (("0.5", "p50"), ("0.99", "p99"))
    )


def share(part: str, whole: str, over: str) -> str:
    """Of what was counted within ``over``: the part, 0…1; nothing where nothing was counted."""
    return f"sum(increase({part}[{over}])) / (sum(increase({whole}[{over}])) > 0)"
