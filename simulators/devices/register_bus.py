"""The PLC's registers served from memory, with the turnaround of a real bus.

``RegisterBus`` has the form of the line's block port without knowing it: the rig passes in the
exception that the port promises.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from simulators.devices.plc.bank import ModbusRefused
from simulators.devices.plc.faults import BusFaults, Silence
from simulators.devices.plc.port import Registers

CONNECT_US = 500
US_PER_S = 1_000_000

Answering = Coroutine[Any, Any, tuple[int, ...]]
Act = Callable[..., tuple[int, ...]]
"""What a request does at the PLC, and the registers that it brings back."""


class RegisterBus:
    """One master at a time, one request in flight. A request acts half-way through its turnaround.

    Every failure closes the port and is raised as ``failed``: no connection, silence or an answer
    later than ``timeout_us``, an exception response.
    """

    def __init__(
        self,
        registers: Registers,
        *,
        failed: type[Exception],
        timeout_us: int,
        faults: BusFaults | None = None,
    ) -> None:
        self._registers = registers
        self._failed = failed
        self._timeout_us = timeout_us
        self._loop: asyncio.AbstractEventLoop | None = None
        """While the port is open."""
        self._busy = False
        self._context = contextvars.copy_context()
        """The PLC's, not the asking task's: what a request sets off there outlives who asked."""
        self.faults = faults if faults is not None else BusFaults()

    async def open(self) -> None:
        if self.faults.refuse:
            await _pause(CONNECT_US)
            raise self._failed("connection refused")
        await _pause(CONNECT_US)
        self._loop = asyncio.get_running_loop()

    def read(self, address: int, count: int) -> Answering:
        return self._request(self._registers.read, address, count)

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        await self._request(self._write, address, values)

    def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> Answering:
        """FC23: write ``values`` at ``address``, then read ``count`` registers at ``at``."""
        return self._request(self._write_and_read, address, values, at, count)

    async def close(self) -> None:
        self._loop = None

    def _write(self, address: int, values: tuple[int, ...]) -> tuple[int, ...]:
        self._registers.write(address, values)
        return ()

    def _write_and_read(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        self._registers.write(address, values)
        return self._registers.read(at, count)

    async def _request(self, act: Act, *args: Any) -> tuple[int, ...]:
        loop = self._loop
        if loop is None:
            raise self._failed("not connected")
        if self._busy:
            raise RuntimeError("a second request while one is in flight")
        self._busy = True
        turnaround_us = self.faults.next_turnaround_us()
        half_us = turnaround_us // 2
        try:
            if half_us >= self._timeout_us:
                await self._time_out(self._timeout_us)
            answered: asyncio.Future[tuple[int, ...] | None] = loop.create_future()
            loop.call_later(
                half_us / US_PER_S,
                self._reach,
                act,
                args,
                turnaround_us,
                answered,
                loop,
                context=self._context,
            )
            answer = await answered
            if answer is None:
                await self._time_out(self._timeout_us - half_us)
            return answer
        except ModbusRefused as refusal:
            self._loop = None
            raise self._failed(f"exception response {refusal.code}") from refusal
        finally:
            self._busy = False

    def _reach(
        self,
        act: Act,
        args: tuple[Any, ...],
        turnaround_us: int,
        answered: "asyncio.Future[tuple[int, ...] | None]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """The request is at the PLC. ``answered``: its answer, once that is back; None: there is none."""
        if answered.done():
            return  # whoever asked is gone
        silence = self.faults.silence
        if silence is Silence.DEAF:
            answered.set_result(None)
            return
        try:
            answer = act(*args)
        except ModbusRefused as refusal:
            answered.set_exception(refusal)
            return
        if silence is not Silence.NONE or turnaround_us > self._timeout_us:
            answered.set_result(None)
        else:
            back_us = turnaround_us - turnaround_us // 2
            loop.call_later(back_us / US_PER_S, _hand_over, answered, answer)

    async def _time_out(self, rest_us: int) -> NoReturn:
        await _pause(rest_us)
        self._loop = None
        raise self._failed(f"no answer within {self._timeout_us} us")


async def _pause(us: int) -> None:
    await asyncio.sleep(us / US_PER_S)


def _hand_over(answered: "asyncio.Future[tuple[int, ...] | None]", answer: tuple[int, ...]) -> None:
    if not answered.done():
        answered.set_result(answer)
