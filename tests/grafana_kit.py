"""The dashboards, rules and metrics as Prometheus sees them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

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
