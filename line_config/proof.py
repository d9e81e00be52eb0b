"""The numbers that prove a line's timing, computed from its topology with ``edge.core.timing``.

Facts only; what must hold between them is in ``timing_lint``.
"""

from dataclasses import dataclass, replace

from edge.core import timing
from edge.model.topology import Chute, Diverter, Exit, Reader, ScaleKind, Topology
from edge.model.units import Mm, Ticks
from line_config.description import LineDescription

RING_READS = 3
"""Status, slots, and the status that proves them."""
WORD_MS = 20
"""From the line's loop to a camera's, on a busy core."""
CLEAR_READINGS = 2
"""Of an empty static scale between two parcels: one is enough, the other may fall between two updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitProof:
    """``slack_mm``: belt from the decision position to the deadline."""

    no: int
    id: str
    chutes: tuple[str, ...]
    position_mm: int
    commit_mm: int
    deadline_mm: int
    slack_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiverterProof:
    """Gap that a change of side needs, of the line's smallest gap."""

    id: str
    gap_needed_mm: int
    gap_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProof:
    """``uncertainty_mm``: of a code's position; ``due_mm``: where its last answer about the longest
    parcel is in."""

    id: str
    uncertainty_mm: int
    gap_needed_mm: int
    gap_mm: int
    due_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighProof:
    """Belt scale: legal lengths, and readings that fall into the longest parcel's window. Static
    scale: how long a parcel stands (``time_ms``); its longest legal length is not bounded (0)."""

    kind: ScaleKind
    length_mm: int
    length_min_mm: int
    length_max_mm: int
    time_ms: int
    samples: int
    samples_needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProof:
    """Load in ‰ of the link's time at the nominal rate; ``heartbeat_mm``: belt at v_max until the PLC
    has dropped everything after the PC's death."""

    turnaround_ms: int
    largest_turnaround_ms: int
    load_permille: int
    event_reads: int
    cycle_ms: int
    timeout_ms: int
    heartbeat_ms: int
    heartbeat_needed_ms: int
    heartbeat_mm: int
    ring_slots: int
    ring_slots_needed: int


def exit_proofs(line: Topology) -> tuple[ExitProof, ...]:
    return tuple(
        ExitProof(
            no=one.no,
            id=one.id,
            chutes=tuple(chute.id for chute in line.chutes if chute.exit == one.no),
            position_mm=one.position_mm,
            commit_mm=one.commit_mm,
            deadline_mm=one.deadline_mm,
            slack_mm=one.deadline_mm - line.decision_mm,
        )
        for one in line.exits
    )


def diverter_proof(line: Topology, one: Diverter) -> DiverterProof:
    needed = timing.change_gap_mm(one.zone_mm, line.max_speed_mm_s, one.change_ms)
    return DiverterProof(id=one.id, gap_needed_mm=needed, gap_mm=line.gap_min_mm)


def looks_from_mm(line: Topology, one: Reader) -> int:
    """Leading-edge position from which on its codes can be a parcel's."""
    return timing.ticks_to_mm(
        timing.read_window(line, one, Ticks(0), line.length_max_mm).first, line.ticks_per_m
    )


def passage_told_mm(line: Topology) -> int:
    """Leading-edge position by which a camera has been told of the longest parcel: it has passed the
    induction eye, the next cycle has read the ring, and the word has gone to the camera's process."""
    plc = line.plc
    told_ms = plc.cycle_ms + RING_READS * plc.turnaround_ms + plc.scan_ms + WORD_MS
    return line.length_max_mm + timing.travel_mm(line.max_speed_mm_s, told_ms)


def reader_proof(line: Topology, one: Reader) -> ReaderProof:
    uncertainty = timing.reader_uncertainty_mm(line, one)
    return ReaderProof(
        id=one.id,
        uncertainty_mm=uncertainty,
        gap_needed_mm=timing.code_gap_mm(one.field_mm, uncertainty, line.track_tolerance_mm),
        gap_mm=line.gap_min_mm,
        due_mm=timing.read_due_mm(line, one, line.length_max_mm),
    )


def held_ms(line: Topology) -> int:
    """How long a parcel stands on the static scale; 0 on other lines."""
    scale = line.scale
    if scale is None or scale.kind is not ScaleKind.STATIC:
        return 0
    return timing.hold_ms(scale.settle_ms, scale.filter_ms, scale.stable_ms, line.plc.cycle_ms)


def clear_gap_mm(line: Topology) -> Mm:
    """Gap that lets a static scale return to zero between two parcels; 0 on other lines."""
    scale, held = line.scale, held_ms(line)
    if scale is None or not held:
        return Mm(0)
    length = line.eyes[scale.outfeed_eye - 1].position_mm - line.eyes[scale.infeed_eye - 1].position_mm
    cleared = timing.weighing_ms(scale.settle_ms, scale.filter_ms, CLEAR_READINGS, scale.rate_hz)
    return timing.clear_gap_mm(length, line.max_speed_mm_s, held, cleared)


def possible_per_h(line: Topology) -> int:
    """Parcels an hour that the belt, or a static scale on it, lets through at the mean length."""
    belt = timing.throughput_per_h(line.speed_mm_s, line.length_mean_mm, line.gap_min_mm)
    held = held_ms(line)
    if not held:
        return belt
    scale = timing.static_throughput_per_h(line.speed_mm_s, line.length_max_mm, line.gap_min_mm, held)
    return min(belt, scale)


def weigh_proof(line: Topology) -> WeighProof | None:
    """None for a line that does not weigh."""
    scale = line.scale
    if scale is None:
        return None
    length = line.eyes[scale.outfeed_eye - 1].position_mm - line.eyes[scale.infeed_eye - 1].position_mm
    if scale.kind is ScaleKind.STATIC:
        stop = timing.travel_mm(line.max_speed_mm_s, line.plc.scan_ms) + line.track_tolerance_mm
        return WeighProof(
            kind=scale.kind,
            length_mm=length,
            length_min_mm=line.length_max_mm + stop,
            length_max_mm=0,
            time_ms=held_ms(line),
            samples=scale.stable_ms * scale.rate_hz // 1_000,
            samples_needed=scale.min_samples,
        )
    time_ms = timing.weighing_ms(scale.settle_ms, scale.filter_ms, scale.min_samples, scale.rate_hz)
    low, high = timing.belt_scale_mm(
        line.speed_mm_s, time_ms, line.length_min_mm, line.length_max_mm, line.gap_min_mm
    )
    first, last = timing.capture_mm(line, scale, line.length_max_mm, line.gap_min_mm, line.gap_min_mm)
    return WeighProof(
        kind=scale.kind,
        length_mm=length,
        length_min_mm=low,
        length_max_mm=high,
        time_ms=time_ms,
        samples=timing.samples_in(last - first, line.speed_mm_s, scale.rate_hz),
        samples_needed=scale.min_samples,
    )


def events_hundredths(line: Topology) -> int:
    """Ring entries a parcel, in hundredths: the eyes upstream of its exit, FIRED and CONFIRMED, as the
    mean over all exits."""
    eyes = sum(sum(1 for eye in line.eyes if eye.position_mm < exit_.position_mm) + 2 for exit_ in line.exits)
    return -(-100 * eyes // len(line.exits))


def link_proof(description: LineDescription) -> LinkProof:
    line, plc = description.topology, description.plc
    events = events_hundredths(line)
    return LinkProof(
        turnaround_ms=plc.turnaround_ms,
        largest_turnaround_ms=largest_turnaround_ms(description),
        load_permille=link_load(line),
        event_reads=timing.reads_per_parcel(events, plc.registers.max_block),
        cycle_ms=plc.cycle_ms,
        timeout_ms=plc.timeout_ms,
        heartbeat_ms=plc.heartbeat_ms,
        heartbeat_needed_ms=timing.heartbeat_floor_ms(plc.timeout_ms, plc.turnaround_ms),
        heartbeat_mm=timing.travel_mm(line.max_speed_mm_s, plc.heartbeat_ms),
        ring_slots=plc.ring_capacity,
        ring_slots_needed=timing.ring_slots(line.speed_mm_s, line.length_min_mm, line.gap_min_mm, events),
    )


def link_load(line: Topology) -> int:
    """‰ of the link's time. A cycle is one transaction where the PLC answers FC23, else two."""
    reads = timing.reads_per_parcel(events_hundredths(line), line.plc.registers.max_block)
    cycle = 1 if line.plc.registers.read_write else 2
    return timing.link_load_permille(line.nominal_per_h, reads, line.plc.turnaround_ms, cycle)


def inputs_known_mm(line: Topology) -> Mm:
    """Leading-edge position of the longest parcel by which all that a decision needs has come: each
    needed reader's last answer and then the look-up, and the weight. Either is concluded from a status that
    proves the position, one cycle and one turnaround later."""
    plc = line.plc
    proved = plc.cycle_ms + plc.turnaround_ms + timing.LOOP_MS
    asked = proved + timing.COMMIT_BUDGET_MS + timing.LOOK_UP_MS
    v_max = line.max_speed_mm_s
    needed = [one for one in line.readers if one.needed]
    known = [reader_proof(line, one).due_mm + timing.travel_mm(v_max, asked) for one in needed]
    if line.scale is not None:
        known.append(line.eyes[line.scale.outfeed_eye - 1].position_mm + timing.travel_mm(v_max, proved))
    return Mm(max(known, default=0))


def reserve_needed(line: Topology, chute: Chute, full_on_ms: int) -> int:
    """Parcels that a chute must still hold when its exit says full."""
    if chute.exit > len(line.exits):
        return timing.parcels_on_belt(line.end_mm, line.length_min_mm, line.gap_min_mm)
    exit_ = line.exits[chute.exit - 1]
    pitch = line.length_mean_mm + line.gap_min_mm
    return timing.chute_reserve(exit_.confirm_to_mm, line.decision_mm, pitch, full_on_ms, line.nominal_per_h)


def at_turnaround(description: LineDescription, turnaround_ms: int) -> Topology:
    """The same line with another PLC behind it."""
    line, margin = description.topology, description.file.tolerances.commit_margin_mm
    arms = {one.id: one for one in line.diverters}

    def moved(one: Exit) -> Exit:
        deadline = timing.deadline_mm(
            one.position_mm,
            line.max_speed_mm_s,
            arms[one.diverter].actuator_ms,
            line.plc.scan_ms,
            margin,
            turnaround_ms,
        )
        return replace(one, deadline_mm=deadline)

    plc = replace(line.plc, turnaround_ms=turnaround_ms, cycle_ms=timing.cycle_ms(turnaround_ms))
    return replace(line, plc=plc, exits=tuple(moved(one) for one in line.exits))


def bears(description: LineDescription, turnaround_ms: int) -> bool:
    """The line's timing holds with a PLC of this turnaround; time-out and heartbeat limit are settings
    that go along with it."""
    line = at_turnaround(description, turnaround_ms)
    return (
        all(one.deadline_mm >= line.decision_mm for one in line.exits)
        and inputs_known_mm(line) <= line.decision_mm
        and all(reader_proof(line, one).gap_needed_mm < line.gap_min_mm for one in line.readers)
        and link_load(line) <= timing.LINK_BUDGET_PERMILLE
        and possible_per_h(line) >= line.nominal_per_h
        and clear_gap_mm(line) <= line.gap_min_mm
    )


def largest_turnaround_ms(description: LineDescription) -> int:
    """Slowest PLC that the line bears, at most 200 ms; 0 when it bears none. Every rule only tightens
    with the turnaround, so bisection finds it."""
    low, high = 0, timing.MAX_TURNAROUND_MS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bears(description, middle) else (low, middle - 1)
    return low
