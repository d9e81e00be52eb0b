"""The dashboards, rules and metrics as Prometheus sees them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from api.http.auth import OPEN_PATHS, REQUIRED
from api.http.metrics import BUCKETS_S, METHODS
from edge.model.alarm import AlarmKind
from edge.model.codes import ReadQuality
from edge.model.divert import CommandStatus
from edge.model.line import LineState
from edge.model.order import CancelOutcome
from edge.model.topology import Topology
from edge.model.verdict import Reason
from edge.model.weight import WeightQuality
from edge.runtime.metrics import TOLD_BUCKETS_S
from grafana.boards import SPARE

GRAFANA = Path(__file__).resolve().parents[1] / "grafana"
RULES = GRAFANA / "prometheus" / "rules.yml"
RULE_TESTS = GRAFANA / "prometheus" / "rules.test.yml"
NAME = re.compile(r"\bbeltkeeper_\w+")
VARIABLES = {"$__rate_interval": "1m", "$line": ".+"}
"""What Grafana puts in place of its variables, for lines that are not chosen."""


@dataclass(frozen=True)
class Asked:
    """One query of one panel, as Grafana would send it."""

    board: str
    panel: str
    expr: str


def queries() -> Iterator[Asked]:
    """Of the JSON that is committed."""
    for path in sorted((GRAFANA / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                expr = target["expr"]
                for name, value in VARIABLES.items():
                    expr = expr.replace(name, value)
                yield Asked(path.stem, panel["title"], expr)


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    annotations: dict[str, str]


def alerts() -> list[Alert]:
    loaded = YAML(typ="safe").load(RULES.read_text())
    return [
        Alert(rule["alert"], rule["expr"], rule["annotations"])
        for group in loaded["groups"]
        for rule in group["rules"]
    ]


def shown_nowhere(names: set[str]) -> set[str]:
    """Those of the exported series' names that are on no panel, and not listed as spare."""
    shown = {name for asked in queries() for name in NAME.findall(asked.expr)}
    return {name for name in names - shown if not any(re.fullmatch(pattern, name) for pattern in SPARE)}


def closed_labels(line: Topology, targets: Iterable[str] = ("mqtt",)) -> dict[str, set[str]]:
    """Every label that exists, with all values it can ever have on this line. A target is the broker or a
    webhook that the line's file names."""
    scale = set() if line.scale is None else {str(line.scale.device)}
    return {
        "chute": {"", *(str(one.id) for one in line.chutes)},
        "device": {
            *(str(one.device) for one in line.readers),
            *(str(one.device) for one in line.benches),
            str(line.plc.device),
            *scale,
        },
        "kind": {one.value for one in AlarmKind},
        "le": {"+Inf", *(str(float(one)) for one in (*BUCKETS_S, *TOLD_BUCKETS_S))},
        "method": {*METHODS, "other"},
        "outcome": {one.value for one in CancelOutcome},
        "quality": {one.value for one in ReadQuality} | {one.value for one in WeightQuality},
        "reader": {str(one.id) for one in line.readers},
        "reason": {one.value for one in Reason},
        "route": {*(template for _, template in REQUIRED), *OPEN_PATHS, "other"},
        "state": {one.value for one in LineState},
        "target": set(targets),
        "status": {one.name.lower() for one in CommandStatus} | {"none", *(f"{n}xx" for n in range(1, 6))},
    }


def open_values(series: Iterable[Mapping[str, str]], closed: Mapping[str, set[str]]) -> list[str]:
    """Labels of scraped series that are in no closed set, or have a value that is not in theirs."""
    return [
        f"{one['__name__']} {label}={value}"
        for one in series
        for label, value in one.items()
        if label != "__name__" and value not in closed.get(label, ())
    ]
