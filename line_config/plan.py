"""Sort plans: ``plans/*.yaml`` → ``edge.model.route.SortPlan``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge.model.ids import ChuteId, PlanId
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.topology import ChuteKind, Topology
from line_config.carriers import CarriersFile
from line_config.fields import Id, RegionCode, Strict
from line_config.load import find_file, read_packaged, without_echoes
from line_config.problems import LineConfigError, Problem, nearest
from line_config.regions import exists, region_of
from line_config.validate import problem_at, validate
from line_config.yaml_tree import Tree, read_yaml

Regions = Annotated[tuple[RegionCode, ...], Field(min_length=1, max_length=512)]


class PlanRule(Strict):
    """One rule, or one for each of its regions (named ``id-code``). Left out: matches everything."""

    id: Id
    carrier: Id | None = None
    routing_code: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    """Beginning of the parcel's routing code."""
    regions: Regions | None = None
    """Codes of provinces (2 digits), cities (4) or districts (6)."""
    chutes: Annotated[tuple[Id, ...], Field(min_length=1, max_length=16)]
    """Candidates, best first."""


class PlanBlindSpot(Strict):
    """Regions that a carrier does not serve."""

    carrier: Id
    regions: Regions


class PlanFile(Strict):
    id: Id
    version: Annotated[int, Field(ge=1, le=2**31)]
    rules: Annotated[tuple[PlanRule, ...], Field(min_length=1, max_length=4_096)]
    blind_spots: Annotated[tuple[PlanBlindSpot, ...], Field(max_length=4_096)] = ()


def load_plan(path_or_name: str | Path, line: Topology | None = None) -> SortPlan:
    """The plan of a file, or of the name of a packaged one (``demo``). With ``line``, its chutes must
    be shipping chutes there. Raises ``LineConfigError`` with every problem found."""
    path, source = find_file(path_or_name, "plans")
    tree, problems = read_yaml(path, source)
    if tree is None:
        raise LineConfigError(problems)
    plan, more = validate(PlanFile, tree)
    problems += without_echoes(more, problems)
    carriers, more = read_packaged(CarriersFile, "carriers.yaml")
    problems += more
    if plan is None or carriers is None:
        raise LineConfigError(problems)
    problems += _check(plan, tree, [one.id for one in carriers.carriers])
    if line is not None:
        problems += _check_chutes(plan, tree, line)
    if problems:
        raise LineConfigError(problems)
    return SortPlan(
        id=PlanId(plan.id),
        version=plan.version,
        rules=tuple(rule for one in plan.rules for rule in _rules(one)),
        blind_spots=tuple(spot for one in plan.blind_spots for spot in _blind_spots(one)),
    )


def _rules(one: PlanRule) -> Iterator[SortRule]:
    chutes = tuple(ChuteId(chute) for chute in one.chutes)
    carrier, routing_code = one.carrier or "", one.routing_code or ""
    if one.regions is None:
        yield SortRule(id=one.id, carrier=carrier, routing_code=routing_code, chutes=chutes)
        return
    for code in one.regions:
        region = region_of(code)
        yield SortRule(
            id=one.id if len(one.regions) == 1 else f"{one.id}-{code}",
            carrier=carrier,
            routing_code=routing_code,
            province=region.province,
            city=region.city,
            district=region.district,
            chutes=chutes,
        )


def _blind_spots(one: PlanBlindSpot) -> Iterator[BlindSpot]:
    for code in one.regions:
        region = region_of(code)
        yield BlindSpot(
            carrier=one.carrier, province=region.province, city=region.city, district=region.district
        )


def _check(plan: PlanFile, tree: Tree, carriers: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    keys: dict[tuple[str, str, str], str] = {}
    for index, rule in enumerate(plan.rules):
        if rule.id in seen:
            yield problem_at(tree, ("rules", index, "id"), "is already the id of another rule")
        seen.add(rule.id)
        for order, code in enumerate(rule.regions or ("",)):
            key = (rule.carrier or "", rule.routing_code or "", code)
            if key in keys:
                steps = ("rules", index, "regions", order) if code else ("rules", index)
                yield problem_at(tree, steps, f"matches the same parcels as rule {keys[key]}", "remove one")
            keys.setdefault(key, rule.id)
    for group, items in (("rules", plan.rules), ("blind_spots", plan.blind_spots)):
        for index, item in enumerate(items):
            assert isinstance(item, PlanRule | PlanBlindSpot)
            if item.carrier is not None and item.carrier not in carriers:
                hint = nearest(item.carrier, carriers, noun="carriers")
                yield problem_at(tree, (group, index, "carrier"), "no such carrier", hint)
            for order, code in enumerate(item.regions or ()):
                if not exists(code):
                    hint = "codes are in regions.csv"
                    yield problem_at(tree, (group, index, "regions", order), "no such region", hint)


def _check_chutes(plan: PlanFile, tree: Tree, line: Topology) -> Iterator[Problem]:
    shipping = [str(chute.id) for chute in line.chutes if chute.kind is ChuteKind.SHIPPING]
    for index, rule in enumerate(plan.rules):
        for order, chute in enumerate(rule.chutes):
            steps = ("rules", index, "chutes", order)
            if chute not in shipping:
                hint = nearest(chute, shipping, noun="shipping chutes")
                yield problem_at(tree, steps, f"is no shipping chute of line {line.line_id}", hint)
            elif chute in rule.chutes[:order]:
                yield problem_at(tree, steps, "is given twice", "remove one")
