"""Facts of the truth log go into the book, the tally and the rules that judge them as they come."""

from collections.abc import Callable

from edge.model.topology import Topology
from simulators.world.book import Book, TrueParcel
from simulators.world.digest import RunDigest
from simulators.world.parcel import loop_exit
from simulators.world.rules_divert import DivertRules
from simulators.world.rules_review import ReviewRules
from simulators.world.tally import Tally
from simulators.world.truth import (
    Carried,
    CommandJudged,
    CommandWritten,
    EncoderLied,
    HeartbeatMoved,
    Inducted,
    LaneFull,
    Left,
    OnScale,
    Placed,
    PlcAway,
    PlcStarted,
    PlcStopped,
    Removed,
    Swapped,
    Truth,
    WorkMoved,
)

GAP_SLACK_MM = 5
"""What eyes and encoder cannot tell apart is not held against the line."""


class FactIntake:
    """One method per kind of fact that matters to the checker."""

    def __init__(
        self,
        topology: Topology,
        book: Book,
        tally: Tally,
        diverts: DivertRules,
        reviews: ReviewRules,
        digest: RunDigest,
    ) -> None:
        self.newest = 0
        """The parcel placed last."""
        self.at_us = 0
        self._gap_mm = topology.gap_min_mm - GAP_SLACK_MM
        self._book = book
        self._tally = tally
        self._diverts = diverts
        self._digest = digest
        self._before: TrueParcel | None = None
        self._lies_until_us = 0
        self._loop_exit = loop_exit(topology)
        self._laps: dict[int, int] = {}
        """Of parcels on their way back to the infeed."""
        self._take: dict[type, Callable[..., None]] = {
            Placed: self._placed,
            WorkMoved: reviews.moved,
            Inducted: self._inducted,
            OnScale: self._on_scale,
            Carried: self._carried,
            Left: self._left,
            Removed: self._removed,
            Swapped: self._swapped,
            LaneFull: diverts.lane,
            HeartbeatMoved: self._beat,
            CommandWritten: self._written,
            CommandJudged: self._judged,
            PlcStarted: self._plc_started,
            PlcStopped: self._plc_stopped,
            PlcAway: self._plc_away,
            EncoderLied: self._encoder_lied,
        }

    def take(self, fact: Truth) -> None:
        self.at_us = fact.at_us
        take = self._take.get(type(fact))
        if take is not None:
            take(fact)

    # --- parcels ------------------------------------------------------------------------------------

    def _placed(self, fact: Placed) -> None:
        laps = self._laps.pop(fact.again, 0)
        self._book.parcels[fact.parcel] = TrueParcel(placed=fact, laps=laps)
        if fact.again:
            self._tally.recirculated += 1
        elif fact.index < 0:
            self._tally.inserted += 1
        else:
            self._tally.placed += 1
        self.newest = fact.parcel

    def _inducted(self, fact: Inducted) -> None:
        parcel, before = self._book.parcels[fact.parcel], self._before
        parcel.inducted = fact
        parcel.epoch = self._book.epoch
        parcel.blind = fact.at_us <= self._lies_until_us
        if not fact.merged:
            self._book.edge(parcel, 1, fact.ticks)
        if before is not None:
            if 0 <= fact.gap_mm < self._gap_mm:
                parcel.close = before.close = True
            if fact.merged:
                parcel.head = before.head or before
                parcel.head.group.append(parcel)
        self._before = parcel

    def _on_scale(self, fact: OnScale) -> None:
        self._book.parcels[fact.parcel].on_scale.append(fact)

    def _carried(self, fact: Carried) -> None:
        parcel = self._book.parcels[fact.parcel]
        parcel.carried.append(fact)
        self._diverts.carried(parcel, fact)

    def _left(self, fact: Left) -> None:
        self._digest.exit(fact)
        parcel = self._gone(fact)
        parcel.left = fact
        if fact.exit == self._loop_exit:
            self._laps[fact.parcel] = parcel.laps + 1
        else:
            self._tally.exited += 1

    def _removed(self, fact: Removed) -> None:
        self._digest.exit(fact)
        self._gone(fact).removed = fact

    def _gone(self, fact: Left | Removed) -> TrueParcel:
        parcel = self._book.parcels[fact.parcel]
        parcel.gone_us = fact.at_us
        for eye, ticks in fact.seen:
            self._book.edge(parcel, eye, ticks)
        return parcel

    def _swapped(self, fact: Swapped) -> None:
        if fact.running:
            self._tally.undetectable += 1
            for uid in (fact.parcel, fact.other):
                self._book.parcels[uid].swapped = True

    def _encoder_lied(self, fact: EncoderLied) -> None:
        self._lies_until_us = fact.until_us
        for parcel in self._book.parcels.values():
            if parcel.inducted is not None and not parcel.gone:
                parcel.blind = True

    # --- the PLC and its bus ------------------------------------------------------------------------

    def _beat(self, fact: HeartbeatMoved) -> None:
        self._diverts.beat(fact.at_us)

    def _written(self, fact: CommandWritten) -> None:
        self._book.commands_of(fact.epoch, fact.number)[0].append(fact)

    def _judged(self, fact: CommandJudged) -> None:
        self._book.commands_of(fact.epoch, fact.number)[1].append(fact)

    def _plc_started(self, fact: PlcStarted) -> None:
        self._book.epoch = fact.epoch
        self._book.shifts[fact.epoch] = fact.shift

    def _plc_stopped(self, fact: PlcStopped) -> None:
        self._book.ended_epochs[self._book.epoch] = fact.at_us
        self._book.epoch = 0

    def _plc_away(self, fact: PlcAway) -> None:
        self._tally.plc_away(fact.at_us, fact.until_us)
