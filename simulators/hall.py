"""The hall of one run: belt, PLC, people, parcels and their faults, joined on one loop.

The rig puts the line process beside it in virtual time; the plant process (``simulators.plant_process``)
runs the same hall in real time.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from line_config.description import LineDescription
from simulators.devices.plc.faults import TURNAROUND_US, BusFaults
from simulators.devices.plc.program import PlcProgram
from simulators.devices.plc.settings import PlcSettings
from simulators.erp import Erp
from simulators.fault_plan import FaultPlan
from simulators.faults import FaultLevel
from simulators.line_faults import LineFaults, LineSide
from simulators.orders import CsvOrders, DrawnOrders, OrderSource, read_orders
from simulators.plant import Plant, PlantDriver, PlantRegisters
from simulators.seeds import SeededBits
from simulators.world.belt import World
from simulators.world.benches import Benches
from simulators.world.buslog import BusLog
from simulators.world.mishaps import Mishaps, SpoiledSource
from simulators.world.parcel import Body
from simulators.world.people import Crew, Infeed
from simulators.world.truth import TruthSink
from simulators.world.way_back import WayBack

US_PER_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HallSetup:
    """``parcels`` None: for ever. ``turnaround_ms`` None: as quick as the simulated PLC is. ``plan``: the
    faults, where they are not those that ``faults`` draws by seed."""

    line: LineDescription
    seed: int
    parcels: int | None
    orders: OrderSource
    faults: FaultLevel
    turnaround_ms: int | None = None
    plan: FaultPlan | None = None


def order_source(orders: Path | None, seed: int) -> OrderSource:
    """Real orders from a CSV, else drawn ones. Raises ``OrdersFileError``."""
    return DrawnOrders(seed) if orders is None else CsvOrders(read_orders(orders), seed)


class Hall:
    """``side`` does what the plan asks of whoever runs the line process."""

    def __init__(
        self,
        setup: HallSetup,
        loop: asyncio.AbstractEventLoop,
        truth: TruthSink,
        side: LineSide,
    ) -> None:
        line, seed = setup.line, setup.seed
        topology = line.topology
        self.plan = setup.plan or FaultPlan(topology, setup.faults, seed)
        self.erp = Erp(topology, setup.orders, self.plan, parcels=setup.parcels, seed=seed)
        self.world = World(topology, SeededBits(seed, "world"), truth, at_us=round(loop.time() * 1_000_000))
        program = PlcProgram(topology, PlcSettings(full_on_ms=line.full_on_ms))
        self.plant = Plant(self.world, program)
        self.plant.bus_listeners.append(BusLog(topology, truth))
        turnaround_us = TURNAROUND_US if setup.turnaround_ms is None else setup.turnaround_ms * US_PER_MS
        self.bus = BusFaults(turnaround_us=turnaround_us)
        source = SpoiledSource(self.erp, self.plan, self.world, self.erp)
        self.mishaps = Mishaps(self.world, self.plan, self.erp)
        self.line_faults = LineFaults(self.plan, self.plant, self.bus, side)
        self.benches: Benches | None = None
        if topology.benches:
            self.benches = Benches(self.world, self.erp, SeededBits(seed, "benches"), self._packed)
            self.world.on_place.append(self._placed)
        ready = None if self.benches is None else self.benches.ready
        self.infeed = Infeed(self.world, source, SeededBits(seed, "infeed"), ready)
        self.way_back = WayBack(self.world, self.infeed)
        self.crew = Crew(self.world, SeededBits(seed, "crew"))
        self.driver = PlantDriver(self.plant, loop)
        self.registers = PlantRegisters(self.plant, self.driver.now_us)

    def _packed(self, index: int) -> None:
        self.infeed.came(index)

    def _placed(self, body: Body) -> None:
        assert self.benches is not None
        self.benches.placed(body.item.spec.index)

    def start(self) -> None:
        """Power on: the PLC waits for a reset, which a person gives."""
        self.plant.power(True)
        self.driver.start()

    def stop(self) -> None:
        self.driver.stop()

    @property
    def empty(self) -> bool:
        """Everything was placed, and nothing is on the belt, on the way into a lane or back to the infeed."""
        return self.infeed.exhausted and not self.world.bodies and not self.way_back.under_way
