"""Models → ``Topology``: numbers given, positions computed with ``edge.core.timing``."""

import hashlib
import json
from collections.abc import Sequence

from edge.core import timing
from edge.model.codes import WaybillPattern
from edge.model.ids import BenchId, ChuteId, DeviceId, ExitNo, EyeNo, GateNo, ReaderId, ScaleId, ZoneNo
from edge.model.register_map import RegisterMap
from edge.model.topology import (
    Bench,
    CheckParcel,
    Chute,
    ChuteKind,
    Diverter,
    Exit,
    Eye,
    EyeRole,
    GuardZone,
    PlcLink,
    Reader,
    ReaderSpeaks,
    ReadingPoint,
    ReadPolicy,
    Recirculation,
    Scale,
    ScaleKind,
    Topology,
    WeighPolicy,
)
from edge.model.units import UINT32_MAX, Grams, Mm
from edge.model.verdict import Reason
from line_config.device_files import CameraFile, PlcFile, ReaderFile
from line_config.model import (
    END,
    BeltScale,
    DiverterSettings,
    LineFile,
    NoScale,
    PatternSettings,
    ReaderSettings,
    ReadingPointSettings,
    StaticScale,
)
from line_config.reasons import ReasonEntry


def build_topology(
    line: LineFile,
    plc: PlcFile,
    scanners: Sequence[ReaderFile],
    patterns: Sequence[WaybillPattern],
    foreign: Sequence[WaybillPattern],
    reasons: Sequence[ReasonEntry],
) -> Topology:
    """The line as core, runtime and simulators see it. References must have been checked; ``scanners``
    are the readers' device files in their order, ``patterns`` those of the carriers that are served,
    ``foreign`` of those that are not."""
    belt, v_max = line.line, timing.max_speed_mm_s(line.line.speed_mm_s)
    exits = tuple(
        sorted((_exit(line, index, v_max) for index in range(len(line.exits))), key=lambda one: one.no)
    )
    eyes = tuple(
        Eye(no=EyeNo(no), id=eye.id, role=eye.role, position_mm=Mm(eye.position_mm))
        for no, eye in enumerate(line.eyes, start=1)
    )
    numbers = {one.id: one.no for one in exits} | {END: ExitNo(len(exits) + 1)}
    diverters = tuple(_diverter(one) for one in line.diverters)
    benches = tuple(
        Bench(id=BenchId(one.id), device=DeviceId(one.id), gate=GateNo(one.gate)) for one in line.benches
    )
    zones = tuple(
        GuardZone(no=ZoneNo(no), from_mm=Mm(one.from_mm), to_mm=Mm(one.to_mm), guarded=one.guarded)
        for no, one in enumerate(line.guard_zones, start=1)
    )
    return Topology(
        line_id=belt.id,
        timezone=line.site.timezone,
        map_hash=map_hash(eyes, diverters, exits, benches, zones, belt.ticks_per_m),
        speed_mm_s=belt.speed_mm_s,
        max_speed_mm_s=v_max,
        ticks_per_m=belt.ticks_per_m,
        length_min_mm=Mm(belt.parcel.length_min_mm),
        length_mean_mm=Mm(belt.parcel.length_mean_mm),
        length_max_mm=Mm(belt.parcel.length_max_mm),
        gap_min_mm=Mm(belt.gap_min_mm),
        nominal_per_h=belt.nominal_per_h,
        track_tolerance_mm=Mm(line.tolerances.track_mm),
        length_tolerance_mm=Mm(line.tolerances.length_mm),
        eyes=eyes,
        readers=tuple(_reader(*pair) for pair in zip(line.readers, scanners, strict=True)),
        scale=_scale(line, {eye.id: eye.no for eye in eyes}),
        weigh=WeighPolicy(
            tolerance_g=Grams(line.weighing.tolerance_g),
            tolerance_permille=line.weighing.tolerance_permille,
            max_weight_g=Grams(line.weighing.max_weight_g),
        ),
        read=_read_policy(line, patterns, foreign),
        decision_mm=Mm(belt.decision_mm),
        diverters=diverters,
        exits=exits,
        end_mm=max((eye.position_mm for eye in eyes if eye.role is EyeRole.END), default=Mm(0)),
        chutes=tuple(
            Chute(id=ChuteId(one.id), exit=numbers[one.exit], kind=one.kind, reserve=one.reserve)
            for one in line.chutes
        ),
        default_chute=ChuteId(line.default_exception_chute),
        reason_chutes=_reason_chutes(line, reasons),
        recirculation=_recirculation(line),
        guard_zones=zones,
        plc=_plc(line, plc),
        benches=benches,
        review_required=line.review == "required",
        reading_points=tuple(_reading_point(one) for one in line.reading_points),
    )


def _reading_point(one: ReadingPointSettings) -> ReadingPoint:
    readers = tuple(ReaderId(reader) for reader in one.readers)
    return ReadingPoint(id=one.id, readers=readers, at_least=one.at_least)


def _diverter(one: DiverterSettings) -> Diverter:
    return Diverter(
        id=one.id,
        position_mm=Mm(one.position_mm),
        zone_mm=Mm(one.zone_mm),
        actuator_ms=one.actuator_ms,
        change_ms=one.change_ms,
    )


def _read_policy(
    line: LineFile, patterns: Sequence[WaybillPattern], foreign: Sequence[WaybillPattern]
) -> ReadPolicy:
    return ReadPolicy(
        symbologies=line.reading.symbologies,
        patterns=(*patterns, *_own(line.reading.patterns)),
        foreign=(*foreign, *_own(line.reading.foreign_patterns)),
        no_read=line.reading.no_read,
    )


def _own(settings: Sequence[PatternSettings]) -> list[WaybillPattern]:
    return [WaybillPattern(carrier=one.carrier, regex=one.regex) for one in settings]


def map_hash(
    eyes: Sequence[Eye],
    diverters: Sequence[Diverter],
    exits: Sequence[Exit],
    benches: Sequence[Bench],
    zones: Sequence[GuardZone],
    ticks_per_m: int,
) -> int:
    """u32, never 0, over what the PLC program must agree on: eyes, diverters, exits and their commit
    points, gates, guard zones. ``check LINE`` prints it; it is compared at every connect."""
    facts: dict[str, object] = {
        "ticks_per_m": ticks_per_m,
        "eyes": [[one.no, one.role.value, one.position_mm] for one in eyes],
        "diverters": [[one.position_mm, one.zone_mm, one.actuator_ms, one.change_ms] for one in diverters],
        "exits": [
            [one.no, one.side, one.position_mm, one.commit_mm, one.confirm_from_mm, one.confirm_to_mm]
            for one in exits
        ],
    }
    if benches:
        facts["gates"] = sorted(one.gate for one in benches)
    if zones:
        facts["guard_zones"] = [[one.no, one.from_mm, one.to_mm, int(one.guarded)] for one in zones]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") or UINT32_MAX


def _exit(line: LineFile, index: int, v_max: int) -> Exit:
    one = line.exits[index]
    diverter = next(d for d in line.diverters if d.id == one.diverter)
    at, margin = diverter.position_mm, line.tolerances.commit_margin_mm
    scan, turnaround = line.plc.scan_ms, line.plc.turnaround_ms
    return Exit(
        no=ExitNo(one.no),
        id=one.id,
        diverter=one.diverter,
        side=one.side,
        position_mm=Mm(at),
        commit_mm=timing.commit_mm(at, v_max, diverter.actuator_ms, scan, margin),
        deadline_mm=timing.deadline_mm(at, v_max, diverter.actuator_ms, scan, margin, turnaround),
        confirm_from_mm=Mm(at + one.confirm_from_mm),
        confirm_to_mm=Mm(at + one.confirm_to_mm),
    )


def _reader(one: ReaderSettings, device: ReaderFile) -> Reader:
    """A camera's answers come with their frame's stamp: whenever they arrive, to the line they are
    ``answer_ms`` old."""
    latency = one.latency
    if isinstance(device, CameraFile):
        speaks, answer_ms = ReaderSpeaks.AT_READ, device.answer_ms
        low_ms, high_ms = device.stamp_min_ms, device.stamp_max_ms
    else:
        speaks, answer_ms = device.speaks, 0
        low_ms, high_ms = device.latency_min_ms, device.latency_max_ms
    return Reader(
        id=ReaderId(one.id),
        device=DeviceId(one.id),
        position_mm=Mm(one.position_mm),
        field_mm=Mm(one.field_mm),
        speaks=speaks,
        latency_min_ms=answer_ms + (low_ms if latency is None else latency.min_ms),
        latency_max_ms=answer_ms + (high_ms if latency is None else latency.max_ms),
        needed=one.needed,
    )


def _scale(line: LineFile, eyes: dict[str, EyeNo]) -> Scale | None:
    one = line.scale
    if isinstance(one, NoScale):
        return None
    assert isinstance(one, BeltScale | StaticScale)
    static = one if isinstance(one, StaticScale) else None
    return Scale(
        id=ScaleId(one.id),
        device=DeviceId(one.id),
        kind=ScaleKind.STATIC if static else ScaleKind.BELT,
        infeed_eye=eyes[one.infeed_eye],
        outfeed_eye=eyes[one.outfeed_eye],
        zone=ZoneNo(static.zone if static else 0),
        settle_ms=one.settle_ms,
        filter_ms=one.filter_ms,
        rate_hz=one.rate_hz,
        min_samples=one.min_samples,
        spread_g=Grams(one.spread_g),
        stable_ms=static.stable_ms if static else 0,
        hold_timeout_ms=static.hold_timeout_ms if static else 0,
        min_weight_g=Grams(one.min_weight_g),
        capacity_g=Grams(one.capacity_g),
        division_g=Grams(one.division_g),
        stale_ms=one.stale_ms,
        zero_every_ms=one.zero_every_s * 1_000,
        zero_within_ms=one.zero_within_s * 1_000,
        zero_g=Grams(2 * one.division_g if one.zero_g is None else one.zero_g),
        checks=tuple(
            CheckParcel(
                id=check.id,
                code=check.code,
                weight_g=Grams(check.weight_g),
                tolerance_g=Grams(check.tolerance_g),
            )
            for check in one.checks
        ),
    )


def _reason_chutes(line: LineFile, reasons: Sequence[ReasonEntry]) -> tuple[tuple[Reason, ChuteId], ...]:
    """Each reason's chute: the line's own choice, else the line's chute of the kind that the reason
    wants (the default exception chute where that is of the kind, else the first), else the default."""
    own = {one.reason: one.chute for one in line.reasons}
    default = line.default_exception_chute
    by_kind: dict[ChuteKind, str] = {}
    for chute in line.chutes:
        by_kind.setdefault(chute.kind, chute.id)
        if chute.id == default:
            by_kind[chute.kind] = default
    return tuple(
        (entry.reason, ChuteId(own.get(entry.reason) or by_kind.get(entry.chute, default)))
        for entry in reasons
        if entry.reason is not Reason.OK
    )


def _recirculation(line: LineFile) -> Recirculation | None:
    """``apart`` counts what fits on the belt from the induction eye to the lane, in the lane, and on the
    way back."""
    one = line.recirculation
    if one is None:
        return None
    chute = next(chute for chute in line.chutes if chute.id == one.chute)
    exit = next((exit for exit in line.exits if exit.id == chute.exit), None)
    diverter = next((at for at in line.diverters if exit is not None and at.id == exit.diverter), None)
    way_mm = (diverter.position_mm if diverter else 0) + (exit.confirm_to_mm if exit else 0) + one.back_mm
    pitch_mm = line.line.parcel.length_min_mm + line.line.gap_min_mm
    return Recirculation(
        chute=ChuteId(one.chute),
        limit=one.limit,
        back_mm=Mm(one.back_mm),
        apart=way_mm // pitch_mm + chute.reserve + 1,
        reasons=one.reasons,
    )


def time_out_ms(line: LineFile) -> int:
    """The line's own time-out, else the rule's, at most 300 ms."""
    if line.plc.timeout_ms is not None:
        return line.plc.timeout_ms
    return min(timing.MAX_TIMEOUT_MS, timing.timeout_ms(line.plc.turnaround_ms))


def _plc(line: LineFile, device: PlcFile) -> PlcLink:
    one = line.plc
    return PlcLink(
        device=DeviceId(one.id),
        host=one.host,
        port=one.port,
        unit=one.unit,
        registers=RegisterMap(
            identity=device.identity,
            status=device.status,
            ring=device.ring,
            pc_status=device.pc_status,
            command=device.command,
            word_order=device.word_order,
            max_block=device.max_block,
            read_write=device.read_write,
        ),
        turnaround_ms=one.turnaround_ms,
        timeout_ms=time_out_ms(line),
        cycle_ms=timing.cycle_ms(one.turnaround_ms),
        heartbeat_ms=one.heartbeat_ms,
        map_version=one.map_version,
        scan_ms=one.scan_ms,
        ring_capacity=one.ring_capacity,
    )
