"""The figures of a run: counted from the ground truth, durations from the journal."""

from collections import Counter

Intervals = list[tuple[int, int]]


class Durations:
    """Nearest-rank percentiles of microseconds, exact to 10 µs; memory grows with distinct values only."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.n = 0
        self.max_us = 0

    def add(self, us: int) -> None:
        self._counts[us // 10] += 1
        self.n += 1
        self.max_us = max(self.max_us, us)

    def percentile_us(self, percent: int) -> int:
        """0 where nothing was counted."""
        rank = -(-self.n * percent // 100)
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= rank:
                return bucket * 10
        return 0

    def as_ms(self) -> dict[str, float]:
        return {
            "p50": self.percentile_us(50) / 1000,
            "p99": self.percentile_us(99) / 1000,
            "max": self.max_us / 1000,
        }


class Tally:
    """Counts as facts and rows go by. ``summary`` joins them with what the rules counted."""

    def __init__(self) -> None:
        self.placed = 0
        self.inserted = 0
        """Strays that people put on the belt, beside those that were placed."""
        self.recirculated = 0
        self.exited = 0
        self.undetectable = 0
        self.inducted = 0
        self.good_reads = 0
        self.reviewed = 0
        """Verdicts at the benches; ``review_rejected`` of them found something missing or extra."""
        self.review_rejected = 0
        self.bench_reasons: set[str] = set()
        """Reasons that reviews came to, which no parcel leaves for."""
        self.by_reason: Counter[str] = Counter()
        self.by_chute: Counter[str] = Counter()
        self.decide_to_told = Durations()
        self.plc_wait = Durations()
        self.while_down = Durations()
        self._down: Intervals = []

    def plc_away(self, from_us: int, until_us: int) -> None:
        """The PLC answered nobody meanwhile."""
        self._down.append((from_us, until_us))

    def told(self, at_us: int, decide_to_told_us: int, plc_wait_us: int) -> None:
        """A measure that ended at ``at_us``; apart when its wait overlaps a PLC that is down."""
        begin = at_us - decide_to_told_us
        if any(begin <= until and at_us >= since for since, until in self._down):
            self.while_down.add(decide_to_told_us)
            return
        self.decide_to_told.add(decide_to_told_us)
        self.plc_wait.add(plc_wait_us)

    def ended(self, kind: str, reason: str, chute: str) -> None:
        """A terminal record."""
        self.by_reason[reason] += 1
        if kind == "Exited":
            self.by_chute[chute] += 1

    def read_rate(self) -> float:
        return self.good_reads / self.inducted if self.inducted else 0.0
