"""Invariants about one parcel, judged when truth and record have said their last word on it.

Parcels that were swapped by hand on the running belt are nobody's fault (reliability.md 26): they are
left out of the rules about identity and counted apart.
"""

import itertools
from dataclasses import dataclass

from edge.model.divert import CommandStatus
from edge.model.topology import ChuteKind, Scale, Topology
from simulators.world.book import Book, Recent, Track, TrueParcel
from simulators.world.findings import Findings
from simulators.world.parcel import loop_exit
from simulators.world.rules_review import ReviewRules
from simulators.world.truth import OnScale

EDGE_SLACK_US = 20_000
"""A sample's moment is known to the line only as well as it knows the belt's position."""


@dataclass(slots=True)
class Counts:
    """What the summary of a run counts of single parcels; the world counts, never the daemon."""

    mis_sorted: int = 0
    lost: int = 0
    unverified_shipped: int = 0
    cancelled_shipped: int = 0
    forced_mis_sorts: int = 0
    shipped: int = 0


class ParcelRules:
    """Judges settled parcels; keeps what later ones are compared with."""

    def __init__(self, topology: Topology, book: Book, findings: Findings, reviews: ReviewRules) -> None:
        self.counts = Counts()
        self.accepted: Recent[int] = Recent()
        """Orders whose cancel was answered ``accepted`` → when."""
        self.shipped_orders: Recent[int] = Recent()
        """Orders with a parcel in a shipping chute → when it entered."""
        self._book = book
        self._findings = findings
        self._scale = topology.scale
        self._reviews = reviews if topology.review_required else None
        kinds = {one.exit: one.kind for one in topology.chutes if one.kind is not ChuteKind.SHIPPING}
        self._shipping = frozenset(one.exit for one in topology.chutes if one.kind is ChuteKind.SHIPPING)
        self._end = len(topology.exits) + 1
        self._rejects = frozenset(kinds) - self._shipping
        self._shipped_waybills: Recent[int] = Recent()
        self._loop_exit = loop_exit(topology)
        limit = topology.recirculation.limit if topology.recirculation is not None else 0
        self._laps_most = 2 * limit + 1
        """Its counted laps, and one between any two of them that nobody could count."""

    def judge(self, parcel: TrueParcel) -> None:
        """Everything about a parcel that has left the belt, or been taken off it."""
        self._conservation(parcel)
        if not self._unknowable(parcel):
            for track in parcel.tracks:
                self._identity(parcel, track)
                self._weight(parcel, track)
                self._fresh(parcel, track)
        self._act_once(parcel)
        if parcel.left is not None:
            self._place(parcel)

    def _unknowable(self, parcel: TrueParcel) -> bool:
        """Which code and weight are whose, nobody can know: swapped unseen, tracked by an encoder that
        lied, or touching another, so that both are one to every eye. The latter two must not ship for
        it, or the rules hold all the same."""
        ships = parcel.left is not None and parcel.left.exit in self._shipping
        unclear = parcel.blind or bool(parcel.group)
        return parcel.swapped or (unclear and (not ships or parcel.forced))

    # --- where it went ------------------------------------------------------------------------------

    def _place(self, parcel: TrueParcel) -> None:
        left = parcel.left
        assert left is not None
        ships = left.exit in self._shipping
        if ships:
            self.counts.shipped += 1
        if parcel.forced or parcel.swapped:
            decided = [one.decided for one in parcel.tracks if one.decided is not None]
            meant = any(row["exit"] == left.exit and row["reason"] == "ok" for row in decided)
            if parcel.forced and ships and not meant:
                self.counts.forced_mis_sorts += 1
            return
        self._default_reject(parcel)
        if len(set(parcel.placed.candidates)) > 1:
            self._hold("one_label", not ships, "two waybill candidates on it, and shipped", parcel)
        if parcel.close:
            self._hold("gap", not ships, "too close to a neighbour, and shipped", parcel)
        touched = left.touched_us
        fired = parcel.carried[0].fire_us if parcel.carried else left.at_us
        if touched >= 0:
            kept = not ships or touched >= fired
            self._hold("access", kept, f"a hand could touch it at {touched} us, and it shipped", parcel)
        if ships:
            self._shipped(parcel)
        if left.exit == self._loop_exit:
            laps = parcel.laps + 1
            self._hold("recirculation", laps <= self._laps_most, f"on its lap {laps}", parcel)

    def _shipped(self, parcel: TrueParcel) -> None:
        left, placed = parcel.left, parcel.placed
        assert left is not None
        decided = [
            one.decided
            for one in parcel.tracks
            if one.decided is not None and one.decided["at_us"] <= left.at_us
        ]
        verified = any(row["reason"] == "ok" and row["exit"] == left.exit for row in decided)
        what = f"shipped at exit {left.exit}, decided {_exits(decided)}"
        if self._reviews is not None and verified:
            released = self._reviews.released.get(placed.order_no)
            verified = released is not None and released <= decided[-1]["at_us"]
            what = f"shipped, and its order {placed.order_no} had not passed a review before"
        self._hold("verified_only", verified, what, parcel)
        self.counts.unverified_shipped += not verified
        elsewhere = bool(decided) and all(row["exit"] != left.exit for row in decided)
        self.counts.mis_sorted += elsewhere
        if placed.waybill:
            before = self._shipped_waybills.get(placed.waybill)
            once = before is None or before == parcel.uid
            self._hold("ship_once", once, f"{placed.waybill} had shipped before", parcel)
            self._shipped_waybills.put(placed.waybill, parcel.uid)
        if placed.order_no:
            self.shipped_orders.put(placed.order_no, left.at_us)
            if self.accepted.get(placed.order_no) is not None:
                self.counts.cancelled_shipped += 1
                self._hold(
                    "cancel", False, f"cancel of {placed.order_no} was accepted, and it shipped", parcel
                )

    def _default_reject(self, parcel: TrueParcel) -> None:
        """No accepted command: the end of the line. A reject lane may take a neighbour that is too
        close along; a shipping chute never."""
        left = parcel.left
        assert left is not None
        if left.exit == self._end:
            self._hold("default_reject", True, "", parcel)
            return
        carried_us = parcel.carried[0].at_us if parcel.carried else left.at_us
        commanded = any(stands(track, left.exit, carried_us) for track in parcel.tracks)
        taken_along = parcel.close and left.exit in self._rejects
        what = f"entered exit {left.exit} without an accepted command"
        self._hold("default_reject", commanded or taken_along, what, parcel)

    def _act_once(self, parcel: TrueParcel) -> None:
        self._hold("act_once", len(parcel.carried) <= 1, f"carried {len(parcel.carried)} times", parcel)

    # --- what the record says of it -----------------------------------------------------------------

    def _conservation(self, parcel: TrueParcel) -> None:
        inducted = parcel.inducted
        if inducted is None:
            return
        opened = [one for one in parcel.tracks if one.eye == 1]
        unseen = "" if opened else self._book.unseen(parcel)
        kept = len(opened) == 1 or bool(unseen) or parcel.swapped
        self._hold("conservation", kept, f"{len(opened)} tracks opened at its induction", parcel)
        ended = any(one.ends for one in parcel.tracks)
        if not ended and not unseen and not parcel.swapped:
            self.counts.lost += 1
        left = parcel.left
        for track in parcel.tracks:
            if track.ended_kind == "Exited" and track.ended is not None and not parcel.swapped:
                place = 0 if left is None else left.exit
                what = f"recorded at exit {track.ended['exit']}, truly at {place}"
                kept = track.ended["exit"] == place
                # A neighbour in its place passes for it where it was taken off by hands that the line knows
                # of, or where the encoder lies: then the record must not say that it shipped.
                taken = parcel.removed is not None and parcel.removed.touched_us >= 0
                if taken or parcel.blind:
                    kept = kept or not track.ended["shipped"]
                self._hold("conservation", kept, what, parcel)

    def _identity(self, parcel: TrueParcel, track: Track) -> None:
        decided = track.decided
        if decided is None or not decided["waybill"]:
            return
        head = parcel.head or parcel
        shown = {text for one in (head, *head.group) for text in one.placed.candidates}
        what = f"recorded as {decided['waybill']}, it shows {sorted(shown)}"
        self._hold("true_identity", decided["waybill"] in shown, what, parcel)

    def _weight(self, parcel: TrueParcel, track: Track) -> None:
        scale, weighed = self._scale, track.weighed
        if scale is None or weighed is None or weighed["reading"]["quality"] != "good":
            return
        on = _weighed_on(parcel, track, scale)
        alone = on is not None and on.alone_from_us >= 0
        if on is not None and alone:
            begin = on.whole_us + scale.settle_ms * 1000
            moments = [one["at_us"] - scale.filter_ms * 1000 for one in track.samples]
            used = [one for one in moments if one >= begin]
            alone = all(on.alone_from_us <= one <= on.alone_to_us + EDGE_SLACK_US for one in used)
        self._hold("alone_on_scale", alone, "weighed while not alone on the scale", parcel)
        grams, true = weighed["reading"]["grams"], parcel.placed.weight_g
        near = abs(grams - true) <= scale.spread_g + scale.division_g
        self._hold("true_weight", near, f"recorded {grams} g, it has {true} g", parcel)

    def _fresh(self, parcel: TrueParcel, track: Track) -> None:
        """What a ship decision was made of is of this passage of this parcel: frames from when it was on
        the scale, without a gap; a zero that was seen in time; an order that was asked for since."""
        decided, scale = track.decided, self._scale
        if decided is None or decided["reason"] != "ok":
            return
        waybill, opened_us = decided["waybill"], track.opened_at_us
        known_us = (track.orders.get(waybill, -1), self._book.orders_changed.get(waybill) or -1)
        asked = any(opened_us <= one <= decided["at_us"] for one in known_us)
        stale = "" if asked else f"order of {waybill} as of {known_us} us"
        on = None if scale is None else _weighed_on(parcel, track, scale)
        if scale is not None and track.weighed is not None and track.samples and on is not None:
            moments = [one["at_us"] for one in track.samples]
            gap_us = max((b - a for a, b in itertools.pairwise(moments)), default=0)
            limit_us = (scale.zero_every_ms + scale.zero_within_ms) * 1000
            if moments[0] - scale.filter_ms * 1000 < on.whole_us - EDGE_SLACK_US:
                stale = f"a frame of {moments[0]} us, it was on the scale from {on.whole_us} us on"
            elif gap_us > scale.stale_ms * 1000:
                stale = f"{gap_us} us between two frames of its weight"
            elif not 0 <= track.zero_age_us <= limit_us:
                stale = f"the scale's zero was {track.zero_age_us} us old"
        self._hold("fresh_inputs", not stale, stale, parcel)

    def _hold(self, invariant: str, kept: bool, what: str, parcel: TrueParcel) -> None:
        left, removed = parcel.left, parcel.removed
        at_us = left.at_us if left is not None else removed.at_us if removed is not None else 0
        track = parcel.tracks[-1].track if parcel.tracks else 0
        self._findings.hold(invariant, kept, what, at_us=at_us, parcel=parcel.uid, track=track)


def _weighed_on(parcel: TrueParcel, track: Track, scale: Scale) -> OnScale | None:
    """The time on the scale to which the frames of a weight can belong: the first one that had not ended by
    then, else the last; None: it never was on it."""
    began_us = track.samples[0]["at_us"] - scale.filter_ms * 1000 if track.samples else 0
    times = parcel.on_scale
    return next((one for one in times if began_us <= one.at_us), times[-1] if times else None)


def stands(track: Track, exit_no: int, at_us: int) -> bool:
    """Whether a divert to ``exit_no`` was accepted by the PLC and not revoked, as of ``at_us``."""
    known = [one for one in track.judged if one.at_us <= at_us and one.status == CommandStatus.APPLIED]
    diverts = [one for one in known if not one.revoke and one.exit == exit_no]
    return bool(diverts) and not any(one.revoke for one in known)


def _exits(rows: list[dict[str, object]]) -> str:
    return ", ".join(f"{row['reason']}→{row['exit']}" for row in rows) or "nothing"
