"""Invariant 16, cancels: accepted and it never ships; too late and the command was out (or it was there)."""

from simulators.world.book import Book, Recent, Track
from simulators.world.findings import Findings
from simulators.world.journal_rows import Fields
from simulators.world.rules_parcel import ParcelRules


class CancelRules:
    """Judges each final answer; what ships after an accepted one is found by ``ParcelRules``."""

    def __init__(self, book: Book, findings: Findings, parcels: ParcelRules) -> None:
        self._book = book
        self._findings = findings
        self._parcels = parcels
        self._counted: Recent[int] = Recent()
        """Orders of which a parcel's end counts as shipped."""

    def ended(self, track: Track, counts_as_shipped: bool) -> None:
        """A terminal record."""
        if counts_as_shipped and track.decided is not None:
            self._counted.put(track.decided["order_no"], track.track)

    def answered(self, row: Fields) -> None:
        """A ``CancelAnswered`` row."""
        order_no, at_us = row["order_no"], row["at_us"]
        if not row["final"]:
            return
        if row["outcome"] == "accepted":
            self._parcels.accepted.put(order_no, at_us)
            shipped_us = self._parcels.shipped_orders.get(order_no)
            what = f"cancel of {order_no} accepted, it shipped at {shipped_us} us"
            if not self._findings.hold("cancel", shipped_us is None, what, at_us=at_us, track=row["track"]):
                self._parcels.counts.cancelled_shipped += 1
        elif row["outcome"] == "too_late":
            what = f"cancel of {order_no} answered too late, no command was out"
            self._findings.hold(
                "cancel", self._was_out(order_no, at_us), what, at_us=at_us, track=row["track"]
            )

    def _was_out(self, order_no: str, at_us: int) -> bool:
        if self._counted.get(order_no) is not None or self._parcels.shipped_orders.get(order_no) is not None:
            return True
        return any(
            not command.revoke and command.at_us <= at_us
            for track in self._book.tracks.values()
            if track.decided is not None and track.decided["order_no"] == order_no
            for command in track.written
        )
