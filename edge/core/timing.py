"""The line's timing: one set of formulas for the core and for the lint that proves a line.

Pure integers. Positions are millimetres of belt from the induction eye to a parcel's *leading* edge.
``speed`` in mm/s times a time in ms is a distance in µm, exactly; it is rounded once, at the end, and
always as the docstring says. ``v`` is the nominal speed, ``v_max`` the one that a belt may reach.
"""

from dataclasses import dataclass

from edge.model.quick import quick
from edge.model.topology import Reader, ReaderSpeaks, Scale, Topology
from edge.model.units import Mm, Ticks

MAX_SPEED_PERMILLE = 1050
"""A loaded belt on a warm drive runs up to 5 % fast; every proof of position uses v_max."""
COMMIT_BUDGET_MS = 50
"""From a decision to its durable commit (p99 of the journal's promise)."""
LOOP_MS = 11
"""From an event's arrival to the core's answer: one loop of the process under load."""
LOOK_UP_MS = 20
"""From a look-up's commit to its answer in the queue."""
QUEUED_COMMANDS = 1
"""Commands that may stand before this one on the link (q)."""
LINK_BUDGET_PERMILLE = 700
"""Share of the link's time that planned transactions may take."""
MIN_CYCLE_MS = 100
MIN_TIMEOUT_MS = 100
MAX_TIMEOUT_MS = 300
"""A larger time-out must be set by the line itself."""
RECONNECT_DELAY_MS = 100
MAX_TURNAROUND_MS = 200
"""Slower PLCs are not worth a mailbox."""
MIN_RING_SLOTS = 256
RING_S = 10
"""Seconds of peak events that the PLC keeps for a silent PC."""
SLOT_WORDS = 10
US_PER_MM = 1_000
MS_PER_H = 3_600_000


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _nearest(numerator: int, denominator: int) -> int:
    """Nearest integer, a half to the even one."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and whole % 2):
        whole += 1
    return whole


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TickWindow:
    """A closed interval of belt ticks: both ends belong to it."""

    first: Ticks
    last: Ticks

    def __contains__(self, ticks: int) -> bool:
        return self.first <= ticks <= self.last

    def holds(self, first: int, last: int) -> bool:
        """The whole of ``first…last`` lies inside."""
        return self.first <= first and last <= self.last

    def touches(self, first: int, last: int) -> bool:
        """At least one tick of ``first…last`` lies inside."""
        return first <= self.last and self.first <= last


# Distance and ticks


def mm_to_ticks(distance_mm: int, ticks_per_m: int) -> Ticks:
    """Nearest tick, a half to the even one."""
    return Ticks(_nearest(distance_mm * ticks_per_m, 1_000))


def mm_to_ticks_down(distance_mm: int, ticks_per_m: int) -> Ticks:
    """Last tick not beyond the distance."""
    return Ticks(distance_mm * ticks_per_m // 1_000)


def mm_to_ticks_up(distance_mm: int, ticks_per_m: int) -> Ticks:
    """First tick not short of the distance."""
    return Ticks(_up(distance_mm * ticks_per_m, 1_000))


def ticks_to_mm(ticks: int, ticks_per_m: int) -> Mm:
    """Nearest millimetre, a half to the even one."""
    return Mm(_nearest(ticks * 1_000, ticks_per_m))


def ticks_to_mm_up(ticks: int, ticks_per_m: int) -> Mm:
    """Millimetres that are surely not passed."""
    return Mm(_up(ticks * 1_000, ticks_per_m))


def max_speed_mm_s(speed_mm_s: int) -> int:
    """v_max = 1.05 v, rounded up to 1 mm/s."""
    return _up(speed_mm_s * MAX_SPEED_PERMILLE, 1_000)


def travel_mm(speed_mm_s: int, time_ms: int) -> Mm:
    """Belt that passes in a time, rounded up to 1 mm."""
    return Mm(_up(speed_mm_s * time_ms, US_PER_MM))


# Exits (plc.md section 4)


def _commit_um(position_mm: int, v_max: int, actuator_ms: int, scan_ms: int, margin_mm: int) -> int:
    return (position_mm - margin_mm) * US_PER_MM - v_max * (actuator_ms + scan_ms)


def commit_mm(position_mm: int, v_max: int, actuator_ms: int, scan_ms: int, margin_mm: int) -> Mm:
    """Commit point of an exit: D − v_max × (actuator + PLC scan) − margin.

    A parcel whose leading edge has passed it can no longer be commanded (TOO_LATE). Nearest mm; the
    half millimetre is borne by the margin.
    """
    return Mm(_nearest(_commit_um(position_mm, v_max, actuator_ms, scan_ms, margin_mm), US_PER_MM))


def decide_to_applied_ms(turnaround_ms: int, scan_ms: int) -> int:
    """Longest time from a decision to the PLC's having it:
    commit budget + loop + scan + (3 + 2q) × turnaround."""
    return COMMIT_BUDGET_MS + LOOP_MS + scan_ms + (3 + 2 * QUEUED_COMMANDS) * turnaround_ms


def deadline_mm(
    position_mm: int, v_max: int, actuator_ms: int, scan_ms: int, margin_mm: int, turnaround_ms: int
) -> Mm:
    """Decision deadline of an exit: commit point − v_max × (decide → applied). Nearest mm; a decision
    after it is ``late_decision``."""
    commit_um = _commit_um(position_mm, v_max, actuator_ms, scan_ms, margin_mm)
    return Mm(_nearest(commit_um - v_max * decide_to_applied_ms(turnaround_ms, scan_ms), US_PER_MM))


def change_gap_mm(zone_mm: int, v_max: int, change_ms: int) -> Mm:
    """Smallest gap that lets a diverter go from side to side between two parcels:
    zone + v_max × change time, rounded up."""
    return Mm(zone_mm + travel_mm(v_max, change_ms))


# Flow


def throughput_per_h(speed_mm_s: int, length_mm: int, gap_mm: int) -> int:
    """Parcels an hour = 3600 · v / (L + gap), rounded down."""
    return 3_600 * speed_mm_s // (length_mm + gap_mm)


def hold_ms(settle_ms: int, filter_ms: int, stable_ms: int, cycle_time_ms: int) -> int:
    """How long a static scale's zone stands for one parcel: settle + filter + agreement, and a cycle
    each to see *held* and to tell *release*."""
    return settle_ms + filter_ms + stable_ms + 2 * cycle_time_ms


def static_throughput_per_h(speed_mm_s: int, length_max_mm: int, gap_mm: int, held_ms: int) -> int:
    """Parcels an hour ≤ 3600 / ((L_max + gap)/v + t_hold), rounded down (plc.md section 6)."""
    per_parcel_us = _up((length_max_mm + gap_mm) * 1_000_000, speed_mm_s) + held_ms * 1_000
    return 3_600_000_000 // per_parcel_us


def chute_reserve(
    confirm_to_mm: int, decision_mm: int, pitch_mm: int, full_on_ms: int, nominal_per_h: int
) -> int:
    """Parcels that may still come after the exit's eye is covered: all that fit between the decision
    and the confirm window's end at the mean pitch, and those of the full signal's on-delay."""
    in_flight = _up(confirm_to_mm - decision_mm, pitch_mm)
    return in_flight + _up(nominal_per_h * full_on_ms, MS_PER_H)


def parcels_on_belt(end_mm: int, length_min_mm: int, gap_mm: int) -> int:
    """Most parcels that the tracked length can hold: what the end lane must have room for."""
    return end_mm // (length_min_mm + gap_mm) + 1


def merged_length_mm(line: Topology) -> Mm:
    """From twice the mean length on, a body that is too long is taken for two parcels on one place."""
    return Mm(2 * line.length_mean_mm)


# Reading (plc.md section 7)


def belt_clock_error_ms(turnaround_ms: int, scan_ms: int) -> int:
    """The PC knows the PLC's clock to within one round trip, the PLC its own ticks to one scan."""
    return turnaround_ms + scan_ms


def code_uncertainty_mm(v_max: int, latency_min_ms: int, latency_max_ms: int, clock_error_ms: int) -> Mm:
    """Width of a code's interval of possible positions:
    v_max × (reader's latency spread + belt clock error), rounded up."""
    return travel_mm(v_max, latency_max_ms - latency_min_ms + clock_error_ms)


def code_gap_mm(field_mm: int, uncertainty_mm: int, track_tolerance_mm: int) -> Mm:
    """The gap must be larger than this for a code to touch one parcel's window only: the reader's
    field, and on either side the code's uncertainty and the parcel's."""
    return Mm(field_mm + 2 * (uncertainty_mm + track_tolerance_mm))


def reader_uncertainty_mm(line: Topology, reader: Reader) -> Mm:
    """``code_uncertainty_mm`` of a reader on its line."""
    error_ms = belt_clock_error_ms(line.plc.turnaround_ms, line.plc.scan_ms)
    return code_uncertainty_mm(line.max_speed_mm_s, reader.latency_min_ms, reader.latency_max_ms, error_ms)


def read_window(line: Topology, reader: Reader, origin: Ticks, length_mm: Mm) -> TickWindow:
    """Belt ticks at which ``reader`` can speak of the parcel whose leading edge was at the induction
    eye at ``origin``.

    AT_READ: some part of it is in the field, so its leading edge is in P − F/2 … P + F/2 + L.
    AT_TRIGGER_END: its trailing edge leaves the field, so its leading edge is at P + F/2 + L, give or
    take the length tolerance. Either widened on both sides by the code's uncertainty and the track
    tolerance, rounded outwards. A code is the parcel's if its whole interval lies inside and touches
    no other parcel's window.
    """
    leaves_mm = reader.position_mm + _up(reader.field_mm, 2) + length_mm
    slack_mm = reader_uncertainty_mm(line, reader) + line.track_tolerance_mm
    if reader.speaks is ReaderSpeaks.AT_READ:
        first_mm, last_mm = reader.position_mm - _up(reader.field_mm, 2), leaves_mm
    else:
        first_mm, last_mm = leaves_mm - line.length_tolerance_mm, leaves_mm + line.length_tolerance_mm
    return TickWindow(
        first=Ticks(origin + mm_to_ticks_down(first_mm - slack_mm, line.ticks_per_m)),
        last=Ticks(origin + mm_to_ticks_up(last_mm + slack_mm, line.ticks_per_m)),
    )


def read_due_mm(line: Topology, reader: Reader, length_mm: Mm) -> Mm:
    """Leading-edge position by which the last answer about a parcel has come:
    end of its read window + v_max × (largest latency + belt clock error), rounded up."""
    window = read_window(line, reader, Ticks(0), length_mm)
    error_ms = belt_clock_error_ms(line.plc.turnaround_ms, line.plc.scan_ms)
    waits = travel_mm(line.max_speed_mm_s, reader.latency_max_ms + error_ms)
    return Mm(ticks_to_mm_up(window.last, line.ticks_per_m) + waits)


# Weighing (domain.md section 6)


def weighing_ms(settle_ms: int, filter_ms: int, samples: int, rate_hz: int) -> int:
    """T = t_settle + t_filter + n/f, rounded up; f the measured rate of independent readings."""
    return settle_ms + filter_ms + _up(samples * 1_000, rate_hz)


def belt_scale_mm(
    speed_mm_s: int, time_ms: int, length_min_mm: int, length_max_mm: int, gap_mm: int
) -> tuple[Mm, Mm]:
    """Smallest and largest legal length of a belt scale between its eyes:
    L_max + v·T ≤ length ≤ L_min + 2·gap − v·T. The first rounded up, the second down; if the first
    is larger, this line cannot weigh in motion."""
    travel = travel_mm(speed_mm_s, time_ms)
    return Mm(length_max_mm + travel), Mm(length_min_mm + 2 * gap_mm - travel)


def clear_gap_mm(scale_mm: int, v_max: int, held_ms: int, cleared_ms: int) -> Mm:
    """Smallest gap at induction after which a static scale is seen empty between two parcels: its length,
    and what the second one gains while the first stands (``held_ms``) and while the empty scale is read
    (``cleared_ms``), rounded up."""
    return Mm(scale_mm + travel_mm(v_max, held_ms + cleared_ms))


def capture_mm(
    line: Topology, scale: Scale, length_mm: int, ahead_mm: int | None = None, behind_mm: int | None = None
) -> tuple[Mm, Mm]:
    """Leading-edge positions between which a frame's moment must lie to weigh this parcel alone.

    From: its trailing edge is past the infeed eye and the parcel ahead (by a gap of ``ahead_mm``) has
    left the scale, plus v_max × settling. To: its leading edge is at the outfeed eye, or the parcel
    behind (``behind_mm``) at the infeed eye, less v_max × filter, whose average must not reach past
    that. None: no such neighbour. Rounded inwards; empty when the first is larger.
    """
    infeed = line.eyes[scale.infeed_eye - 1].position_mm
    outfeed = line.eyes[scale.outfeed_eye - 1].position_mm
    alone_from = infeed + length_mm
    alone_to = int(outfeed)
    if ahead_mm is not None:
        alone_from = max(alone_from, outfeed - ahead_mm)
    if behind_mm is not None:
        alone_to = min(alone_to, infeed + length_mm + behind_mm)
    v_max = line.max_speed_mm_s
    return Mm(alone_from + travel_mm(v_max, scale.settle_ms)), Mm(
        alone_to - travel_mm(v_max, scale.filter_ms)
    )


def capture_window(
    line: Topology,
    scale: Scale,
    origin: Ticks,
    length_mm: Mm,
    ahead_mm: Mm | None = None,
    behind_mm: Mm | None = None,
) -> TickWindow | None:
    """``capture_mm`` in belt ticks for a parcel inducted at ``origin``, for ``CaptureWeight``; None
    when the parcel is never alone and settled on the scale."""
    first_mm, last_mm = capture_mm(line, scale, length_mm, ahead_mm, behind_mm)
    first = mm_to_ticks_up(first_mm, line.ticks_per_m)
    last = mm_to_ticks_down(last_mm, line.ticks_per_m)
    if first >= last:
        return None
    return TickWindow(first=Ticks(origin + first), last=Ticks(origin + last))


def samples_in(window_mm: int, speed_mm_s: int, rate_hz: int) -> int:
    """Independent readings that surely fall into a window at nominal speed, rounded down."""
    return max(0, window_mm * rate_hz // speed_mm_s)


# The link to the PLC (plc.md sections 3 and 7)


def cycle_ms(turnaround_ms: int) -> int:
    """max(100 ms, 3 × turnaround)."""
    return max(MIN_CYCLE_MS, 3 * turnaround_ms)


def timeout_ms(turnaround_ms: int) -> int:
    """max(100 ms, 3 × turnaround); above 300 ms the line must set it itself."""
    return max(MIN_TIMEOUT_MS, 3 * turnaround_ms)


def reopen_ms(turnaround_ms: int) -> int:
    """Longest time from a time-out to the next heartbeat at the PLC: reconnect delay, the identity
    read and the first cycle's write."""
    return RECONNECT_DELAY_MS + 2 * turnaround_ms


def heartbeat_floor_ms(time_out_ms: int, turnaround_ms: int) -> int:
    """The heartbeat limit must be larger than time-out + reopen + one cycle: one lost answer must
    not drop the belt's commands."""
    return time_out_ms + reopen_ms(turnaround_ms) + cycle_ms(turnaround_ms)


def reads_per_parcel(events_hundredths: int, max_block: int) -> int:
    """Ring reads for one parcel's events (in hundredths), whole slots of 10 words a read."""
    return _up(events_hundredths, 100 * (max_block // SLOT_WORDS))


def link_load_permille(
    nominal_per_h: int, event_reads: int, turnaround_ms: int, cycle_transactions: int
) -> int:
    """Share of the link's time: (event reads + command + read-back a parcel, and the cycle's
    transactions) per second × turnaround, in ‰, rounded up. 700 is the budget."""
    parcels = _up(nominal_per_h * (event_reads + 2) * turnaround_ms * 1_000, MS_PER_H)
    return parcels + _up(cycle_transactions * turnaround_ms * 1_000, cycle_ms(turnaround_ms))


def ring_slots(speed_mm_s: int, length_min_mm: int, gap_mm: int, events_hundredths: int) -> int:
    """Slots the ring must have: 10 s of events at the closest pitch, and at least 256."""
    in_10_s = _up(RING_S * speed_mm_s * events_hundredths, 100 * (length_min_mm + gap_mm))
    return max(MIN_RING_SLOTS, in_10_s)
