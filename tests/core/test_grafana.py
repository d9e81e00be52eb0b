"""Dashboards and alerts: made by code, valid, about metrics that exist, each alert tested and explained."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import promql_parser
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from api.http.metrics import GatewayMetrics
from edge.core.state import CoreState
from edge.model.ids import DeviceId, ReaderId
from edge.runtime.metrics import LineMetrics
from grafana.boards import BOARDS, SPARE
from grafana.build import board_json
from grafana.panels import Board
from tests.core.core_line import DEMO
from tests.grafana_kit import (
    GRAFANA,
    RULE_TESTS,
    RULES,
    Alert,
    Asked,
    alerts,
    closed_labels,
    open_values,
    queries,
    shown_nowhere,
)

DOCS = GRAFANA.parent / "docs"
ALERTS = alerts()
QUERIES = list(queries())
CLOSED = closed_labels(DEMO)


def named(subject: Board | Alert | Asked) -> str:
    match subject:
        case Asked():
            return f"{subject.board}: {subject.panel}"
        case _:
            return subject.name


@dataclass
class _Target:
    name: str = "mqtt"
    up: bool = True
    sent: int = 3
    failed: int = 1
    dead: int = 2
    seen: int = 7


def registries() -> Iterator[CollectorRegistry]:
    line = LineMetrics(DEMO)
    line.watch(CoreState(), lambda: {DeviceId("top"): True}, lambda: {DeviceId("top"): 1})
    line.watch_cameras(lambda: {ReaderId("top"): (3, 1)})
    yield line.registry
    gateway = GatewayMetrics()
    gateway.watch_relay(lambda: [_Target()])
    yield gateway.registry


def exported() -> set[str]:
    """Names of series, as scraped; of what has labels and was not yet counted, as it will be."""
    names = set()
    for registry in registries():
        for family in text_string_to_metric_families(generate_latest(registry).decode()):
            names |= {sample.name for sample in family.samples}
            if not family.samples:
                total = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
                names |= {family.name + end for end in total.get(family.type, [""])}
    return names


# -- dashboards


@pytest.mark.parametrize("board", BOARDS, ids=named)
def test_the_committed_json_is_what_the_code_makes(board: Board) -> None:
    committed = (GRAFANA / "dashboards" / f"{board.name}.json").read_text(encoding="utf-8")
    assert committed == board_json(board), "run: python -m grafana"


def test_there_is_no_dashboard_but_these() -> None:
    assert {board.name for board in BOARDS} == {"line", "reading", "weighing", "devices", "system"}
    assert {path.stem for path in (GRAFANA / "dashboards").iterdir()} == {board.name for board in BOARDS}


@pytest.mark.parametrize("board", BOARDS, ids=named)
def test_panels_fill_their_rows_and_are_named_in_both_languages(board: Board) -> None:
    filled = 0
    for panel in board.panels:
        filled += panel.width
        assert filled <= 24, panel.en
        filled %= 24
        assert re.search(r"[\u4e00-\u9fff]", panel.zh), panel.en
    assert filled == 0


@pytest.mark.parametrize("asked", QUERIES, ids=named)
def test_a_query_is_valid(asked: Asked) -> None:
    assert "$" not in asked.expr
    promql_parser.parse(asked.expr)
    assert asked.expr.count('line=~".+"') >= asked.expr.count("beltkeeper_") or "up{" in asked.expr


def test_a_query_that_is_not_valid_is_seen() -> None:
    with pytest.raises(ValueError, match=r"."):
        promql_parser.parse("sum by (rate(beltkeeper_reads_total[1m])")


def test_every_metric_is_on_a_panel_or_listed_as_spare() -> None:
    names = exported()
    assert {"beltkeeper_reads_total", "beltkeeper_device_up", "beltkeeper_gateway_streams"} <= names
    assert shown_nowhere(names) == set(), "put it on a panel, or say in SPARE of grafana/boards.py why not"
    assert shown_nowhere({"beltkeeper_new_total"}) == {"beltkeeper_new_total"}
    for pattern in SPARE:
        assert any(re.fullmatch(pattern, name) for name in names), f"{pattern} is spare for nothing"


# -- labels


def test_label_sets_are_finite() -> None:
    """Of fresh registries; the wire lane asks a Prometheus that has watched the demo."""
    series = [
        {"__name__": sample.name, **sample.labels}
        for registry in registries()
        for family in registry.collect()
        for sample in family.samples
    ]
    assert len(series) > 100
    assert open_values(series, CLOSED) == []


def test_a_value_from_a_day_is_seen() -> None:
    for label, value in (("chute", "73120000000001"), ("le", "7.3"), ("waybill", "1"), ("target", "erp/1")):
        assert open_values([{"__name__": "beltkeeper_x", label: value}], CLOSED)


def test_every_label_of_every_metric_is_a_closed_set() -> None:
    """Also of those that have no sample yet: their names are declared."""
    found: set[str] = set()
    for registry in registries():
        for collector in list(registry._collector_to_names):
            found |= set(getattr(collector, "_labelnames", ()))
    assert found | {"kind", "state", "device", "reader", "target", "le"} == set(CLOSED), (
        "a new label needs its closed set in tests/grafana_kit.py"
    )


# -- alert rules


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_an_alert_is_valid_and_has_its_line_in_both_runbooks(alert: Alert) -> None:
    promql_parser.parse(alert.expr)
    assert re.search(r"[\u4e00-\u9fff]", alert.annotations["summary_zh"])
    assert alert.annotations["runbook"] == f"docs/runbook.md#{alert.name.lower()}"
    for page in ("runbook.md", "runbook.zh-CN.md"):
        found = re.search(rf"^### {alert.name}\n(.+)$", (DOCS / page).read_text(), re.MULTILINE)
        assert found, page
        assert len(found[1]) > 20


def test_the_runbooks_explain_nothing_that_is_no_alert() -> None:
    for page in ("runbook.md", "runbook.zh-CN.md"):
        assert re.findall(r"^### (\w+)$", (DOCS / page).read_text(), re.MULTILINE) == [
            alert.name for alert in ALERTS
        ]


def test_each_alert_has_a_unit_test_in_which_it_is_quiet_and_one_in_which_it_fires() -> None:
    tests = YAML(typ="safe").load(RULE_TESTS.read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for alert in ALERTS:
        own = [bool(case["exp_alerts"]) for case in cases if case["alertname"] == alert.name]
        assert set(own) == {True, False}, alert.name


def test_alerts_are_about_metrics_that_exist() -> None:
    rooms = "".join(path.read_text() for path in (GRAFANA.parent / "edge").rglob("*.py"))
    names = exported()
    for alert in ALERTS:
        for name in re.findall(r"\bbeltkeeper_\w+", alert.expr):
            assert name in names or f'"{name}"' in rooms, f"{alert.name}: {name}"


@pytest.mark.parametrize(
    "command", [("check", "rules", RULES), ("test", "rules", RULE_TESTS)], ids=["check", "test"]
)
def test_promtool_agrees(command: tuple[str, str, Path]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here (Debian package prometheus)")
    done = subprocess.run([promtool, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
