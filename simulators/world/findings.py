"""What a run was proved to keep: how often each invariant was looked at, and where it did not hold."""

from collections import Counter
from dataclasses import dataclass

INVARIANTS: dict[str, int] = {
    "verified_only": 1,
    "alone_on_scale": 2,
    "true_weight": 3,
    "one_end": 4,
    "true_identity": 5,
    "conservation": 6,
    "decide_once": 7,
    "write_ahead": 8,
    "told_matches": 9,
    "act_once": 10,
    "chain": 15,
    "cancel": 16,
    "ship_once": 17,
    "dead_man": 21,
    "fresh_inputs": 22,
    "clock_free": 23,
    "chute_full": 24,
    "plc_epoch": 25,
    "access": 26,
    "gap": 27,
    "one_label": 28,
    "default_reject": 39,
    "recirculation": 41,
    "true_review": 42,
}
"""Name → number in the list of invariants; the last is the liveness of a loop: none circulates for ever."""

KEPT = 200
"""Violations that are kept in full; all of them are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """``parcel`` is the true one, ``track`` the line's; 0: not about one."""

    invariant: str
    what: str
    at_us: int
    parcel: int
    track: int
    seed: int


class Findings:
    """Counts and keeps. ``seed`` goes into each violation, so that it can be run again."""

    def __init__(self, seed: int) -> None:
        self.evaluations: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.violated: Counter[str] = Counter()
        self._seed = seed

    def hold(
        self, invariant: str, kept: bool, what: str, *, at_us: int, parcel: int = 0, track: int = 0
    ) -> bool:
        """One evaluation; ``what`` says what was found where it did not hold. Returns ``kept``."""
        assert invariant in INVARIANTS
        self.evaluations[invariant] += 1
        if not kept:
            self.violated[invariant] += 1
            if len(self.violations) < KEPT:
                self.violations.append(
                    Violation(
                        invariant=invariant,
                        what=what,
                        at_us=at_us,
                        parcel=parcel,
                        track=track,
                        seed=self._seed,
                    )
                )
        return kept

    def kept(self, invariant: str) -> None:
        """One evaluation that held; for what is looked at so often that ``what`` is worth sparing."""
        assert invariant in INVARIANTS
        self.evaluations[invariant] += 1

    def checked(self, impossible: frozenset[str]) -> dict[str, int | None]:
        """Evaluations of every invariant; None for those that the line, or this run, cannot have."""
        return {
            name: None if name in impossible and not self.evaluations[name] else self.evaluations[name]
            for name in INVARIANTS
        }
