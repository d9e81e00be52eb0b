"""Destination → candidate chutes: the most specific rule of the sort plan, and blind spots.

A plan is indexed once by the *shapes* of its rules: which fields they name and how long their routing
prefix is. Shapes are tried in the order of ``SortRule``'s precedence (longest routing code, district,
city, province, carrier); within a shape the first rule of the plan wins. So a decision costs one
dictionary look-up per shape, whatever the number of rules.
"""

from dataclasses import dataclass

from edge.model.order import BeltOrder
from edge.model.quick import quick
from edge.model.route import SortPlan, SortRule

_Shape = tuple[int, bool, bool, bool, bool]
_Key = tuple[_Shape, str, str, str, str, str]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``rule`` None: no rule matches. ``blind_spot``: the carrier does not serve the region."""

    rule: SortRule | None
    blind_spot: bool = False


def _shape(rule: SortRule) -> _Shape:
    return (
        len(rule.routing_code),
        rule.district != "",
        rule.city != "",
        rule.province != "",
        rule.carrier != "",
    )


class Routes:
    """An index of one plan (None: no plan yet, nothing matches)."""

    def __init__(self, plan: SortPlan | None) -> None:
        self._rules: dict[_Key, SortRule] = {}
        for rule in plan.rules if plan else ():
            key = (_shape(rule), rule.routing_code, rule.district, rule.city, rule.province, rule.carrier)
            self._rules.setdefault(key, rule)
        self._shapes = sorted({key[0] for key in self._rules}, reverse=True)
        self._blind = {
            (spot.carrier, spot.province, spot.city, spot.district)
            for spot in (plan.blind_spots if plan else ())
        }

    def _is_blind(self, order: BeltOrder) -> bool:
        region = order.region
        places = (
            (region.province, region.city, region.district),
            (region.province, region.city, ""),
            (region.province, "", ""),
        )
        return any((order.carrier, *place) in self._blind for place in places)

    def find(self, order: BeltOrder) -> Route:
        """The way of an order; a blind spot goes before every rule."""
        if self._blind and self._is_blind(order):
            return Route(rule=None, blind_spot=True)
        region = order.region
        for shape in self._shapes:
            length, district, city, province, carrier = shape
            rule = self._rules.get(
                (
                    shape,
                    order.routing_code[:length],
                    region.district if district else "",
                    region.city if city else "",
                    region.province if province else "",
                    order.carrier if carrier else "",
                )
            )
            if rule is not None:
                return Route(rule=rule)
        return Route(rule=None)
