"""The line in belt ticks, computed once from its topology."""

from dataclasses import dataclass

from edge.model.topology import Diverter, EyeRole, ScaleKind, Topology
from simulators.devices.plc.settings import PlcSettings

SIDES = {"left": 1, "right": 2}
"""Values of ``simulators.cables.Actuators.diverters``; 0 is rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPlan:
    """One diverter. ``eye`` is the index of the next eye downstream of it; ``behind`` the gap to the next
    parcel that lets the arm come home before it (DIV-10)."""

    position: int
    clear: int
    behind: int
    eye: int
    actuator_us: int
    change_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitPlan:
    """One exit. Positions of the leading edge, in ticks from the induction eye."""

    no: int
    arm: int
    side: int
    commit: int
    fire: int
    clear: int
    confirm_from: int
    confirm_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """The held zone of a static scale, from its infeed eye to its outfeed eye (indexes)."""

    bit: int
    first_eye: int
    start: int
    end: int
    middle: int
    limit_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPlan:
    """A guard zone up to ``end``, the last one without an end; ``open``: a stop alone lets hands in."""

    bit: int
    end: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    ticks_per_m: int
    speed_mm_s: int
    eyes: tuple[int, ...]
    tolerance: int
    length_max: int
    jam: int
    purge: int
    arms: tuple[ArmPlan, ...]
    exits: tuple[ExitPlan, ...]
    zone: ZonePlan | None
    guards: tuple[GuardPlan, ...]

    def guard_at(self, position: int) -> GuardPlan:
        """The guard zone of a leading edge."""
        return next((one for one in self.guards if position < one.end), self.guards[-1])

    @property
    def end_eye(self) -> int:
        """Index of the end eye, the last one."""
        return len(self.eyes) - 1

    @property
    def end_exit(self) -> int:
        """n+1."""
        return len(self.exits) + 1

    def to_mm(self, ticks: int) -> int:
        return (ticks * 1000 + self.ticks_per_m // 2) // self.ticks_per_m

    def us_for(self, ticks: int) -> int:
        """Microseconds in which the belt moves so far at its nominal speed, rounded up."""
        return -(-ticks * 1_000_000_000 // (self.ticks_per_m * self.speed_mm_s))

    def nominal_ticks(self, us: int) -> int:
        return us * self.speed_mm_s * self.ticks_per_m // 1_000_000_000


def plan_geometry(topology: Topology, settings: PlcSettings) -> Geometry:
    """Raises ``ValueError`` for a line whose last eye is not its end, or an unknown side."""
    per_m = topology.ticks_per_m

    def ticks(mm: int) -> int:
        return mm * per_m // 1000

    eyes = tuple(ticks(eye.position_mm) for eye in topology.eyes)
    if not topology.eyes or topology.eyes[-1].role is not EyeRole.END:
        raise ValueError("the last eye must be the end of the line")
    diverters = {diverter.id: index for index, diverter in enumerate(topology.diverters)}

    def fire_mm(diverter: Diverter) -> int:
        return diverter.position_mm - topology.max_speed_mm_s * diverter.actuator_ms // 1000

    exits = []
    for exit_ in topology.exits:
        if exit_.side not in SIDES:
            raise ValueError(f"exit {exit_.id}: side {exit_.side!r} is not left or right")
        arm = diverters[exit_.diverter]
        diverter = topology.diverters[arm]
        exits.append(
            ExitPlan(
                no=exit_.no,
                arm=arm,
                side=SIDES[exit_.side],
                commit=ticks(exit_.commit_mm),
                fire=ticks(fire_mm(diverter)),
                clear=ticks(diverter.position_mm + diverter.zone_mm),
                confirm_from=ticks(exit_.confirm_from_mm),
                confirm_to=ticks(exit_.confirm_to_mm),
            )
        )
    jam_mm = topology.length_max_mm + topology.track_tolerance_mm + topology.length_tolerance_mm
    return Geometry(
        ticks_per_m=per_m,
        speed_mm_s=topology.speed_mm_s,
        eyes=eyes,
        tolerance=ticks(topology.track_tolerance_mm),
        length_max=ticks(topology.length_max_mm),
        jam=ticks(jam_mm),
        purge=ticks(topology.end_mm + settings.purge_extra_mm),
        arms=tuple(
            _arm_plan(diverter, topology, ticks(diverter.position_mm)) for diverter in topology.diverters
        ),
        exits=tuple(exits),
        zone=_zone_plan(topology, settings),
        guards=tuple(
            GuardPlan(bit=1 << one.no - 1, end=ticks(one.to_mm), open=not one.guarded)
            for one in topology.guard_zones
        )
        or (GuardPlan(bit=1, end=ticks(topology.end_mm), open=True),),
    )


def _arm_plan(diverter: Diverter, topology: Topology, position: int) -> ArmPlan:
    eye = next(i for i, eye in enumerate(topology.eyes) if eye.position_mm >= diverter.position_mm)
    return ArmPlan(
        position=position,
        clear=(diverter.position_mm + diverter.zone_mm) * topology.ticks_per_m // 1000,
        behind=(diverter.zone_mm + topology.max_speed_mm_s * diverter.change_ms // 1000)
        * topology.ticks_per_m
        // 1000,
        eye=eye,
        actuator_us=diverter.actuator_ms * 1000,
        change_us=diverter.change_ms * 1000,
    )


def _zone_plan(topology: Topology, settings: PlcSettings) -> ZonePlan | None:
    scale = topology.scale
    if scale is None or scale.kind is not ScaleKind.STATIC or scale.zone == 0:
        return None
    start_mm = topology.eyes[scale.infeed_eye - 1].position_mm
    end_mm = topology.eyes[scale.outfeed_eye - 1].position_mm
    per_m = topology.ticks_per_m
    return ZonePlan(
        bit=1 << scale.zone - 1,
        first_eye=scale.infeed_eye - 1,
        start=start_mm * per_m // 1000,
        end=end_mm * per_m // 1000,
        middle=(start_mm + end_mm) * per_m // 2000,
        limit_us=(scale.hold_timeout_ms + settings.hold_grace_ms) * 1000,
    )
