"""Grafana's JSON of a board, with the Grafana Foundation SDK for Grafana 11.6."""

import json
from itertools import count
from typing import Any, assert_never

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d

from grafana.panels import Board, Look, Panel

SOURCE = d.DataSourceRef(type_val="prometheus", uid="${source}")
"""The data source chosen at the top of the dashboard."""
ROW_HEIGHT = {Look.FIGURE: 5, Look.CURVES: 8, Look.STACK: 8, Look.STATES: 8}
GREY, AMBER = "text", "orange"
"""Grey unless something is not normal (ISA-101)."""
AnyPanel = stat.Panel | timeseries.Panel | statetimeline.Panel


def board_json(board: Board) -> str:
    """As committed: indented, keys in order, a final newline."""
    made = (
        dashboard.Dashboard(f"Beltkeeper · {board.en} · {board.zh}")
        .uid(f"beltkeeper-{board.name}")
        .tags(["beltkeeper"])
        .time("now-1h", "now")
        .timezone("browser")
        .refresh("10s")
        .readonly()
        .tooltip(d.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("line")
            .label("Line · 产线")
            .datasource(SOURCE)
            .query("label_values(beltkeeper_line_state, line)")
            .refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(d.VariableSort.ALPHABETICAL_ASC)
            .multi(True)
            .include_all(True)
            .all_value(".+")
        )
        .link(
            dashboard.DashboardLink("Beltkeeper")
            .type(d.DashboardLinkType.DASHBOARDS)
            .tags(["beltkeeper"])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
    )
    numbers = count(1)
    for panel in board.panels:
        made = made.with_panel(_panel(panel, next(numbers)))
    built: Any = json.loads(JSONEncoder(sort_keys=True).encode(made.build()))
    return json.dumps(built, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _panel(panel: Panel, number: int) -> AnyPanel:
    made = _looking(panel)
    made.id(number).title(f"{panel.en} · {panel.zh}").datasource(SOURCE)
    made.span(panel.width).height(ROW_HEIGHT[panel.look]).unit(panel.unit)
    for query, ref in zip(panel.queries, "ABCDEFGH", strict=False):
        made.with_target(
            prometheus.Dataquery()
            .ref_id(ref)
            .expr(query.promql)
            .legend_format(query.legend or "__auto")
            .datasource(SOURCE)
            .range()
        )
    return made


def _looking(panel: Panel) -> AnyPanel:
    match panel.look:
        case Look.FIGURE:
            return (
                stat.Panel()
                .graph_mode(c.BigValueGraphMode.AREA)
                .color_mode(c.BigValueColorMode.VALUE)
                .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
                .thresholds(_thresholds(panel))
                .no_value("–")
            )
        case Look.CURVES:
            return _curves(panel)
        case Look.STACK:
            return (
                _curves(panel).stacking(common.StackingConfig().mode(c.StackingMode.NORMAL)).fill_opacity(30)
            )
        case Look.STATES:
            return (
                statetimeline.Panel()
                .mappings([_words(panel)])
                .thresholds(_thresholds(panel))
                .merge_values(True)
                .show_value(c.VisibilityMode.AUTO)
                .legend(common.VizLegendOptions().show_legend(False).placement(c.LegendPlacement.BOTTOM))
            )
        case _:
            assert_never(panel.look)


def _curves(panel: Panel) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .line_width(1)
        .show_points(c.VisibilityMode.NEVER)
        .axis_soft_min(0)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(c.LegendDisplayMode.LIST)
            .placement(c.LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING))
    )
    if panel.bad_from is not None:
        made = made.thresholds(_thresholds(panel)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(c.GraphThresholdsStyleMode.DASHED)
        )
    return made


def _words(panel: Panel) -> d.ValueMap:
    return d.ValueMap(
        options={
            "0": d.ValueMappingResult(
                text=panel.off, color="dark-red" if panel.off == "down" else GREY, index=0
            ),
            "1": d.ValueMappingResult(text=panel.on, color=AMBER if panel.on == "stands" else GREY, index=1),
        }
    )


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    if panel.bad_from is not None:
        steps = [d.Threshold(color=GREY), d.Threshold(panel.bad_from, AMBER)]
    elif panel.bad_below is not None:
        steps = [d.Threshold(color=AMBER), d.Threshold(panel.bad_below, GREY)]
    else:
        steps = [d.Threshold(color=GREY)]
    return dashboard.ThresholdsConfig().mode(d.ThresholdsMode.ABSOLUTE).steps(steps)
