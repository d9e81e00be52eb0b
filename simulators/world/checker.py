"""The checker: proves the invariants of a run from the ground truth and the journal file alone.

It knows nothing of the daemon's code: the truth log comes from the simulated world and bus, the journal
is opened with sqlite3, read-only, and its chain is computed here. Facts and rows stream through; what
is settled is forgotten.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from edge.model.topology import Topology
from line_config.reachable import reachable
from simulators.world.book import Book, TrueParcel
from simulators.world.digest import DecisionsDigest, RunDigest
from simulators.world.findings import Findings, Violation
from simulators.world.journal_rows import JournalTail
from simulators.world.rules_cancel import CancelRules
from simulators.world.rules_divert import DivertRules
from simulators.world.rules_parcel import ParcelRules
from simulators.world.rules_review import ReviewRules
from simulators.world.rules_track import Commits, TrackRules
from simulators.world.take_facts import FactIntake
from simulators.world.take_rows import RowIntake
from simulators.world.tally import Tally

LINGER_US = 10_000_000
"""Late facts about an ended track (a command still on its way, a second end) come within this time."""
FULL_ON_MS = 2_000
"""On-delay of an exit's full bit (docs/plc-contract.md, FULL-1), where the line says nothing else."""
SETTLE_AFTER = 2_000
"""Parcels behind which one without a track is judged all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``summary``: the figures of the run's JSON; ``violations``: the first of them, ``violated``: how
    many of each invariant; ``checked``: evaluations, None for what the line cannot have."""

    summary: dict[str, object]
    checked: dict[str, int | None]
    violations: tuple[Violation, ...]
    violated: dict[str, int]
    digest: str
    decisions_digest: str

    def as_json(self) -> dict[str, object]:
        """What ``simulate --json`` prints, less its two durations."""
        found = dict(self.summary)
        found["violations"] = [asdict(one) for one in self.violations]
        found["checked"] = self.checked
        found["digest"] = self.digest
        found["decisions_digest"] = self.decisions_digest
        return found


class Checker:
    """Give it every fact in the order of time (``fact``), each commit (``commits.ended``) and, from time
    to time, ``advance``; at the end ``finish``, once."""

    def __init__(self, topology: Topology, journal: Path, seed: int, *, full_on_ms: int = FULL_ON_MS) -> None:
        """``journal``: the file, which need not be there yet. ``full_on_ms``: the line's on-delay of a
        full lane."""
        self.findings = Findings(seed)
        self.commits = Commits()
        self.tally = Tally()
        self._topology = topology
        self._reachable = reachable(topology)
        self._book = Book(topology.ticks_per_m)
        self._tail = JournalTail(journal, topology.line_id, self.findings)
        self._reviews = ReviewRules(self.findings)
        self._parcels = ParcelRules(topology, self._book, self.findings, self._reviews)
        self._tracks = TrackRules(self.findings, self.commits)
        cancels = CancelRules(self._book, self.findings, self._parcels)
        diverts = DivertRules(topology, self._book, self.findings, full_on_ms)
        self._digest = RunDigest()
        self._decisions = DecisionsDigest()
        self._facts = FactIntake(topology, self._book, self.tally, diverts, self._reviews, self._digest)
        self._rows = RowIntake(
            self._book, self.tally, self.findings, cancels, self._reviews, self._digest, self._decisions
        )
        self.fact = self._facts.take

    def advance(self) -> None:
        """Read what is new in the journal, and judge what is settled."""
        self._read()
        now_us, book = self._facts.at_us, self._book
        book.match_late()
        self._reviews.judge(now_us - LINGER_US)
        for track in list(book.tracks.values()):
            if track.ended is not None and track.ended["at_us"] + LINGER_US < now_us:
                self._tracks.judge(track)
                book.close_track(track)
        for parcel in list(book.parcels.values()):
            if self._settled(parcel):
                self._judge(parcel)
        self.commits.forget(now_us - 60 * LINGER_US)

    def finish(self) -> Report:
        """The run is over: judge everything that has ended, and say what was found."""
        self._read()
        book, at_us = self._book, self._facts.at_us
        book.match_late()
        self._reviews.judge(at_us)
        for track in list(book.tracks.values()):
            if track.ended is not None:
                self._tracks.judge(track)
                book.close_track(track)
        for track in book.tracks.values():
            on_belt = track.parcel is not None and not track.parcel.gone
            what = f"track of number {track.number} is open at the end, its parcel is not on the belt"
            self.findings.hold("conservation", on_belt, what, at_us=at_us, track=track.track)
        for parcel in list(book.parcels.values()):
            if parcel.gone:
                self._judge(parcel)
        for (epoch, number), (written, _) in book.commands.items():
            what = f"a command for number {number} of epoch {epoch}, which has no track"
            self.findings.hold("write_ahead", False, what, at_us=written[0].at_us if written else at_us)
        return self.report()

    def report(self) -> Report:
        """What was found so far."""
        return Report(
            summary=self.summary(),
            checked=self.findings.checked(self._impossible()),
            violations=tuple(self.findings.violations),
            violated=dict(self.findings.violated),
            digest=self._digest.hexdigest(),
            decisions_digest=self._decisions.hexdigest(),
        )

    def summary(self) -> dict[str, object]:
        """The figures so far, named as in the JSON of a run."""
        counts, tally = self._parcels.counts, self.tally
        down = tally.while_down
        return {
            "parcels": tally.placed,
            "inserted": tally.inserted,
            "recirculated": tally.recirculated,
            "exited": tally.exited,
            "mis_sorted": counts.mis_sorted,
            "lost": counts.lost,
            "unverified_shipped": counts.unverified_shipped,
            "cancelled_shipped": counts.cancelled_shipped,
            "undetectable": tally.undetectable,
            "forced_mis_sorts": counts.forced_mis_sorts,
            "reviewed": tally.reviewed,
            "review_rejected": tally.review_rejected,
            "read_rate": round(tally.read_rate(), 6),
            "by_reason": dict(sorted(tally.by_reason.items())),
            "never_reached": [
                one.value
                for one in self._reachable
                if one.value not in tally.by_reason and one.value not in tally.bench_reasons
            ],
            "by_chute": dict(sorted(tally.by_chute.items())),
            "decide_to_told_ms": tally.decide_to_told.as_ms(),
            "plc_wait_ms": tally.plc_wait.as_ms(),
            "told_while_down": {"n": down.n, "max_ms": down.max_us / 1000},
        }

    def _read(self) -> None:
        for row in self._tail.rows():
            self._rows.take(row)

    def _settled(self, parcel: TrueParcel) -> bool:
        """Gone, and every track of it judged; one without a track waits for a long time."""
        if not parcel.gone or parcel.gone_us + LINGER_US >= self._facts.at_us:
            return False
        if parcel.tracks:
            return all(one.track not in self._book.tracks for one in parcel.tracks)
        return parcel.uid + SETTLE_AFTER < self._facts.newest

    def _judge(self, parcel: TrueParcel) -> None:
        self._parcels.judge(parcel)
        del self._book.parcels[parcel.uid]

    def _impossible(self) -> frozenset[str]:
        """By the line; and what a run in real time cannot show: its commits, and a replay of them."""
        found = set[str]()
        if self._topology.scale is None:
            found |= {"alone_on_scale", "true_weight"}
        if self._topology.recirculation is None:
            found.add("recirculation")
        if not self._topology.benches:
            found |= {"true_review"}
        if not self.commits.known:
            found |= {"write_ahead", "clock_free"}
        return frozenset(found)
