"""Carries out what the core wants: at once, or when the commit of its cause is durable.

Durable before told: commands to the PLC and look-ups wait for the future of the commit that holds
the input which caused them. What only restricts (induction off, stop, purge) does not wait, and a
permit that still waits for its commit is void once induction has been switched again.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from edge.model.commands import (
    ArchiveImage,
    CaptureStatic,
    CaptureWeight,
    CaptureZero,
    EnableExits,
    LineCommand,
    LookUp,
    LookUpPlace,
    LookUpSlip,
    PermitInduction,
    Record,
    RequestPurge,
    RequestStop,
    Revoke,
    SendDivert,
    SetGate,
    SetIndicators,
    SetZero,
    SetZone,
    WakeAt,
)
from edge.model.ids import JournalSeq
from edge.ports.plc import PlcPort
from edge.runtime.belt_watch import BeltWatch
from edge.runtime.look_ups import LookUps
from edge.runtime.outputs import Outputs

Waiting = (
    SendDivert
    | Revoke
    | LookUp
    | LookUpPlace
    | LookUpSlip
    | PermitInduction
    | SetZone
    | SetGate
    | EnableExits
)


class Dispatcher:
    """``failed`` is called with the error of a commit that did not become durable."""

    def __init__(
        self,
        *,
        plc: PlcPort,
        belt: BeltWatch,
        outputs: Outputs,
        look_ups: LookUps,
        set_zero: Callable[[], None],
        archive: Callable[[ArchiveImage], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._plc = plc
        self._belt = belt
        self._outputs = outputs
        self._look_ups = look_ups
        self._set_zero = set_zero
        self._archive = archive
        self._failed = failed
        self._permit: PermitInduction | None = None
        """The latest one that the core gave, carried out or not."""

    def at_once(self, commands: list[LineCommand]) -> list[Waiting]:
        """Carry out what need not wait; returns what must."""
        waiting: list[Waiting] = []
        for command in commands:
            if isinstance(command, PermitInduction):
                self._permit = command
            match command:
                case WakeAt():
                    self._belt.wake_at(command)
                case CaptureWeight() | CaptureZero():
                    self._belt.capture(command)
                case CaptureStatic():
                    self._belt.capture_static(command)
                case SetZero():
                    self._set_zero()
                case ArchiveImage():
                    self._archive(command)
                case PermitInduction(on=False) | RequestPurge() | RequestStop() | SetIndicators():
                    self._outputs.apply(command)
                case SendDivert() | Revoke() | LookUp() | LookUpPlace() | LookUpSlip():
                    waiting.append(command)
                case PermitInduction() | SetZone() | SetGate() | EnableExits():
                    waiting.append(command)
                case Record():
                    raise AssertionError("records go into the commit, not to the dispatcher")
        return waiting

    def when_durable(self, waiting: list[Waiting], commit: "asyncio.Future[JournalSeq]") -> None:
        """Carry out ``waiting`` in order once ``commit`` is done."""
        if not waiting:
            return
        commit.add_done_callback(partial(self._committed, waiting))

    def _committed(self, waiting: list[Waiting], commit: "asyncio.Future[JournalSeq]") -> None:
        if commit.cancelled():
            return
        error = commit.exception()
        if error is not None:
            self._failed(error)
            return
        for command in waiting:
            match command:
                case SendDivert() | Revoke():
                    self._plc.send(command)
                case LookUp() | LookUpPlace() | LookUpSlip():
                    self._look_ups.ask(command)
                case PermitInduction():
                    if command is self._permit:
                        self._outputs.apply(command)
                case SetZone() | SetGate() | EnableExits():
                    self._outputs.apply(command)
