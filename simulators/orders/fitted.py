"""Orders drawn by seed from a distribution fitted to real ones.

Fitted to the first 10,000 lines of D. Chen, *Online Retail*, UCI Machine Learning Repository
(doi.org/10.24432/C5BW33, CC BY 4.0), read as ``retail_csv`` reads it: 545 parcels of 9,833 rows. Only
these figures are kept here, the data is not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from simulators.orders.catalogue import GOODS_LIMIT_G, drawn_weight_g
from simulators.orders.retail_csv import Row
from simulators.seeds import SeededBits

Quantiles = Sequence[tuple[int, int]]
"""(permille, value), rising from 0 to 1000 permille; between two of them a value is drawn evenly."""

ROWS_PER_PARCEL: Quantiles = (
    (0, 1),
    (100, 1),
    (150, 2),
    (200, 3),
    (250, 5),
    (300, 7),
    (350, 9),
    (400, 11),
    (450, 13),
    (500, 14),
    (550, 16),
    (600, 19),
    (650, 23),
    (700, 26),
    (750, 31),
    (800, 39),
    (850, 40),
    (1000, 40),
)
PIECES_PER_ROW: Quantiles = (
    (0, 1),
    (300, 1),
    (350, 2),
    (450, 2),
    (500, 3),
    (550, 3),
    (600, 4),
    (650, 6),
    (700, 6),
    (750, 8),
    (800, 12),
    (850, 12),
    (900, 18),
    (950, 25),
    (975, 48),
    (990, 96),
    (999, 384),
    (1000, 2_880),
)
GOODS = 600
"""Different goods of the drawn catalogue; the lightest weighs one gram."""
PERMILLE = 1_000


def draw(quantiles: Quantiles, bits: SeededBits) -> int:
    """One value; its distribution has these quantiles."""
    point = bits.below(PERMILLE * 16)
    place = bisect_left(quantiles, (point // 16 + 1, 0))
    (low_at, low), (high_at, high) = quantiles[place - 1], quantiles[place]
    return low + (high - low) * (point - low_at * 16) // ((high_at - low_at) * 16)


class FittedCatalogue:
    """Goods by weight, so that a row of many pieces takes light ones."""

    def __init__(self, bits: SeededBits) -> None:
        self._weights = sorted([1, *(drawn_weight_g(bits) for _ in range(GOODS - 1))])
        self.goods = [(f"G{number:05d}", weight) for number, weight in enumerate(self._weights, 1)]
        """(code, weight of a piece), the lightest first."""

    def rows(self, bits: SeededBits) -> tuple[Row, ...]:
        """The rows of one parcel; together they weigh at most ``GOODS_LIMIT_G``."""
        wanted = [draw(PIECES_PER_ROW, bits) for _ in range(draw(ROWS_PER_PARCEL, bits))]
        left_g, rows = GOODS_LIMIT_G, list[Row]()
        for to_come, pieces in zip(range(len(wanted), 0, -1), sorted(wanted, reverse=True), strict=True):
            share_g = left_g // to_come
            # At one gram a piece even the longest row leaves something for those to come.
            pieces = min(pieces, left_g - (to_come - 1))  # noqa: PLW2901
            light_enough = max(1, bisect_right(self._weights, share_g // pieces))
            sku, weight = self.goods[bits.below(light_enough)]
            rows.append(Row(sku, pieces))
            left_g -= pieces * weight
        return tuple(rows)
