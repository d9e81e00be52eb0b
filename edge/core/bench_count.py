"""What lies on a bench against what its order wants: two multisets of goods, told apart by barcodes.

A goods' own number (sku) is a code of it too. Scanning a bundle's barcode is scanning all of its parts.
A barcode that several goods of the order share counts for whichever of them makes most of it right.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from itertools import pairwise

from edge.model.ids import Sku
from edge.model.order import BenchGoods, BenchOrder
from edge.model.review import Difference


def differences(
    order: BenchOrder, scanned: Mapping[str, int]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """What is missing and what is extra: both empty if and only if the multisets are equal. ``scanned``:
    pieces by code."""
    lacking = {goods.sku: goods.qty for goods in order.goods if not goods.parts}
    sellers = _sellers(order, scanned)
    foreign: list[Difference] = []
    shared: list[tuple[tuple[Sku, ...], int]] = []
    for code, pieces in scanned.items():
        goods = sellers[code]
        if pieces <= 0:
            continue
        if not goods:
            foreign.append(Difference(sku=Sku(""), code=code, qty=pieces))
        elif len(goods) > 1:
            shared.append((tuple(one.sku for one in goods), pieces))
        elif goods[0].parts:
            for part in goods[0].parts:
                lacking[part.sku] -= part.qty * pieces
        else:
            lacking[goods[0].sku] -= pieces
    _share_out(shared, lacking)
    missing = tuple(Difference(sku=sku, code="", qty=qty) for sku, qty in lacking.items() if qty > 0)
    extra = tuple(Difference(sku=sku, code="", qty=-qty) for sku, qty in lacking.items() if qty < 0)
    return missing, (*extra, *foreign)


def _sellers(order: BenchOrder, codes: Iterable[str]) -> dict[str, list[BenchGoods]]:
    """Whose each code may be; a bundle's only where no single goods has it."""
    found: dict[str, list[BenchGoods]] = {code: [] for code in codes}
    singles = [goods for goods in order.goods if not goods.parts]
    bundles = [goods for goods in order.goods if goods.parts]
    for goods in (*singles, *bundles):
        for code in (*goods.barcodes, goods.sku):
            known = found.get(code)
            if known is None or (known and (goods.parts or known[-1] is goods)):
                continue
            known.append(goods)
    return found


def _share_out(shared: list[tuple[tuple[Sku, ...], int]], lacking: dict[Sku, int]) -> None:
    """Give the pieces of shared codes to goods that lack them, as many as can be (augmenting paths: a
    code takes goods over from another code that can have others instead); the rest is extra."""
    given: dict[tuple[int, Sku], int] = defaultdict(int)
    for start, (skus, pieces) in enumerate(shared):
        left = pieces
        while left and (path := _path(start, shared, given, lacking)):
            moved = min(left, lacking[path[-1][1]], *(given[code, sku] for code, sku, _ in _steps(path)))
            for code, sku, instead in _steps(path):
                given[code, sku] -= moved
                given[code, instead] += moved
            given[start, path[0][1]] += moved
            lacking[path[-1][1]] -= moved
            left -= moved
        lacking[skus[0]] -= left


def _steps(path: list[tuple[int, Sku]]) -> list[tuple[int, Sku, Sku]]:
    """Codes on the way: each gives up one goods and takes the next instead."""
    return [(code, before, sku) for (_, before), (code, sku) in pairwise(path)]


def _path(
    start: int,
    shared: list[tuple[tuple[Sku, ...], int]],
    given: Mapping[tuple[int, Sku], int],
    lacking: Mapping[Sku, int],
) -> list[tuple[int, Sku]]:
    """The shortest way from a code to goods that still lack; empty: there is none."""
    came: dict[Sku, tuple[int, Sku | None]] = dict.fromkeys(shared[start][0], (start, None))
    waiting = deque(came)
    while waiting:
        sku = waiting.popleft()
        if lacking[sku] > 0:
            path: list[tuple[int, Sku]] = []
            at: Sku | None = sku
            while at is not None:
                code, before = came[at]
                path.append((code, at))
                at = before
            return path[::-1]
        for code, (skus, _) in enumerate(shared):
            if given.get((code, sku), 0) > 0:
                for other in skus:
                    if other not in came:
                        came[other] = (code, sku)
                        waiting.append(other)
    return []
