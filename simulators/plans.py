"""The sort plan of a simulated line: the packaged one of its name, else provinces dealt to its chutes."""

from functools import lru_cache

from edge.model.ids import ChuteId, PlanId
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.topology import ChuteKind, Topology
from line_config.packaged import packaged_names
from line_config.plan import load_plan
from line_config.regions import districts

_BLIND_SPOT = BlindSpot(carrier="zto", province="54", city="5425")
"""Ngari, far in the west."""


@lru_cache(maxsize=8)
def plan_of(topology: Topology) -> SortPlan:
    """Every province has a chute and a second candidate. Read once for each line: sweeps run thousands."""
    if topology.line_id in packaged_names("plans"):
        return load_plan(topology.line_id, topology)
    chutes = [chute.id for chute in topology.chutes if chute.kind is ChuteKind.SHIPPING]
    provinces = sorted({one.region.province for one in districts()})
    rules = tuple(
        SortRule(id=f"province-{province}", province=province, chutes=_candidates(chutes, place))
        for place, province in enumerate(provinces)
    )
    return SortPlan(
        id=PlanId(f"dealt-{topology.line_id}"), version=1, rules=rules, blind_spots=(_BLIND_SPOT,)
    )


def _candidates(chutes: list[ChuteId], place: int) -> tuple[ChuteId, ...]:
    first = place % len(chutes)
    second = (place + 1) % len(chutes)
    return (chutes[first],) if first == second else (chutes[first], chutes[second])
