"""What the PLC is told every cycle: one owner, absolute values."""

from edge.model.commands import (
    EnableExits,
    PermitInduction,
    RequestPurge,
    RequestStop,
    SetGate,
    SetIndicators,
    SetZone,
)
from edge.model.ids import PlcNumber
from edge.model.register_map import ModeBit
from edge.ports.plc import PcOutputs
from edge.runtime.health import Health

OutputCommand = PermitInduction | RequestPurge | RequestStop | EnableExits | SetIndicators | SetZone | SetGate


class Outputs:
    """Nothing is permitted, no gate open and no exit enabled until the core says so."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._mode = ModeBit(0)
        self._gates = 0
        self._zones_hold = 0
        self._release = PlcNumber(0)
        self._exits_enabled = 0
        self._indicators = 0

    def _set_mode(self, bit: ModeBit, on: bool) -> None:
        self._mode = self._mode | bit if on else self._mode & ~bit

    def apply(self, command: OutputCommand) -> None:
        match command:
            case PermitInduction(on=on):
                self._set_mode(ModeBit.PERMIT_INDUCTION, on)
            case RequestPurge(on=on):
                self._set_mode(ModeBit.REQUEST_PURGE, on)
            case RequestStop(on=on):
                self._set_mode(ModeBit.REQUEST_STOP, on)
            case EnableExits(bits=bits):
                self._exits_enabled = bits
            case SetIndicators(bits=bits):
                self._indicators = bits
            case SetGate(gate=gate, open=opened):
                bit = 1 << (gate - 1)
                self._gates = self._gates | bit if opened else self._gates & ~bit
            case SetZone(zone=zone, hold=hold, number=number):
                bit = 1 << (zone - 1)
                self._zones_hold = self._zones_hold | bit if hold else self._zones_hold & ~bit
                if not hold:
                    self._release = number

    @property
    def permitted(self) -> bool:
        return ModeBit.PERMIT_INDUCTION in self._mode

    def read(self) -> PcOutputs:
        """Called by the PLC link once a cycle; moves the heartbeat."""
        return PcOutputs(
            heartbeat=self._health.beat(),
            mode=self._mode,
            gates=self._gates,
            zones_hold=self._zones_hold,
            release_number=self._release,
            exits_enabled=self._exits_enabled,
            indicators=self._indicators,
        )
