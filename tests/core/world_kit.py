"""A line like the demo's, and a PLC program by script, for the tests of the simulated world."""

from collections.abc import Callable
from dataclasses import replace

from edge.model.codes import Code, Symbology
from edge.model.ids import ChuteId, DeviceId, ExitNo, EyeNo, ReaderId, ScaleId, ZoneNo
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
    Scale,
    ScaleKind,
    Topology,
    WeighPolicy,
)
from edge.model.units import Grams, Mm
from simulators.cables import Actuators, Sensors
from simulators.seeds import SeededBits
from simulators.world.belt import World
from simulators.world.parcel import Hazard, Label, ParcelSpec
from simulators.world.truth import Truth
from tests.lines_for_tests import REGISTERS

REST = Actuators(belt=True, induction=True, diverters=(0, 0), zones_hold=0, gates=0, indicators=0)
END_MM = 6000


def _eyes() -> tuple[Eye, ...]:
    places = (
        (EyeRole.INDUCTION, 0),
        (EyeRole.SCALE_INFEED, 1300),
        (EyeRole.SCALE_OUTFEED, 2260),
        (EyeRole.DIVERTER, 4500),
        (EyeRole.DIVERTER, 5500),
        (EyeRole.END, END_MM),
    )
    return tuple(
        Eye(no=EyeNo(no), id=f"eye{no}", role=role, position_mm=Mm(at))
        for no, (role, at) in enumerate(places, start=1)
    )


def _exit(no: int, diverter: str, side: str, at: int) -> Exit:
    return Exit(
        no=ExitNo(no),
        id=f"x{no}",
        diverter=diverter,
        side=side,
        position_mm=Mm(at),
        commit_mm=Mm(at - 256),
        deadline_mm=Mm(at - 428),
        confirm_from_mm=Mm(at + 200),
        confirm_to_mm=Mm(at + 600),
    )


def _scale() -> Scale:
    return Scale(
        id=ScaleId("scale"),
        device=DeviceId("scale"),
        kind=ScaleKind.BELT,
        infeed_eye=EyeNo(2),
        outfeed_eye=EyeNo(3),
        zone=ZoneNo(0),
        settle_ms=150,
        filter_ms=30,
        rate_hz=50,
        min_samples=6,
        spread_g=Grams(40),
        stable_ms=0,
        hold_timeout_ms=0,
        min_weight_g=Grams(50),
        capacity_g=Grams(30_000),
        division_g=Grams(10),
        stale_ms=200,
        zero_every_ms=600_000,
        zero_within_ms=30_000,
        zero_g=Grams(10),
        checks=(),
    )


def _plc() -> PlcLink:
    return PlcLink(
        device=DeviceId("plc"),
        host="127.0.0.1",
        port=502,
        unit=1,
        registers=REGISTERS,
        turnaround_ms=5,
        timeout_ms=100,
        cycle_ms=100,
        heartbeat_ms=320,
        map_version=1,
        scan_ms=5,
        ring_capacity=256,
    )


def line() -> Topology:
    """Two wheel diverters with four exits, three of them shipping; a reader and a belt scale."""
    chutes = [
        Chute(id=ChuteId(f"00{no}"), exit=ExitNo(no), kind=ChuteKind.SHIPPING, reserve=12) for no in (1, 2, 3)
    ]
    chutes.append(Chute(id=ChuteId("reject"), exit=ExitNo(4), kind=ChuteKind.REJECT, reserve=12))
    chutes.append(Chute(id=ChuteId("end"), exit=ExitNo(5), kind=ChuteKind.END, reserve=12))
    reader = Reader(
        id=ReaderId("top"),
        device=DeviceId("top"),
        position_mm=Mm(700),
        field_mm=Mm(120),
        speaks=ReaderSpeaks.AT_READ,
        latency_min_ms=5,
        latency_max_ms=40,
    )
    return Topology(
        line_id="kit",
        timezone="Asia/Shanghai",
        map_hash=7,
        speed_mm_s=1800,
        max_speed_mm_s=1890,
        ticks_per_m=1000,
        length_min_mm=Mm(200),
        length_mean_mm=Mm(300),
        length_max_mm=Mm(400),
        gap_min_mm=Mm(700),
        nominal_per_h=6400,
        track_tolerance_mm=Mm(60),
        length_tolerance_mm=Mm(20),
        eyes=_eyes(),
        readers=(reader,),
        scale=_scale(),
        weigh=WeighPolicy(tolerance_g=Grams(100), tolerance_permille=30, max_weight_g=Grams(25_000)),
        read=ReadPolicy(symbologies=(Symbology.CODE128,), patterns=(), no_read=("NOREAD",)),
        decision_mm=Mm(2700),
        diverters=(
            Diverter(id="d1", position_mm=Mm(4000), zone_mm=Mm(350), actuator_ms=120, change_ms=120),
            Diverter(id="d2", position_mm=Mm(5000), zone_mm=Mm(350), actuator_ms=120, change_ms=120),
        ),
        exits=(
            _exit(1, "d1", "left", 4000),
            _exit(2, "d1", "right", 4000),
            _exit(3, "d2", "left", 5000),
            _exit(4, "d2", "right", 5000),
        ),
        end_mm=Mm(END_MM),
        chutes=tuple(chutes),
        default_chute=ChuteId("end"),
        reason_chutes=(),
        plc=_plc(),
    )


def spec(
    index: int = 0,
    *,
    length_mm: int = 300,
    weight_g: int = 1_000,
    waybill: str = "YT0000000001",
    hazards: tuple[Hazard, ...] = (),
    gap_mm: int | None = None,
    read: bool = True,
) -> ParcelSpec:
    code = Code(text=waybill, symbology=Symbology.CODE128)
    labels = (Label(from_lead_mm=length_mm // 3, codes=(code,)),) if read else ()
    return ParcelSpec(
        index=index,
        length_mm=length_mm,
        weight_g=weight_g,
        order_no=f"o{index}",
        waybill=waybill,
        labels=labels,
        candidates=(waybill,) if read else (),
        gap_mm=gap_mm,
        hazards=hazards,
    )


class Hall:
    """A world without PLC: actuators by hand, edges and truth recorded."""

    def __init__(self, topology: Topology | None = None, seed: int = 1) -> None:
        self.truth: list[Truth] = []
        self.world = World(topology or line(), SeededBits(seed, "belt"), self.truth.append)
        self.edges: list[tuple[int, str, int]] = []
        """(at_us, which levels, their new bits)"""
        self._last: Sensors | None = None

    def drive(self, **levels: object) -> None:
        self.world.apply(replace(REST, **levels))  # type: ignore[arg-type]

    def run(self, to_us: int, each: Callable[[Sensors], None] | None = None) -> None:
        while True:
            wake = self.world.wake_at()
            if wake is None or wake > to_us:
                break
            self._note(self.world.advance(wake), each)
        self._note(self.world.advance(to_us), each)

    def _note(self, seen: Sensors, each: Callable[[Sensors], None] | None) -> None:
        last = self._last
        for name in ("eyes", "confirm", "home", "lane_full"):
            value = getattr(seen, name)
            if last is not None and getattr(last, name) != value:
                self.edges.append((seen.at_us, name, value))
        self._last = seen
        if each is not None:
            each(seen)

    def of(self, kind: type) -> list[Truth]:
        return [fact for fact in self.truth if type(fact) is kind]
