"""The registers of a PLC in a plant, as a bus reaches them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from simulators.devices.plc.program import PlcProgram


class Registers(Protocol):
    """Both raise ``bank.ModbusRefused``."""

    def read(self, address: int, count: int) -> tuple[int, ...]: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...


class PlcRegisters:
    """``step`` brings plant and program up to now: sensors, ``update``, actuators.

    Every value read is that of this very instant; what is written acts at once.
    """

    def __init__(self, program: PlcProgram, step: Callable[[], None]) -> None:
        self._program = program
        self._step = step

    def read(self, address: int, count: int) -> tuple[int, ...]:
        self._step()
        return self._program.read(address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        self._step()
        self._program.write(address, values)
        self._step()
