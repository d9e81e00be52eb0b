"""One small line as a literal, for tests that want a topology and no files."""

from dataclasses import replace

from edge.model.codes import Symbology, WaybillPattern
from edge.model.ids import ChuteId, DeviceId, ExitNo, EyeNo, ReaderId
from edge.model.register_map import RegisterMap, WordOrder
from edge.model.topology import (
    Chute,
    ChuteKind,
    Diverter,
    Exit,
    Eye,
    EyeRole,
    PlcLink,
    Reader,
    ReaderSpeaks,
    ReadPolicy,
    Topology,
    WeighPolicy,
)
from edge.model.units import Grams, Mm
from edge.model.verdict import Reason

REGISTERS = RegisterMap(
    identity=0,
    status=16,
    ring=64,
    pc_status=4096,
    command=4112,
    word_order=WordOrder.ABCD,
    max_block=32,
    read_write=False,
)
"""The contract's default profile."""


def small_topology(*, registers: RegisterMap = REGISTERS, turnaround_ms: int = 5) -> Topology:
    """0.5 m/s, one reader, no scale, one diverter with two shipping exits, a reject lane, the end.

    Its figures fit together, but no lint has seen it: for tests of parts, not of a line.
    """
    return Topology(
        line_id="test",
        timezone="Asia/Shanghai",
        map_hash=0xA1B2_C3D4,
        speed_mm_s=500,
        max_speed_mm_s=525,
        ticks_per_m=10_000,
        length_min_mm=Mm(200),
        length_mean_mm=Mm(350),
        length_max_mm=Mm(600),
        gap_min_mm=Mm(1100),
        nominal_per_h=650,
        track_tolerance_mm=Mm(60),
        length_tolerance_mm=Mm(30),
        eyes=(
            Eye(no=EyeNo(1), id="induction", role=EyeRole.INDUCTION, position_mm=Mm(0)),
            Eye(no=EyeNo(2), id="reader", role=EyeRole.READER, position_mm=Mm(800)),
            Eye(no=EyeNo(3), id="d1", role=EyeRole.DIVERTER, position_mm=Mm(4200)),
            Eye(no=EyeNo(4), id="d2", role=EyeRole.DIVERTER, position_mm=Mm(5400)),
            Eye(no=EyeNo(5), id="end", role=EyeRole.END, position_mm=Mm(6600)),
        ),
        readers=(
            Reader(
                id=ReaderId("scan"),
                device=DeviceId("scanner"),
                position_mm=Mm(800),
                field_mm=Mm(100),
                speaks=ReaderSpeaks.AT_READ,
                latency_min_ms=20,
                latency_max_ms=60,
            ),
        ),
        scale=None,
        weigh=WeighPolicy(tolerance_g=Grams(50), tolerance_permille=30, max_weight_g=Grams(30_000)),
        read=ReadPolicy(
            symbologies=(Symbology.CODE128,),
            patterns=(WaybillPattern(carrier="sf", regex=r"SF\d{13}"),),
            no_read=("NoRead",),
        ),
        decision_mm=Mm(2000),
        diverters=(
            Diverter(id="d1", position_mm=Mm(4200), zone_mm=Mm(500), actuator_ms=300, change_ms=600),
            Diverter(id="d2", position_mm=Mm(5400), zone_mm=Mm(500), actuator_ms=300, change_ms=600),
        ),
        exits=(
            _exit(1, "left", "d1", "left", 4200),
            _exit(2, "right", "d1", "right", 4200),
            _exit(3, "reject", "d2", "left", 5400),
        ),
        end_mm=Mm(6600),
        chutes=(
            Chute(id=ChuteId("001"), exit=ExitNo(1), kind=ChuteKind.SHIPPING, reserve=4),
            Chute(id=ChuteId("002"), exit=ExitNo(2), kind=ChuteKind.SHIPPING, reserve=4),
            Chute(id=ChuteId("reject"), exit=ExitNo(3), kind=ChuteKind.REJECT, reserve=4),
            Chute(id=ChuteId("end"), exit=ExitNo(4), kind=ChuteKind.END, reserve=4),
        ),
        default_chute=ChuteId("end"),
        reason_chutes=((Reason.NO_READ, ChuteId("reject")),),
        plc=_plc(registers, turnaround_ms),
    )


def with_word_order(order: WordOrder, *, read_write: bool = False) -> RegisterMap:
    return replace(REGISTERS, word_order=order, read_write=read_write)


def _exit(no: int, name: str, diverter: str, side: str, position_mm: int) -> Exit:
    return Exit(
        no=ExitNo(no),
        id=name,
        diverter=diverter,
        side=side,
        position_mm=Mm(position_mm),
        commit_mm=Mm(position_mm - 180),
        deadline_mm=Mm(position_mm - 267),
        confirm_from_mm=Mm(position_mm + 100),
        confirm_to_mm=Mm(position_mm + 900),
    )


def _plc(registers: RegisterMap, turnaround_ms: int) -> PlcLink:
    return PlcLink(
        device=DeviceId("plc"),
        host="plc",
        port=502,
        unit=1,
        registers=registers,
        turnaround_ms=turnaround_ms,
        timeout_ms=max(100, 3 * turnaround_ms),
        cycle_ms=max(100, 3 * turnaround_ms),
        heartbeat_ms=max(360, 8 * turnaround_ms),
        map_version=3,
        scan_ms=5,
        ring_capacity=256,
    )
