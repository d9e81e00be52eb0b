"""The PLC's program as the plant calls it: pure, driven by sensors, written from the contract."""

from collections.abc import Sequence

from edge.model.topology import Topology
from simulators.cables import Actuators, Sensors
from simulators.devices.plc.bank import ModbusRefused
from simulators.devices.plc.geometry import plan_geometry
from simulators.devices.plc.life import PlcLife
from simulators.devices.plc.settings import PlcSettings

EPOCH_MAX = 0xFFFF
DEVICE_BUSY = 6
"""Modbus exception: the program does not run yet."""


class PlcProgram:
    """Call ``update`` at every change of a sensor, at the time that the last call asked for, and
    at once after a ``write`` or a ``restart``. Between calls nothing happens.

    Registers are those of the last ``update``: bring the program up to date before a read
    (``simulators.plant.PlantRegisters`` does both).
    """

    def __init__(self, topology: Topology, settings: PlcSettings | None = None) -> None:
        """Raises ``ValueError`` for a topology that no PLC could run."""
        self._topology = topology
        self._settings = settings or PlcSettings()
        self._geometry = plan_geometry(topology, self._settings)
        self._epoch = self._settings.epoch
        self._life: PlcLife | None = None
        self._wake: int | None = None

    def off(self) -> Actuators:
        """What a PLC without power drives."""
        return Actuators(
            belt=False,
            induction=False,
            diverters=(0,) * len(self._topology.diverters),
            zones_hold=0,
            gates=0,
            indicators=0,
        )

    def restart(self) -> None:
        """Power off and on: only the epoch's counter is retained. It runs from the next ``update``."""
        self._life = None
        self._wake = None

    @property
    def epoch(self) -> int:
        """The boot epoch; 0 before the first ``update``."""
        return self._epoch

    @property
    def life(self) -> PlcLife:
        """The running program, for tests. Raises ``ModbusRefused`` while it does not run."""
        if self._life is None:
            raise ModbusRefused(DEVICE_BUSY)
        return self._life

    def update(self, sensors: Sensors) -> tuple[Actuators, int | None]:
        """The outputs from now on, and when to call again at the latest (µs; None: on a change)."""
        life = self._life
        if life is None:
            self._epoch = self._epoch % EPOCH_MAX + 1
            life = self._life = PlcLife(
                topology=self._topology,
                settings=self._settings,
                geometry=self._geometry,
                epoch=self._epoch,
                sensors=sensors,
            )
        answer = life.update(sensors)
        self._wake = answer[1]
        return answer

    def tick(self, at_us: int, encoder_ticks: int) -> bool:
        """The clocks move; False where it takes an ``update``. Not after a change or a ``write``."""
        wake = self._wake
        if wake is not None and wake <= at_us:
            return False
        return self._life is not None and self._life.tick(at_us, encoder_ticks)

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Registers as of the last ``update``. Raises ``ModbusRefused``."""
        return self.life.bank.read(address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        """Taken over by the next ``update``, which must follow at once. Raises ``ModbusRefused``."""
        self.life.bank.write(address, values)
