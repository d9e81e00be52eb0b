"""The belt: event-driven physics in integers. Nothing is polled; every edge's time is computed.

``advance(to)`` processes everything up to an instant and returns the sensors' levels; ``wake_at()``
names the next instant at which something happens; ``apply`` takes the actuators' levels. The plant
(``simulators.plant``) never advances past a wake, so that the PLC sees every edge at its own time.
"""

from collections.abc import Callable
from functools import partial

from edge.model.codes import Code
from edge.model.topology import ReaderSpeaks, Topology
from simulators.cables import Actuators, Levels, Sensors, sensors_of
from simulators.seeds import SeededBits
from simulators.world.agenda import Agenda, Wake
from simulators.world.arms import Arms, firing_points_nm
from simulators.world.lanes import Lanes, Mouths
from simulators.world.motion import BeltMotion, Encoder
from simulators.world.parcel import (
    ALL_LABELS,
    AT_DIVERTER,
    CONFIRM_OFF,
    CONFIRM_ON,
    EYE_OFF,
    EYE_ON,
    HAZARD,
    LABEL,
    LABELS,
    LOAD,
    NM_PER_MM,
    NO_LABEL,
    RANK,
    ZONE_IN,
    ZONE_OUT,
    Body,
    Hazard,
    Item,
    ParcelSpec,
    Point,
    Way,
    end_eye,
    faced,
    loop_exit,
)
from simulators.world.platform import Platform
from simulators.world.standing import Standing
from simulators.world.truth import BeltSwitched, Carried, Inducted, Left, Placed, Removed, TruthSink

INFEED_MM = 30
"""A parcel is put on the belt with its leading edge this far before the induction eye."""

BLIND_US = 350_000
"""An encoder that lies is found within 200 ms (plc-contract ENC-1); then the arms go home."""

STOP_TOUCH_US = 2_000_000
"""Parcels on a belt that stands longer than this may have been touched (plc.md section 6)."""

LabelListener = Callable[[int, str, tuple[Code, ...]], None]
"""(at_us, reader, codes of one look; empty: it looked in vain)"""


class World:
    """One line's hall. ``bits`` draws label spots and transfer jitter only; people and faults have
    streams of their own."""

    def __init__(self, topology: Topology, bits: SeededBits, truth: TruthSink, at_us: int = 0) -> None:
        self.topology = topology
        self.now_us = at_us
        self.truth = truth
        self.motion = BeltMotion(topology.speed_mm_s, at_us)
        self.encoder = Encoder(topology.ticks_per_m)
        self.lanes = Lanes(len(topology.exits), truth)
        self.platform = Platform(truth)
        self.standing = Standing(self)
        self.mouths = Mouths()
        self.bodies: list[Body] = []
        """On the belt or on the way into a lane, in the order of placing."""
        self.on_label: list[LabelListener] = []
        self.on_drive: list[Wake] = []
        """Called after the belt or the induction was switched."""
        self.on_place: list[Callable[[Body], None]] = []
        self.on_round: list[Callable[[Body], None]] = []
        """Called when one has gone into the lane that leads back to the infeed."""
        self.on_hazard: list[Callable[[Body, Hazard], None]] = []
        self.e_stop = self.door = self.pull_cord = self.reset = False
        self.ready = True
        self.gate_eyes = 0
        """Behind the benches' gates (``simulators.world.benches``)."""
        self.placed = 0
        self.actuators = Actuators(
            belt=False,
            induction=False,
            diverters=(0,) * len(topology.diverters),
            zones_hold=0,
            gates=0,
            indicators=0,
        )
        self._bits = bits
        self.way = Way(topology)
        self.agenda = Agenda(self.motion)
        self._arms = Arms(topology, self.at, self._come_out)
        self._fire_nm = firing_points_nm(topology)
        self._cover = [0] * (len(topology.eyes) + 1)
        self._eyes = 0
        self._tail_nm: int | None = None
        self._untold: dict[str, tuple[Code, ...]] = {}
        """By reader: codes of parcels whose trigger has not ended, for the next touches them."""
        self._stopped_us = at_us
        self._end_no = end_eye(topology).no
        self.loop_exit = loop_exit(topology)

    # --- the plant's side ---------------------------------------------------------------------------

    def wake_at(self) -> int | None:
        """The next instant at which something happens by itself; None if nothing will."""
        wake = self.agenda.due
        return wake if wake is None or wake > self.now_us else self.now_us

    def advance(self, to_us: int) -> Sensors:
        """Do everything due up to and including ``to_us``. ``ValueError`` for a time in the past."""
        self.go(to_us)
        return self.sensors()

    def go(self, to_us: int) -> None:
        """``advance``, where nobody looks at the sensors."""
        if to_us < self.now_us:
            raise ValueError(f"the world is at {self.now_us} us, it cannot go back to {to_us} us")
        agenda = self.agenda
        while (wake := agenda.due) is not None and wake <= to_us:
            self.now_us = max(self.now_us, wake)
            agenda.run(self.now_us, self._pass)
        self.now_us = to_us

    def levels(self) -> Levels:
        """The inputs of which a PLC sees an edge."""
        lanes = self.lanes
        return (
            self._eyes,
            lanes.confirm,
            self._arms.home,
            lanes.full,
            lanes.end_full,
            self.e_stop,
            self.door,
            self.pull_cord,
            self.reset,
            self.ready,
            self.gate_eyes,
        )

    def sensors(self, levels: Levels | None = None) -> Sensors:
        """What the PLC is shown now; ``levels`` where they are known already."""
        now_us = self.now_us
        return sensors_of(now_us, self.ticks_at(now_us), self.levels() if levels is None else levels)

    def apply(self, actuators: Actuators) -> None:
        """The levels that the PLC drives from now on."""
        before = self.actuators
        if actuators is before:
            return
        self.actuators = actuators
        if actuators.belt != before.belt:
            self.drive()
        if actuators.diverters != before.diverters:
            self._arms.tell(actuators.diverters, self.now_us)
        if actuators.zones_hold != before.zones_hold:
            self.standing.hold_zones(actuators.zones_hold)
        if (actuators.induction, actuators.belt) != (before.induction, before.belt):
            for listener in self.on_drive:
                listener(self.now_us)

    def ticks_at(self, now_us: int) -> int:
        """What the encoder has counted; ``now_us`` not before the last change of speed."""
        return self.encoder.ticks(self.motion.position_nm(now_us), now_us)

    # --- the people's side --------------------------------------------------------------------------

    @property
    def belt_nm(self) -> int:
        return self.motion.position_nm(self.now_us)

    def at(self, at_us: int, wake: Wake) -> None:
        """Call ``wake(now)`` at an instant, at once if it is past."""
        self.agenda.at(max(at_us, self.now_us), wake)

    def at_belt(self, belt_nm: int, wake: Wake) -> None:
        """Call ``wake(now)`` when the belt has come to a position."""
        self.agenda.at_belt(belt_nm, wake)

    def queue(self, body: Body) -> None:
        """Wait for the next point of a body."""
        self.agenda.queue(body)

    def drive(self) -> None:
        """The motor runs while the PLC wants it, there is power, and no e-stop cuts it."""
        wanted = self.actuators.belt and self.ready and not self.e_stop
        if wanted == self.motion.driven:
            return
        self.motion.drive(wanted, self.now_us)
        self.agenda.changed()
        cause = "e_stop" if self.e_stop else "plc" if self.ready else "power"
        self.truth(BeltSwitched(self.now_us, wanted, cause))
        if not wanted:
            self._stopped_us = self.now_us
            self.at(self.now_us + STOP_TOUCH_US, partial(self._stood_long, self.now_us))

    def touch(self, *, through_guards: bool = True) -> None:
        """A hand can reach every parcel that has passed the induction eye, before it nobody is known; where
        the guards stay shut, none that lies wholly behind them."""
        belt_nm = self.belt_nm
        for body in self.bodies:
            lead = body.lead_nm(belt_nm)
            reached = through_guards or not self._is_guarded(lead - body.length_nm, lead)
            if body.item.touched_us < 0 and lead >= 0 and reached:
                body.item.touched_us = self.now_us

    def _is_guarded(self, tail_nm: int, lead_nm: int) -> bool:
        """All of a stretch of belt."""
        return any(
            one.guarded and one.from_mm * NM_PER_MM <= tail_nm and lead_nm < one.to_mm * NM_PER_MM
            for one in self.topology.guard_zones
        )

    def place(self, spec: ParcelSpec, at_nm: int | None = None, again: int = 0) -> Body:
        """Put a parcel at the infeed, its leading edge ``INFEED_MM`` before the induction eye.

        ``at_nm``: the belt position (passed within this microsecond) at which it was exactly there.
        ``again``: who it was on its last lap; what was planned for its index has been done then.
        """
        self.placed += 1
        spec = faced(spec, self.topology)
        now = self.now_us
        spots = tuple(self._bits.between(1, one.field_mm - 1) for one in self.topology.readers)
        body = Body(
            n=self.placed,
            item=Item(uid=self.placed, spec=spec),
            length_nm=spec.length_mm * NM_PER_MM,
            origin_nm=(self.belt_nm if at_nm is None else at_nm) + INFEED_MM * NM_PER_MM,
            points=self.way.points(spec, spots),
            hazards=spec.hazards,
            spots_mm=spots,
        )
        self.bodies.append(body)
        self.truth(
            Placed(
                now,
                self.placed,
                spec.index,
                spec.length_mm,
                spec.weight_g,
                spec.order_no,
                spec.waybill,
                spec.candidates,
                spec.faults,
                again,
            )
        )
        self.queue(body)
        if not again:
            for listener in self.on_place:
                listener(body)
        return body

    def remove(self, body: Body) -> None:
        """A person takes a parcel off the belt; one that has entered its lane is pushed on into it."""
        if body.entered:
            if body.lane != self.lanes.end.exit:
                self.lanes.clear_confirm(body.lane)
            self._leave_belt(body)
            self._gone_into(body, body.lane)
            return
        lead_mm = body.lead_nm(self.belt_nm) // NM_PER_MM
        self._leave_belt(body)
        self.mouths.freed(body)
        item = body.item
        self.truth(Removed(self.now_us, item.uid, lead_mm, item.touched_us, tuple(item.seen)))
        self.standing.free_pile()

    # --- inside -------------------------------------------------------------------------------------

    def _pass(self, body: Body, point: Point) -> None:
        _, _, kind, argument, _ = point
        if kind == EYE_ON:
            self._cover_eye(body, argument)
        elif kind == EYE_OFF:
            self._uncover_eye(body, argument)
            if argument == self._end_no:
                self._leave_belt(body)
        elif kind == LOAD:
            self.platform.step(body, argument, self.now_us)
        elif kind == AT_DIVERTER:
            self._meet_arm(body, argument)
        elif kind == LABEL:
            self._show_label(body, argument)
        elif kind == CONFIRM_ON:
            self._left(body, argument)
        elif kind == CONFIRM_OFF:
            self.lanes.clear_confirm(argument)
            self._leave_belt(body)
            self._gone_into(body, argument)
        elif kind == ZONE_IN:
            self.standing.enter_zone(body, argument)
        elif kind == ZONE_OUT:
            body.zone = 0
        elif kind == HAZARD:
            for listener in self.on_hazard:
                listener(body, body.hazards[argument])

    def cover(self, body: Body, eye: int) -> None:
        """It stands before an eye from now on."""
        self._cover_eye(body, eye)

    def uncover(self, body: Body, eye: int) -> None:
        """It stands before that eye no more."""
        self._uncover_eye(body, eye)

    def meet_arm(self, body: Body, diverter: int) -> None:
        """Its leading edge has come over a diverter (order number)."""
        self._meet_arm(body, diverter)

    def _cover_eye(self, body: Body, eye: int) -> None:
        bit = 1 << (eye - 1)
        merged = self._cover[eye] > 0
        self._cover[eye] += 1
        self._eyes |= bit
        body.covered |= bit
        if body.astray:
            body.astray = False
            body.found_us = self.now_us
        ticks = self.ticks_at(self.now_us)
        if not merged:
            body.item.seen.append((eye, ticks))
        if eye == 1:
            tail = self._tail_nm
            gap_mm = 0 if merged else -1 if tail is None else (body.origin_nm - tail) // NM_PER_MM
            self.truth(Inducted(self.now_us, body.item.uid, ticks, gap_mm, merged))
        elif eye == self._end_no:
            self._left(body, self.lanes.end.exit)

    def _uncover_eye(self, body: Body, eye: int) -> None:
        body.covered &= ~(1 << (eye - 1))
        self._cover[eye] -= 1
        if self._cover[eye] == 0:
            self._eyes &= ~(1 << (eye - 1))
        if eye == 1:
            self._tail_nm = min(self.belt_nm, body.origin_nm + body.length_nm)

    def _left(self, body: Body, exit_no: int) -> None:
        """Its leading edge is at the confirm eye: it has entered a lane, or the end of the line."""
        item = body.item
        body.lane = exit_no
        body.entered = True
        ticks = self.ticks_at(self.now_us)
        self.truth(Left(self.now_us, item.uid, exit_no, ticks, item.touched_us, tuple(item.seen)))
        self.lanes.enter(exit_no, self.now_us)

    def _gone_into(self, body: Body, exit_no: int) -> None:
        if exit_no == self.loop_exit:
            for listener in self.on_round:
                listener(body)

    def _leave_belt(self, body: Body) -> None:
        """It is no longer there for any eye or scale."""
        body.generation += 1
        self.bodies.remove(body)
        for eye in range(1, len(self._cover)):
            if body.covered >> (eye - 1) & 1:
                self._uncover_eye(body, eye)
        self.platform.leave(body, self.now_us)

    def _show_label(self, body: Body, argument: int) -> None:
        order, number = divmod(argument, LABELS)
        labels = body.item.spec.labels
        reader = self.topology.readers[order]
        codes: tuple[Code, ...] = ()
        if number == ALL_LABELS:
            codes = tuple(code for label in labels if label.seen_by(reader.id) for code in label.codes)
        elif number != NO_LABEL and number < len(labels):
            codes = labels[number].codes
        if reader.speaks is ReaderSpeaks.AT_TRIGGER_END:
            codes = self._untold.pop(reader.id, ()) + codes
            if self._touched_from_behind(body):
                self._untold[reader.id] = codes
                return
        for listener in self.on_label:
            listener(self.now_us, reader.id, codes)

    def _touched_from_behind(self, body: Body) -> bool:
        """The next parcel touches it: for a trigger, as for an eye, they are one."""
        belt_nm = self.belt_nm
        tail = body.lead_nm(belt_nm) - body.length_nm
        for one in self.bodies:
            lead = one.lead_nm(belt_nm)
            if one is not body and not one.lane and lead - one.length_nm < tail <= lead:
                return True
        return False

    # --- diverters ----------------------------------------------------------------------------------

    def _come_out(self, number: int) -> None:
        """An arm is where it was told to be; what moves over it goes along."""
        belt_nm = self.belt_nm
        for body in list(self.bodies):
            moves = body.held_nm is None and not body.lane
            if moves and self._arms.sweeps(number, body.lead_nm(belt_nm), body.length_nm):
                self._meet_arm(body, number)

    def _meet_arm(self, body: Body, number: int) -> None:
        """Its leading edge is at a diverter, or an arm has come out under it: where an arm acts, the
        parcel is carried off, whoever it was meant for. What happens so to one that was moved, where no eye
        had seen it again before the arm was told to act, is the accident's doing."""
        exit_no = self.exit_of(number)
        if exit_no:
            unseen = body.astray or body.found_us >= self._arms.out_us(number)
            self.carry(body, exit_no, self._arms.told_us(number), forced=unseen)

    def exit_of(self, number: int) -> int:
        """The exit for which the arm of a diverter (order number) acts now; 0: none."""
        return self._arms.exit_of(number)

    def set_e_stop(self, on: bool) -> None:
        """The button is hit: the drive is cut by hard wire, and whoever hit it can reach the belt."""
        self.e_stop = on
        if on:
            self.touch()
        self.drive()

    def set_door(self, on: bool) -> None:
        """A guard is opened: the PLC stops the belt, and a hand can reach it."""
        self.door = on
        if on:
            self.touch()

    def carry(self, body: Body, exit_no: int, told_us: int, forced: bool) -> None:
        """It leaves the belt's way for a lane: what of it is still upstream follows, what lies
        downstream never sees it, and the exit's confirm eye will.

        While nobody can know yet that the encoder lies, what an arm does is that fault's doing.
        """
        exit_ = self.topology.exits[exit_no - 1]
        here = exit_.position_mm * NM_PER_MM
        fire_us = self.motion.time_when(body.origin_nm + self._fire_nm[exit_no - 1])
        forced = forced or self.encoder.lied_within(BLIND_US, self.now_us)
        self.truth(Carried(self.now_us, body.item.uid, exit_no, fire_us, told_us, forced))
        kept = [one for one in body.points[body.next :] if _upstream(one, body, here)]
        low, high = exit_.confirm_from_mm * NM_PER_MM, exit_.confirm_to_mm * NM_PER_MM
        quarter = (high - low) // 4
        spot = low + quarter + self._bits.below(2 * quarter + 1)
        late = max(0, body.lead_nm(self.belt_nm) - here)
        if not self.mouths.stops(body, exit_no, self.now_us):
            for kind, offset in ((CONFIRM_ON, spot + late), (CONFIRM_OFF, spot + late + body.length_nm)):
                kept.append((offset, RANK[kind], kind, exit_no, spot))
        kept.sort()
        body.lane = exit_no
        body.points = kept
        body.next = 0
        body.generation += 1
        self.queue(body)

    def _stood_long(self, stopped_us: int, now_us: int) -> None:
        if not self.motion.driven and self._stopped_us == stopped_us:
            self.touch(through_guards=False)


def _upstream(point: Point, body: Body, here_nm: int) -> bool:
    """Whether a carried body still passes a point: eyes that it covers, and machines before here."""
    _, _, kind, argument, place = point
    if kind == EYE_OFF:
        return bool(body.covered >> (argument - 1) & 1)
    return place < here_nm and kind in (LOAD, LABEL, ZONE_OUT)
