"""A PLC's registers as a block port in virtual time, written from the contract's table for link tests.

It has no program: a test sets its fields, puts ring entries, and says how commands are judged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge.model.events import Event
from edge.model.ids import PlcNumber
from edge.model.register_map import ModeBit
from edge.model.units import MonoUs
from edge.ports.byte_stream import LinkFailed
from edge.ports.plc import PcOutputs
from edge.ports.sinks import BeltSample
from simulators.loop import VirtualLoop
from tests.core.plc_golden import BASES, LAYOUT, SIZES

US = 1_000_000
SCAN_US = 5_000


def words_of(block: str, values: dict[str, int]) -> tuple[int, ...]:
    """ABCD, straight from the contract's layout; a name that is not given is 0."""
    words = [0] * SIZES[block]
    for offset, size, name in LAYOUT[block]:
        value = values.get(name, 0)
        if size == 2:
            words[offset], words[offset + 1] = value >> 16, value & 0xFFFF
        else:
            words[offset] = value
    return tuple(words)


def values_of(block: str, words: tuple[int, ...]) -> dict[str, int]:
    return {
        name: words[offset] if size == 1 else (words[offset] << 16) | words[offset + 1]
        for offset, size, name in LAYOUT[block]
    }


@dataclass
class BankPlc:
    """``judge(command values) -> status word``, or None to leave the block unjudged."""

    epoch: int = 7
    capacity: int = 256
    identity: dict[str, int] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    judge: Callable[[dict[str, int]], int | None] = lambda command: 1
    judge_after_us: int = SCAN_US
    beats: bool = True
    ticks_at_zero: int = 0
    tick_us: int = 200
    pc: dict[str, int] = field(default_factory=dict)
    commands: list[dict[str, int]] = field(default_factory=list)
    head: int = 0
    zeros: bool = False

    def __post_init__(self) -> None:
        self._slots: dict[int, tuple[int, ...]] = {}
        self._last = {"last_seq": 0, "last_status": 0, "last_crc": 0}

    def put(self, kind: int, point: int, *, arg: int = 0, number: int = 0, ticks: int = 0) -> int:
        """One ring entry; returns its sequence."""
        self.head += 1
        slot = words_of(
            "ring",
            {
                "ring_seq": self.head,
                "kind_point": kind * 256 + point,
                "arg": arg,
                "number": number,
                "ticks": ticks % 2**32,
                "plc_ms": now_us() // 1000,
            },
        )
        self._slots[(self.head - 1) % self.capacity] = slot
        return self.head

    def spoil(self, seq: int, words: tuple[int, ...]) -> None:
        self._slots[(seq - 1) % self.capacity] = words

    def restart(self, epoch: int) -> None:
        self.epoch, self.head = epoch, 0
        self._slots.clear()
        self._last = dict.fromkeys(self._last, 0)

    def answered(self, seq: int, status: int, crc: int) -> None:
        """As if a block with that sequence had been judged."""
        self._last = {"last_seq": seq, "last_status": status, "last_crc": crc}

    def command(self, words: tuple[int, ...]) -> None:
        command = values_of("command", words)
        self.commands.append({**command, "at_us": now_us()})
        asyncio.get_running_loop().call_later(self.judge_after_us / US, self._judge, command)

    def read(self, address: int, count: int) -> tuple[int, ...]:
        if self.zeros:
            return (0,) * count
        if address == BASES["identity"]:
            return words_of("identity", {**self._identity(), **self.identity})[:count]
        if address == BASES["status"]:
            return words_of("status", {**self._status(), **self.status})[:count]
        slots, rest = divmod(count, 10)
        first = (address - BASES["ring"]) // 10
        assert rest == 0
        assert first + slots <= self.capacity
        return tuple(word for n in range(slots) for word in self._slots.get(first + n, (0,) * 10))

    def _judge(self, command: dict[str, int]) -> None:
        status = self.judge(command)
        if status is None:
            return
        seq = self._last["last_seq"] if status in (2, 3) else command["seq"]
        self.answered(seq, status, command["crc"])

    def _identity(self) -> dict[str, int]:
        return {
            "contract": 1,
            "map_version": 3,
            "map_hash": 0xA1B2C3D4,
            "test_u32": 0x12345678,
            "test_float": 0x3F800000,
            "epoch": self.epoch,
            "ring_capacity": self.capacity,
            "slot_size": 10,
            "exits": 3,
            "ticks_per_m": 10_000,
            "max_block": 32,
            "scan_ms": 5,
        }

    def ticks(self) -> int:
        return (self.ticks_at_zero + now_us() // self.tick_us) % 2**32

    def _status(self) -> dict[str, int]:
        return {
            "epoch": self.epoch,
            "heartbeat": now_us() // SCAN_US % 65535 + 1 if self.beats else 9,
            "plc_ms": now_us() // 1000 % 2**32,
            "ticks": self.ticks(),
            "state": 1,
            "ring_head": self.head,
            **self._last,
        }


class BankBus:
    """``edge.ports.plc.BlockPort`` and ``ExchangePort``: half a turnaround, the registers, half again."""

    def __init__(self, plc: BankPlc, *, turnaround_us: int = 5_000) -> None:
        self.plc = plc
        self.turnaround_us = turnaround_us
        self.log: list[tuple[int, str, int, int]] = []
        """(asked µs, read | write | exchange, address, count)."""
        self.fail_at: set[int] = set()
        """Numbers (from 0) of requests that fail after a time-out; of writes, the bytes had arrived."""
        self.refuses = 0
        """So many opens fail."""
        self.opened = 0
        self.is_open = False
        self._busy = False

    async def open(self) -> None:
        assert not self.is_open
        if self.refuses:
            self.refuses -= 1
            raise LinkFailed("refused")
        self.opened += 1
        self.is_open = True

    async def close(self) -> None:
        self.is_open = False

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        return await self._request("read", address, count, lambda: self.plc.read(address, count))

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        await self._request("write", address, len(values), lambda: self._written(address, values))

    async def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        def both() -> tuple[int, ...]:
            self._written(address, values)
            return self.plc.read(at, count)

        return await self._request("exchange", address, count, both)

    def _written(self, address: int, values: tuple[int, ...]) -> tuple[int, ...]:
        if address == BASES["command"]:
            self.plc.command(values)
        else:
            assert address == BASES["pc_status"]
            self.plc.pc = values_of("pc_status", values)
        return ()

    async def _request(
        self, name: str, address: int, count: int, act: Callable[[], tuple[int, ...]]
    ) -> tuple[int, ...]:
        assert self.is_open, "a request on a closed port"
        assert not self._busy, "two requests in flight"
        assert count <= 32
        number = len(self.log)
        self.log.append((now_us(), name, address, count))
        self._busy = True
        try:
            await asyncio.sleep(self.turnaround_us / 2 / US)
            words = act()
            if number in self.fail_at:
                await asyncio.sleep(0.1)
                raise LinkFailed("no answer within 100 ms")
            await asyncio.sleep(self.turnaround_us / 2 / US)
        except LinkFailed:
            self.is_open = False
            raise
        finally:
            self._busy = False
        return words


class Seen:
    """Event sink and belt sink: everything in the order in which it came."""

    def __init__(self) -> None:
        self.all: list[Event | BeltSample | str] = []

    def post(self, event: Event) -> None:
        self.all.append(event)

    def belt_seen(self, sample: BeltSample) -> None:
        self.all.append(sample)

    def belt_unseen(self) -> None:
        self.all.append("belt unseen")

    def of(self, kind: type[Any]) -> list[Any]:
        return [seen for seen in self.all if isinstance(seen, kind)]

    @property
    def names(self) -> list[str]:
        """Kinds of events in order, without the belt's samples."""
        return [type(seen).__name__ for seen in self.all if not isinstance(seen, BeltSample | str)]


class Clock:
    def now_us(self) -> MonoUs:
        return MonoUs(now_us())

    def utc_us(self) -> Any:
        raise AssertionError("a link asks no wall clock")


class Outputs:
    """A heartbeat that moves at each call unless it ``stands``; induction permitted."""

    def __init__(self) -> None:
        self.beat = 0
        self.stands = False
        self.gates = 1
        self.exits_enabled = 7

    def __call__(self) -> PcOutputs:
        self.beat += not self.stands
        return PcOutputs(
            heartbeat=self.beat,
            mode=ModeBit.PERMIT_INDUCTION,
            gates=self.gates,
            zones_hold=0,
            release_number=PlcNumber(0),
            exits_enabled=self.exits_enabled,
            indicators=0,
        )


def now_us() -> int:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.now_us()
