"""Invariants about one track and its commands, judged when its terminal record is there."""

from bisect import bisect_left

from edge.model.divert import CommandStatus
from simulators.world.book import Track
from simulators.world.findings import Findings


class Commits:
    """When rows became durable: the last row of each commit, in order, and its instant."""

    def __init__(self) -> None:
        self.known = False
        self._last: list[int] = []
        self._at: list[int] = []

    def ended(self, last_seq: int, at_us: int) -> None:
        """A commit is over; rows up to ``last_seq`` are durable."""
        self.known = True
        self._last.append(last_seq)
        self._at.append(at_us)

    def of(self, seq: int) -> int | None:
        """When a row became durable; None: it is not."""
        place = bisect_left(self._last, seq)
        return self._at[place] if place < len(self._at) else None

    def forget(self, before_us: int) -> None:
        """Commits older than that will not be asked for any more."""
        place = bisect_left(self._at, before_us)
        del self._last[:place], self._at[:place]


class TrackRules:
    """Judges tracks that have their terminal record."""

    def __init__(self, findings: Findings, commits: Commits) -> None:
        self._findings = findings
        self._commits = commits

    def judge(self, track: Track) -> None:
        if track.eye == 1:
            what = f"number {track.number}: no parcel was at the induction eye at {track.ticks} ticks"
            self._hold("conservation", track.parcel is not None, what, track)
        self._hold("one_end", track.ends == 1, f"{track.ends} terminal records", track)
        if track.decisions:
            self._hold("decide_once", track.decisions == 1, f"decided {track.decisions} times", track)
        self._told(track)
        self._written(track)
        self._acted(track)
        self._ended(track)

    def _told(self, track: Track) -> None:
        told, decided = track.told, track.decided
        if told is None:
            return
        agreed = decided is not None and decided["exit"] == told["exit"]
        self._hold("told_matches", agreed, f"told exit {told['exit']}, decided another", track)
        applied = any(
            one.exit == told["exit"] and not one.revoke and one.status == CommandStatus.APPLIED
            for one in track.judged
        )
        self._hold("told_matches", applied, "told, but the PLC never accepted it", track)

    def _written(self, track: Track) -> None:
        """Every command was durable before its first byte. Commits are known in simulation only."""
        if not self._commits.known:
            return
        for command in track.written:
            seq = track.revoke_seq if command.revoke else track.decided_seq
            durable = self._commits.of(seq) if seq else None
            kept = durable is not None and durable <= command.at_us
            what = f"command {command.seq} at {command.at_us} us, its record durable at {durable} us"
            self._hold("write_ahead", kept, what, track)

    def _acted(self, track: Track) -> None:
        if not track.written:
            return
        exits = {one.exit for one in track.judged if not one.revoke and one.status == CommandStatus.APPLIED}
        once = track.fired <= 1 and len(exits) <= 1
        self._hold("act_once", once, f"fired {track.fired} times, exits {sorted(exits)}", track)

    def _ended(self, track: Track) -> None:
        """What the record calls shipped was decided for that chute, as ok."""
        ended, decided = track.ended, track.decided
        if track.ended_kind == "Exited" and ended is not None and ended["shipped"]:
            kept = (
                decided is not None
                and decided["reason"] == "ok"
                and decided["chute"] == ended["chute"]
                and decided["at_us"] <= ended["at_us"]
            )
            self._hold("verified_only", kept, f"recorded as shipped at {ended['chute']}", track)

    def _hold(self, invariant: str, kept: bool, what: str, track: Track) -> None:
        parcel = 0 if track.parcel is None else track.parcel.uid
        at_us = track.opened_at_us if track.ended is None else track.ended["at_us"]
        self._findings.hold(invariant, kept, what, at_us=at_us, parcel=parcel, track=track.track)
