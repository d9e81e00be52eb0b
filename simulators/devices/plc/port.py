"""The registers of a PLC in a plant, as a bus reaches them (``simulators.plant.PlantRegisters``)."""

from collections.abc import Sequence
from typing import Protocol


class Registers(Protocol):
    """Both raise ``bank.ModbusRefused``."""

    def read(self, address: int, count: int) -> tuple[int, ...]: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...
