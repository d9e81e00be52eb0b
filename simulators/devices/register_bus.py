"""The PLC's registers served from memory, with the turnaround of a real bus.

``RegisterBus`` has the form of the line's block port without knowing it: the rig passes in the
exception that the port promises.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn, TypeVar

from simulators.devices.plc.bank import ModbusRefused
from simulators.devices.plc.faults import BusFaults, Silence
from simulators.devices.plc.port import Registers

CONNECT_US = 500
US_PER_S = 1_000_000

Answer = TypeVar("Answer")


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
        self._open = False
        self._busy = False
        self.faults = faults if faults is not None else BusFaults()

    async def open(self) -> None:
        if self.faults.refuse:
            await _pause(CONNECT_US)
            raise self._failed("connection refused")
        await _pause(CONNECT_US)
        self._open = True

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        return await self._request(lambda: self._registers.read(address, count))

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        await self._request(lambda: self._registers.write(address, values))

    async def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        """FC23: write ``values`` at ``address``, then read ``count`` registers at ``at``."""

        def act() -> tuple[int, ...]:
            self._registers.write(address, values)
            return self._registers.read(at, count)

        return await self._request(act)

    async def close(self) -> None:
        self._open = False

    async def _request(self, act: Callable[[], Answer]) -> Answer:
        if not self._open:
            raise self._failed("not connected")
        if self._busy:
            raise RuntimeError("a second request while one is in flight")
        self._busy = True
        try:
            return await self._serve(act)
        except ModbusRefused as refusal:
            self._open = False
            raise self._failed(f"exception response {refusal.code}") from refusal
        finally:
            self._busy = False

    async def _serve(self, act: Callable[[], Answer]) -> Answer:
        turnaround_us = self.faults.next_turnaround_us()
        half_us = turnaround_us // 2
        if half_us >= self._timeout_us:
            await self._time_out(self._timeout_us)
        await _pause(half_us)
        if self.faults.silence is Silence.DEAF:
            await self._time_out(self._timeout_us - half_us)
        answer = act()
        if self.faults.silence is not Silence.NONE or turnaround_us > self._timeout_us:
            await self._time_out(self._timeout_us - half_us)
        await _pause(turnaround_us - half_us)
        return answer

    async def _time_out(self, rest_us: int) -> NoReturn:
        await _pause(rest_us)
        self._open = False
        raise self._failed(f"no answer within {self._timeout_us} us")


async def _pause(us: int) -> None:
    """A sleep whose timer is left to fire into nothing if it is cancelled: twice a transaction counts."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    loop.call_later(us / US_PER_S, _release, over)
    await over


def _release(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)
