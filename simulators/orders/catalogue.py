"""Goods: weights and barcodes by seed, such that every parcel can be carried."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.model.ids import Sku
from edge.model.order import Goods
from edge.model.units import Grams
from simulators.orders.retail_csv import RetailOrder
from simulators.seeds import SeededBits

LIGHTEST_PARCEL_G = 200
HEAVIEST_PARCEL_G = 25_000
PACKING_ERROR_G = 20
"""What filling and tape make of a parcel's weight, either way."""


@dataclass(frozen=True, slots=True)
class Carton:
    code: str
    tare_g: int
    pieces: int
    """It is taken for up to so many."""


CARTONS = (
    Carton("C1", 220, 3),
    Carton("C2", 270, 12),
    Carton("C3", 350, 60),
    Carton("C4", 480, 10**9),
)
"""The lightest of them, with nothing much in it, is the lightest parcel."""
GOODS_LIMIT_G = HEAVIEST_PARCEL_G - PACKING_ERROR_G - max(carton.tare_g for carton in CARTONS)

UNIT_WEIGHTS_G = ((40, 5, 20), (35, 20, 120), (18, 120, 500), (7, 500, 1_800))
"""(percent, from, to): pieces of a gift shop."""


def carton_for(pieces: int) -> Carton:
    return next(carton for carton in CARTONS if pieces <= carton.pieces)


def drawn_weight_g(bits: SeededBits) -> int:
    """Weight of one piece of some goods."""
    lot = bits.below(100)
    for percent, low, high in UNIT_WEIGHTS_G:
        if lot < percent:
            return bits.between(low, high)
        lot -= percent
    raise AssertionError("the percentages add up to 100")


def ean13(number: int) -> str:
    """The ``number``-th code of a Chinese prefix, 690, with its check digit (GS1 General Specifications,
    section 7.9)."""
    body = f"690{number % 10**9:09d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def weights_for(orders: Sequence[RetailOrder], bits: SeededBits) -> dict[str, int]:
    """A weight for every goods of real orders: drawn, and then made lighter where an order that has many
    of it would be more than a parcel can be. One goods weighs the same in all of its orders."""
    drawn: dict[str, int] = {}
    for order in orders:
        for row in order.rows:
            if row.sku not in drawn:
                drawn[row.sku] = drawn_weight_g(bits.child(row.sku))
    lighter = dict(drawn)
    for order in orders:
        total = sum(drawn[row.sku] * row.pieces for row in order.rows)
        spare = GOODS_LIMIT_G - sum(row.pieces for row in order.rows)
        for row in order.rows if total > GOODS_LIMIT_G else ():
            # 1 g for each piece, and its share of what is left: rounded down, they never exceed it.
            lighter[row.sku] = min(lighter[row.sku], 1 + drawn[row.sku] * spare // total)
    return lighter


def goods_of(weights: Iterable[tuple[str, int]]) -> tuple[Goods, ...]:
    """As they are pushed; the n-th has the n-th barcode."""
    return tuple(
        Goods(sku=Sku(sku), barcodes=(ean13(number),), unit_weight_g=Grams(weight))
        for number, (sku, weight) in enumerate(weights, 1)
    )
