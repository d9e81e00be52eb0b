"""Rows of the journal go into the book, the tally and the digests."""

from collections.abc import Callable

from simulators.world.book import Book, Track
from simulators.world.digest import DecisionsDigest, RunDigest
from simulators.world.findings import Findings
from simulators.world.journal_rows import Fields, JournalRow
from simulators.world.rules_cancel import CancelRules
from simulators.world.rules_review import ReviewRules
from simulators.world.tally import Tally

Take = Callable[[JournalRow, Fields], None]


class RowIntake:
    """One method per kind of row that matters to the checker."""

    def __init__(
        self,
        book: Book,
        tally: Tally,
        findings: Findings,
        cancels: CancelRules,
        reviews: ReviewRules,
        digest: RunDigest,
        decisions: DecisionsDigest,
    ) -> None:
        self._book = book
        self._tally = tally
        self._findings = findings
        self._cancels = cancels
        self._reviews = reviews
        self._digest = digest
        self._decisions = decisions
        self._zero_us = -1
        self._started_us = 0
        self._take: dict[str, Take] = {
            "TrackOpened": self._opened,
            "Identified": self._identified,
            "SamplesCaptured": self._samples,
            "Weighed": self._weighed,
            "ScaleZeroed": self._zeroed,
            "LineStarted": self._started,
            "OrderFound": self._found,
            "OrderChanged": self._changed,
            "Decided": self._decided,
            "Told": self._told,
            "ToldTimed": self._told_timed,
            "RevokeOrdered": self._revoke_ordered,
            "Exited": self._ended,
            "Missing": self._ended,
            "CancelAnswered": self._cancel_answered,
            "Reviewed": self._reviewed,
            "WorkLeft": lambda _row, body: reviews.left(body),
            "ReviewReopened": lambda _row, body: reviews.reopened(body),
            "EyePassed": self._eye_passed,
            "DivertFired": self._fired,
            "ParcelLost": self._ring,
            "ParcelUnexpected": self._ring,
            "DivertAborted": self._ring,
            "DivertConfirmed": self._ring,
            "JamDetected": self._ring,
            "GatePassed": self._ring,
            "RingOverflowed": self._overflowed,
        }

    def take(self, row: JournalRow) -> None:
        self._digest.row(row)
        take = self._take.get(row.kind)
        if take is not None:
            take(row, row.fields)

    # --- tracks -------------------------------------------------------------------------------------

    def _opened(self, row: JournalRow, body: Fields) -> None:
        track = Track(
            track=body["track"],
            epoch=body["epoch"],
            number=body["number"],
            eye=body["eye"],
            ticks=body["ticks"],
            opened_at_us=row.at_us,
        )
        self._book.open_track(track)
        self._decisions.opened(track.track)
        if track.eye == 1:
            self._tally.inducted += 1

    def _of(self, row: JournalRow, body: Fields, invariant: str) -> Track | None:
        """The track of a row; a row of one that has long ended, or never was, breaks an invariant."""
        track = self._book.tracks.get(body["track"])
        if track is None:
            what = f"{row.kind} of a track that has ended, or was never opened"
            self._findings.hold(invariant, False, what, at_us=row.at_us, track=body["track"])
        return track

    def _identified(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "one_end")
        if track is not None:
            track.identified = body
            if body["quality"] == "good" and track.eye == 1:
                self._tally.good_reads += 1

    def _samples(self, row: JournalRow, body: Fields) -> None:
        track = self._book.tracks.get(body["track"])
        if track is not None:
            track.samples = body["samples"]

    def _weighed(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "one_end")
        if track is not None:
            track.weighed = body
            seen_us = max(self._zero_us, self._started_us)
            track.zero_age_us = -1 if self._zero_us < 0 else row.at_us - seen_us

    def _zeroed(self, row: JournalRow, body: Fields) -> None:
        self._zero_us = row.at_us if body["good"] else -1

    def _started(self, row: JournalRow, _body: Fields) -> None:
        """A new process asks for a look as if it were due; what was seen before counts on."""
        self._started_us = row.at_us

    def _found(self, row: JournalRow, body: Fields) -> None:
        track = self._book.tracks.get(body["track"])
        if track is not None:
            track.orders[body["waybill"]] = row.at_us

    def _changed(self, row: JournalRow, body: Fields) -> None:
        self._book.orders_changed.put(body["waybill"], row.at_us)

    def _decided(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "decide_once")
        if track is not None:
            track.decisions += 1
            if track.decisions == 1:
                track.decided = body
                track.decided_seq = row.seq

    def _told(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "told_matches")
        if track is not None:
            track.told = body

    def _told_timed(self, row: JournalRow, body: Fields) -> None:
        self._tally.told(row.at_us, body["decide_to_told_us"], body["plc_wait_us"])

    def _revoke_ordered(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "write_ahead")
        if track is not None and not track.revoke_seq:
            track.revoke_seq = row.seq

    def _ended(self, row: JournalRow, body: Fields) -> None:
        track = self._of(row, body, "one_end")
        if track is None:
            return
        track.ends += 1
        if track.ends > 1:
            return
        track.ended = body
        track.ended_kind = row.kind
        self._tally.ended(row.kind, body["reason"], body.get("chute", ""))
        self._decisions.closed(track.track, track.number, track.decided, body["reason"])
        self._cancels.ended(track, body["counts_as_shipped"])

    def _cancel_answered(self, _row: JournalRow, body: Fields) -> None:
        self._cancels.answered(body)

    def _reviewed(self, _row: JournalRow, body: Fields) -> None:
        self._reviews.verdict(body)
        self._tally.reviewed += 1
        if body["reason"] != "ok":
            self._tally.review_rejected += 1
            self._tally.bench_reasons.add(body["reason"])

    # --- ring entries -------------------------------------------------------------------------------

    def _ring(self, _row: JournalRow, body: Fields) -> None:
        last = self._book.last_ticks
        last[body["epoch"]] = max(last.get(body["epoch"], 0), body["ticks"])

    def _eye_passed(self, row: JournalRow, body: Fields) -> None:
        self._ring(row, body)
        if body["number"] == 0 and body["eye"] == 1:
            self._book.unnumbered.put((1, self._book.encoder(body["epoch"], body["ticks"])), True)

    def _fired(self, row: JournalRow, body: Fields) -> None:
        self._ring(row, body)
        track = self._book.by_number.get((body["epoch"], body["number"]))
        if track is not None:
            track.fired += 1

    def _overflowed(self, _row: JournalRow, body: Fields) -> None:
        self._book.overflowed.add(body["epoch"])
