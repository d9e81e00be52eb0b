"""Scan review: every verdict on record is what lay on the bench against what its order wanted, and what
ships from a line that requires a review had been released by one."""

from collections import Counter, defaultdict, deque

from simulators.world.book import Recent
from simulators.world.findings import Findings
from simulators.world.journal_rows import Fields
from simulators.world.truth import WorkMoved

KEPT = 64
"""Works of one bench that may wait for their rows, and rows for their works: minutes of it."""


class ReviewRules:
    """Truth and record come in their own order each: a verdict is judged once both are there."""

    def __init__(self, findings: Findings) -> None:
        self.released: Recent[int] = Recent()
        """Orders that went to packing after a passing verdict → when."""
        self._findings = findings
        self._moved: dict[str, deque[WorkMoved]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._verdicts: deque[Fields] = deque()

    def moved(self, fact: WorkMoved) -> None:
        self._moved[fact.bench].append(fact)

    def verdict(self, body: Fields) -> None:
        """A ``Reviewed`` row."""
        self._verdicts.append(body)

    def left(self, body: Fields) -> None:
        """A ``WorkLeft`` row."""
        if body["released"]:
            self.released.put(body["order_no"], body["at_us"])

    def reopened(self, body: Fields) -> None:
        """A ``ReviewReopened`` row."""
        self.released.pop(body["order_no"])

    def judge(self, until_us: int) -> None:
        """The verdicts up to then: their works have left the bench."""
        while self._verdicts and self._verdicts[0]["at_us"] <= until_us:
            self._judge(self._verdicts.popleft())

    def _judge(self, body: Fields) -> None:
        work = next(
            (
                one
                for one in reversed(self._moved[body["bench"]])
                if one.order_no == body["order_no"] and one.ended_us <= body["at_us"]
            ),
            None,
        )
        what = f"{body['bench']}: order {body['order_no']} was judged, and no work of it lay there"
        if work is not None:
            missing, extra = _differences(work)
            found = {one["sku"]: one["qty"] for one in body["missing"]}
            beyond = _by_sku(body["extra"], {barcode: sku for sku, barcode, _ in work.lay})
            right = (missing, extra) == (found, beyond) and (body["reason"] == "ok") == (
                not missing and not extra
            )
            what = (
                "" if right else f"order {work.order_no}: recorded {found} {beyond}, truly {missing} {extra}"
            )
        self._findings.hold("true_review", not what, what, at_us=body["at_us"])


def _differences(work: WorkMoved) -> tuple[dict[str, int], dict[str, int]]:
    surplus = {sku: -pieces for sku, pieces in work.wanted}
    for sku, _, pieces in work.lay:
        surplus[sku] = surplus.get(sku, 0) + pieces
    missing = {sku: -pieces for sku, pieces in surplus.items() if pieces < 0}
    return missing, {sku: pieces for sku, pieces in surplus.items() if pieces > 0}


def _by_sku(extra: list[Fields], skus: dict[str, str]) -> dict[str, int]:
    found = Counter[str]()
    for one in extra:
        code = str(one["code"])
        found[str(one["sku"]) or skus.get(code, code)] += one["qty"]
    return dict(found)
