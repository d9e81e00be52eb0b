"""docs/api.md names every route and every problem, and nothing that is not there."""

import re
from pathlib import Path

from api.http.auth import OPEN_PATHS, REQUIRED, Role
from api.http.bodies import checked, parse_json
from api.http.problems import KINDS
from api.http.schemas import OrderIn

DOCS = Path(__file__).parents[2] / "docs"


def test_every_problem_with_its_status() -> None:
    table = (DOCS / "api.md").read_text(encoding="utf-8").partition("## Errors")[2]
    told: dict[str, int] = {}
    for row in re.findall(r"^\| ([\d, ]+) \| (.*) \|$", table, re.MULTILINE):
        statuses = [int(status) for status in row[0].split(",")]
        groups = row[1].split(" · ")
        for status, group in zip(statuses, groups if len(statuses) > 1 else [row[1]], strict=True):
            told |= dict.fromkeys(re.findall(r"`([a-z_]+)`", group), status)
    assert told == {slug.value: kind.status for slug, kind in KINDS.items()}


def test_every_route_in_both_languages() -> None:
    for name in ("api.md", "api.zh-CN.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        for path in {path for _, path in REQUIRED} | OPEN_PATHS:
            stem = path.rpartition("/")[2] if path.endswith(("/release", "/activate")) else path
            assert stem in text, (name, path)
        for role in Role:
            assert f"`{role.value}`" in text


def test_the_examples_are_good_orders() -> None:
    for name in ("api.md", "api.zh-CN.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        (example,) = re.findall(r"send PUT /v1/orders/SO-1 '(.*?)'", text, re.DOTALL)
        assert checked(OrderIn, parse_json(example.encode())).order_no == "SO-1"
