"""Orders, plans, bodies and PLC bits for tests of the decision core on the demo line."""

from dataclasses import dataclass, field

from edge.model.codes import Symbology
from edge.model.divert import CommandStatus
from edge.model.ids import (
    BootEpoch,
    ChuteId,
    OrderNo,
    PlanId,
    Waybill,
)
from edge.model.order import BeltOrder, OrderStatus, Region
from edge.model.register_map import PlcBits, StateBit
from edge.model.route import SortPlan, SortRule
from edge.model.topology import Topology
from edge.model.units import Grams
from line_config.load import load_line

DEMO: Topology = load_line("demo").topology
EPOCH = BootEpoch(7)
READY = StateBit.RUN | StateBit.INDUCTION
START_US = 1_000_000
FRAMES = 24


def bits(state: StateBit = READY, **words: int) -> PlcBits:
    names = ("exits_full", "diverters_home", "zones_held", "zones_untrusted", "gates")
    return PlcBits(state=state, **{name: words.get(name, 0) for name in names})


def order(waybill: str, routing: str = "1", grams: int | None = 1000, **changes: object) -> BeltOrder:
    fields: dict[str, object] = {
        "order_no": OrderNo("O-" + waybill),
        "version": 1,
        "status": OrderStatus.RELEASED,
        "customer_code": "C1",
        "shop": "S1",
        "carrier": "sf",
        "region": Region(province="330000", city="330100", district="330106"),
        "waybill": Waybill(waybill),
        "routing_code": routing,
        "bag_place": "",
        "expected_weight_g": None if grams is None else Grams(grams),
        "tolerance_g": Grams(0),
    }
    return BeltOrder(**{**fields, **changes})  # type: ignore[arg-type]


def waybill(n: int) -> str:
    return f"SF{n:013d}"


def plan(line: Topology, version: int = 1) -> SortPlan:
    """Routing code ``n`` goes to chute n, and to chute n + 1 if that takes no more."""
    names = [chute.id for chute in line.chutes if chute.kind.value == "shipping"]
    rules = tuple(
        SortRule(id=f"r{n + 1}", routing_code=str(n + 1), chutes=(name, names[(n + 1) % len(names)]))
        for n, name in enumerate(names)
    )
    return SortPlan(id=PlanId("P"), version=version, rules=rules, blind_spots=())


@dataclass(slots=True, kw_only=True)
class Body:
    """A thing on the belt. ``codes`` are read at every reader; ``taken_mm``: taken off there."""

    number: int
    at: int
    """Belt ticks when its leading edge was at the induction eye."""
    length_mm: int = 300
    codes: tuple[str, ...] = ()
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Reader → what it sees instead of ``codes``."""
    grams: int = 1000
    symbology: Symbology = Symbology.CODE128
    taken_mm: int = 10**9
    appears_mm: int = -1
    shifts: dict[int, int] = field(default_factory=dict)
    """Eye → how many mm late it is there (a slip)."""
    commanded: int = 0
    outcome: CommandStatus = CommandStatus.NONE
    fired: bool = False
    gone: bool = False
    unseen: bool = False
    """No confirm eye sees it."""


def chute(n: int) -> ChuteId:
    """The n-th shipping chute of the demo line."""
    return DEMO.chutes[n - 1].id
