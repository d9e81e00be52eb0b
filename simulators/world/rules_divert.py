"""Invariants about the moment at which a diverter carries a parcel, judged from the truth as it comes."""

from collections import deque

from edge.model.topology import ChuteKind, Topology
from simulators.world.book import Book, TrueParcel
from simulators.world.findings import Findings
from simulators.world.truth import Carried, LaneFull

SCAN_SLACK_US = 50_000
"""Between a cause and the PLC's effect lie its scans."""
BEATS = 64


class DivertRules:
    """Keeps what the PLC had to know: heartbeats, full lanes, its epoch."""

    def __init__(self, topology: Topology, book: Book, findings: Findings, full_on_ms: int) -> None:
        self._book = book
        self._findings = findings
        self._full_on_us = full_on_ms * 1000
        self._limit_us = topology.plc.heartbeat_ms * 1000
        self._beats: deque[int] = deque(maxlen=BEATS)
        self._full_since: dict[int, int] = {}
        self._entered_full: dict[int, int] = {}
        shipping = [one for one in topology.chutes if one.kind is ChuteKind.SHIPPING]
        self._shipping = frozenset(one.exit for one in shipping)
        self._reserve: dict[int, int] = {
            exit_.no: sum(one.reserve for one in topology.chutes if one.exit == exit_.no)
            for exit_ in topology.exits
        }

    def beat(self, at_us: int) -> None:
        self._beats.append(at_us)

    def lane(self, fact: LaneFull) -> None:
        if fact.full:
            self._full_since[fact.exit] = fact.at_us
        else:
            self._full_since.pop(fact.exit, None)
        self._entered_full.pop(fact.exit, None)

    def carried(self, parcel: TrueParcel, fact: Carried) -> None:
        """An arm carried a parcel; forced ones are the fault's doing, not the line's."""
        if fact.forced:
            return
        hold = self._findings.hold
        if fact.exit in self._shipping:
            fresh = any(
                beat <= fact.at_us and beat + self._limit_us + SCAN_SLACK_US >= fact.fire_us
                for beat in self._beats
            )
            last = self._beats[-1] if self._beats else None
            what = f"diverted to exit {fact.exit}, last heartbeat at {last} us"
            hold("dead_man", fresh, what, at_us=fact.at_us, parcel=parcel.uid)
            # A firing that has begun finishes (DIV-3): the arm of a PLC that dies meanwhile still carries.
            ended_us = self._book.ended_epochs.get(parcel.epoch)
            kept = parcel.epoch != 0 and (ended_us is None or ended_us >= fact.fire_us)
            what = f"inducted in epoch {parcel.epoch}, which ended at {ended_us} us"
            hold("plc_epoch", kept, what, at_us=fact.at_us, parcel=parcel.uid)
        since = self._full_since.get(fact.exit)
        blocked = since is not None and since + self._full_on_us + SCAN_SLACK_US < fact.fire_us
        what = f"diverted to exit {fact.exit}, full since {since} us"
        if since is not None:
            entered = self._entered_full[fact.exit] = self._entered_full.get(fact.exit, 0) + 1
            if entered > self._reserve[fact.exit]:
                blocked = True
                what = f"{entered} parcels into exit {fact.exit} since it was full"
        hold("chute_full", not blocked, what, at_us=fact.at_us, parcel=parcel.uid)
