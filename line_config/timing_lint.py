"""Proof of a line's timing: what it has, what it needs, and what to change."""

from collections.abc import Iterator

from edge.core import timing
from edge.model.topology import ScaleKind
from line_config import proof
from line_config.description import LineDescription
from line_config.device_files import TELLS_STABLE, CameraFile
from line_config.model import CameraSettings
from line_config.problems import Problem
from line_config.validate import problem_at

_BLOCKS = (("identity", 16), ("status", 22), ("pc_status", 12), ("command", 7))
"""Words of the PLC's blocks beside the ring (docs/plc-contract.md)."""

MODULE_PX100 = 150
"""Hundredths of a pixel a module: 1.5 are enough, 1.2 are not (measured on rendered labels)."""
AGREEING_FRAMES = 2


def timing_findings(line: LineDescription) -> Iterator[Problem]:
    """Everything in the line's timing that does not hold, each at its place. A broken topology may
    add findings of its own here."""
    yield from _flow(line)
    yield from _exits(line)
    yield from _decision(line)
    yield from _diverters(line)
    yield from _readers(line)
    yield from _cameras(line)
    yield from _weighing(line)
    yield from _link(line)
    yield from _ring(line)
    yield from _reserves(line)


def _flow(line: LineDescription) -> Iterator[Problem]:
    sizes, at = line.file.line.parcel, ("line", "parcel")
    if sizes.length_min_mm > sizes.length_mean_mm:
        what = f"is larger than length_mean_mm, {sizes.length_mean_mm}"
        yield problem_at(line.tree, (*at, "length_min_mm"), what)
    if sizes.length_mean_mm > sizes.length_max_mm:
        what = f"is larger than length_max_mm, {sizes.length_max_mm}"
        yield problem_at(line.tree, (*at, "length_mean_mm"), what)
    topology = line.topology
    possible = proof.possible_per_h(topology)
    if topology.nominal_per_h > possible:
        held = proof.held_ms(topology)
        limit = (
            f"a static scale that holds each parcel {held} ms" if held else "this speed, mean length and gap"
        )
        what = f"{limit} let {possible} parcels/h through: have that, need {topology.nominal_per_h}"
        yield problem_at(
            line.tree, ("line", "nominal_per_h"), what, "run faster, gap closer, or promise less"
        )
    tolerance, gap = topology.track_tolerance_mm, topology.gap_min_mm
    if 2 * tolerance >= gap:
        what = f"the windows of two parcels overlap: need less than half the gap, {gap // 2} mm"
        yield problem_at(line.tree, ("tolerances", "track_mm"), what, "widen the gap or track closer")


def _exits(line: LineDescription) -> Iterator[Problem]:
    topology = line.topology
    exits = {one.diverter: one for one in topology.exits}
    for diverter, one in exits.items():
        late_mm = topology.decision_mm - one.deadline_mm
        if late_mm > 0:
            what = (
                f"its exits' deadline at {one.deadline_mm} mm is {late_mm} mm before the decision at "
                f"{topology.decision_mm}: every decision would be late"
            )
            hint = f"move the diverter {late_mm} mm downstream, decide earlier, or take a faster PLC"
            yield problem_at(line.tree, ("diverters", diverter, "position_mm"), what, hint)


def _decision(line: LineDescription) -> Iterator[Problem]:
    topology = line.topology
    known = proof.inputs_known_mm(topology)
    if known > topology.decision_mm:
        what = (
            f"codes, order and weight of the longest parcel are known at {known} mm only: need at least that"
        )
        yield problem_at(line.tree, ("line", "decision_mm"), what, "decide later, read and weigh earlier")


def _diverters(line: LineDescription) -> Iterator[Problem]:
    for one in line.topology.diverters:
        found = proof.diverter_proof(line.topology, one)
        if found.gap_mm < found.gap_needed_mm:
            what = (
                f"a change of side between two parcels needs a gap of {found.gap_needed_mm} mm "
                f"(zone {one.zone_mm} + v_max x {one.change_ms} ms), have {found.gap_mm}"
            )
            hint = f"widen line.gap_min_mm to {found.gap_needed_mm}, or take a faster diverter"
            yield problem_at(line.tree, ("diverters", one.id, "change_ms"), what, hint)


def _readers(line: LineDescription) -> Iterator[Problem]:
    for one in line.topology.readers:
        found = proof.reader_proof(line.topology, one)
        if found.gap_needed_mm >= found.gap_mm:
            what = (
                f"a code's place is known to {found.uncertainty_mm} mm: with the field and the tracking "
                f"tolerance it needs a gap of more than {found.gap_needed_mm} mm, have {found.gap_mm}"
            )
            hint = "narrow the field, take a reader of steadier latency, or widen the gap"
            yield problem_at(line.tree, ("readers", one.id, "field_mm"), what, hint)


def _cameras(line: LineDescription) -> Iterator[Problem]:
    """Sharp enough while it moves, fine enough, and often enough: two frames must be able to agree."""
    v_max = line.topology.max_speed_mm_s
    for reader, port in zip(line.topology.readers, line.scanners, strict=True):
        one, file = port.connection, port.file
        if not isinstance(one, CameraSettings) or not isinstance(file, CameraFile):
            continue
        at = ("readers", port.reader)
        blur_um = -(-v_max * one.exposure_us // 1_000)
        if blur_um > one.module_um:
            what = f"the label moves {blur_um} um meanwhile, more than a module of {one.module_um} um"
            hint = f"expose at most {one.module_um * 1_000 // v_max} us, with more light"
            yield problem_at(line.tree, (*at, "connection", "exposure_us"), what, hint)
        module_px100 = 100 * file.width_px * one.module_um // (1_000 * one.view_mm)
        if module_px100 < MODULE_PX100:
            what = f"a module is {module_px100} hundredths of a pixel: need {MODULE_PX100}"
            hint = "show less of the belt, or take a camera with more pixels"
            yield problem_at(line.tree, (*at, "connection", "view_mm"), what, hint)
        first_mm = proof.looks_from_mm(line.topology, reader)
        told_mm = proof.passage_told_mm(line.topology)
        if one.trigger != "free_running" and first_mm < told_mm:
            what = f"it looks from {first_mm} mm on, and is told of the longest parcel by {told_mm} mm"
            hint = "move it downstream, or let it run free"
            yield problem_at(line.tree, (*at, "connection", "trigger"), what, hint)
        frames = reader.field_mm * file.frames_per_s // v_max
        if frames < AGREEING_FRAMES:
            needed = -(-AGREEING_FRAMES * v_max // file.frames_per_s)
            what = f"a label is in {frames} frames: two must be able to agree, need {needed} mm"
            yield problem_at(line.tree, (*at, "field_mm"), what, "widen the field, or take a quicker camera")


def _weighing(line: LineDescription) -> Iterator[Problem]:
    scale, found = line.topology.scale, proof.weigh_proof(line.topology)
    if scale is None or found is None:
        return
    tree, heaviest = line.tree, line.topology.weigh.max_weight_g
    if heaviest > scale.capacity_g:
        what = f"the scale tells weights up to {scale.capacity_g} g only"
        yield problem_at(tree, ("weighing", "max_weight_g"), what, "lower it, or take a larger scale")
    if scale.stale_ms * scale.rate_hz < 2_000:
        needed = -(-2_000 // scale.rate_hz)
        what = f"one lost frame would make the scale stale: need at least {needed} ms (two readings)"
        yield problem_at(tree, ("scale", "stale_ms"), what)
    if scale.zero_g < scale.division_g:
        yield problem_at(tree, ("scale", "zero_g"), f"is less than a division, {scale.division_g} g")
    for check in scale.checks:
        if not scale.min_weight_g <= check.weight_g <= scale.capacity_g:
            what = f"the scale weighs {scale.min_weight_g} to {scale.capacity_g} g"
            yield problem_at(tree, ("scale", "checks", check.id, "weight_g"), what)
    if scale.kind is ScaleKind.BELT:
        yield from _belt_scale(line, found)
    else:
        yield from _static_scale(line, found)


def _belt_scale(line: LineDescription, found: proof.WeighProof) -> Iterator[Problem]:
    rule = f"with T = {found.time_ms} ms the length between its eyes must be "
    if found.length_min_mm > found.length_max_mm:
        what = (
            f"{rule}{found.length_min_mm} mm at least and {found.length_max_mm} mm at most: "
            "this line is too fast to weigh in motion"
        )
        hint = "weigh upstream, slow down, or widen the gap"
        yield problem_at(line.tree, ("scale", "min_samples"), what, hint)
    elif not found.length_min_mm <= found.length_mm <= found.length_max_mm:
        what = f"{rule}{found.length_min_mm}…{found.length_max_mm} mm, have {found.length_mm}"
        yield problem_at(line.tree, ("scale", "outfeed_eye"), what, "move the eye, or need fewer samples")
    elif found.samples < found.samples_needed:
        what = (
            f"the longest parcel is alone and settled for {found.samples} readings only, "
            f"need {found.samples_needed}"
        )
        yield problem_at(line.tree, ("scale", "min_samples"), what, "need fewer samples, or slow down")


def _static_scale(line: LineDescription, found: proof.WeighProof) -> Iterator[Problem]:
    scale = line.topology.scale
    assert scale is not None
    if found.length_mm < found.length_min_mm:
        what = f"the scale is {found.length_mm} mm long, the longest parcel needs {found.length_min_mm} mm"
        yield problem_at(line.tree, ("scale", "outfeed_eye"), what, "move the eye downstream")
    if scale.stable_ms * scale.rate_hz <= 3_000 or found.samples < found.samples_needed:
        needed = max(3_000 // scale.rate_hz + 1, -(-1_000 * found.samples_needed // scale.rate_hz))
        what = (
            f"must be longer than three readings, and {found.samples_needed} readings long: "
            f"need at least {needed} ms"
        )
        yield problem_at(line.tree, ("scale", "stable_ms"), what)
    needed_mm, gap_mm = proof.clear_gap_mm(line.topology), line.topology.gap_min_mm
    if gap_mm < needed_mm:
        what = f"a parcel so close behind comes before the scale has returned to zero: need {needed_mm} mm"
        hint = "widen the gap, shorten the scale, or hold for a shorter time"
        yield problem_at(line.tree, ("line", "gap_min_mm"), what, hint)
    if line.scale_port is not None and line.scale_port.file.protocol not in TELLS_STABLE:
        what = f"frames of {line.scale_port.file.protocol} do not say when the weight stands still"
        yield problem_at(line.tree, ("scale", "device"), what, "weigh in motion, or take another indicator")
    if scale.hold_timeout_ms < found.time_ms:
        what = f"is shorter than a good weighing takes: need at least {found.time_ms} ms"
        yield problem_at(line.tree, ("scale", "hold_timeout_ms"), what)


def _link(line: LineDescription) -> Iterator[Problem]:
    tree, plc, own = line.tree, line.plc, line.file.plc.timeout_ms
    load, ruled = proof.link_load(line.topology), timing.timeout_ms(plc.turnaround_ms)
    if plc.turnaround_ms > timing.MAX_TURNAROUND_MS:
        what = f"is too slow for a mailbox: need at most {timing.MAX_TURNAROUND_MS} ms"
        yield problem_at(tree, ("plc", "turnaround_ms"), what, "take Modbus TCP or a faster PLC")
    if load > timing.LINK_BUDGET_PERMILLE:
        largest = proof.largest_turnaround_ms(line)
        what = f"the link would be busy {load / 10:.1f} % of its time, at most 70 % are allowed"
        hint = f"this line bears a PLC of at most {largest} ms" if largest else "promise less"
        yield problem_at(tree, ("plc", "turnaround_ms"), what, hint)
    if own is None and ruled > timing.MAX_TIMEOUT_MS:
        what = f"a PLC of {plc.turnaround_ms} ms needs a time-out of {ruled} ms"
        hint = f"above {timing.MAX_TIMEOUT_MS} ms the line must say so: plc.timeout_ms: {ruled}"
        yield problem_at(tree, ("plc", "turnaround_ms"), what, hint)
    if own is not None and own < ruled:
        what = f"is shorter than max(100, 3 x turnaround): need at least {ruled} ms"
        yield problem_at(tree, ("plc", "timeout_ms"), what)
    needed = timing.heartbeat_floor_ms(plc.timeout_ms, plc.turnaround_ms)
    if plc.heartbeat_ms <= needed:
        what = f"one lost answer would drop the belt's commands: need more than {needed} ms"
        hint = "time-out + reopening + one cycle"
        yield problem_at(tree, ("plc", "heartbeat_ms"), what, hint)


def _ring(line: LineDescription) -> Iterator[Problem]:
    plc, registers = line.plc, line.plc.registers
    found = proof.link_proof(line)
    at = ("plc", "ring_capacity")
    if found.ring_slots < found.ring_slots_needed:
        what = f"must hold 10 s of the densest traffic: need at least {found.ring_slots_needed} slots"
        yield problem_at(line.tree, at, what, "a larger ring in the PLC program")
    spans = [(name, getattr(line.plc_file, name), words) for name, words in _BLOCKS]
    last = registers.ring + timing.SLOT_WORDS * plc.ring_capacity
    for name, start, words in spans:
        if start < last and registers.ring < start + words:
            what = f"the ring would take addresses {registers.ring}…{last - 1}, block {name} is at {start}"
            yield problem_at(line.tree, at, what, "a smaller ring, or another device file")
    if last > 65_536:
        what = f"the ring would end at address {last - 1}, the last one is 65535"
        yield problem_at(line.tree, at, what)


def _reserves(line: LineDescription) -> Iterator[Problem]:
    for chute in line.topology.chutes:
        needed = proof.reserve_needed(line.topology, chute, line.full_on_ms)
        if chute.reserve < needed:
            what = f"parcels under way when it says full: need room for {needed}"
            yield problem_at(line.tree, ("chutes", chute.id, "reserve"), what, "say full earlier")
