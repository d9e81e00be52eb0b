"""Sort plans: destination → candidate chutes, by the most specific rule."""

from dataclasses import dataclass

from edge.model.ids import ChuteId, PlanId


@dataclass(frozen=True, slots=True, kw_only=True)
class SortRule:
    """One rule. An empty field matches everything; every non-empty field must match.

    ``routing_code`` is a prefix of the parcel's routing code; region fields are whole codes.
    Among the rules that match, the longest ``routing_code`` wins, then district, city, province,
    carrier, and at last the order in the plan. ``chutes`` are candidates, best first.
    """

    id: str
    carrier: str = ""
    routing_code: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    chutes: tuple[ChuteId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """A region outside a carrier's network; empty fields match everything below the one given."""

    carrier: str
    province: str
    city: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortPlan:
    id: PlanId
    version: int
    rules: tuple[SortRule, ...]
    blind_spots: tuple[BlindSpot, ...]
