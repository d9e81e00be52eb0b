"""The mailbox link against a bank of registers: attach, cycle, ring, belt samples, faults."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from drivers.links.plc import PlcMailboxLink
from edge.model.events import (
    DivertConfirmed,
    EyePassed,
    ParcelLost,
    PlcAttached,
    PlcDetached,
    PlcRefused,
    RingOverflowed,
    StatusBitsChanged,
)
from edge.model.ids import BootEpoch, RingSeq
from edge.model.register_map import StateBit, WordOrder
from edge.model.units import Ticks
from edge.ports.byte_stream import LinkFailed
from edge.ports.plc import RingMark
from edge.ports.sinks import BeltSample
from simulators.loop import VirtualLoop
from tests.clauses import clause
from tests.core.plc_golden import BASES
from tests.line.plc_link_bank import BankBus, BankPlc, Clock, Outputs, Seen, now_us
from tests.lines_for_tests import small_topology, with_word_order

NOTHING = RingMark(epoch=BootEpoch(0), ring_last=RingSeq(0), ticks=Ticks(0))


class Rig:
    """One link on one bank, kept open as a keeper would: again 100 ms after each end."""

    def __init__(
        self,
        plc: BankPlc | None = None,
        *,
        resume: RingMark = NOTHING,
        turnaround_ms: int = 5,
        read_write: bool = False,
    ) -> None:
        self.plc = plc or BankPlc()
        self.bus = BankBus(self.plc, turnaround_us=turnaround_ms * 1000)
        self.seen = Seen()
        registers = with_word_order(WordOrder.ABCD, read_write=read_write)
        self.link = PlcMailboxLink(
            topology=small_topology(registers=registers, turnaround_ms=turnaround_ms),
            bus=self.bus,
            clock=Clock(),
            events=self.seen,
            belt=self.seen,
            outputs=Outputs(),
            resume=resume,
            room=lambda: self.room,
        )
        self.room = True
        self.ups: list[int] = []
        self.ends: list[tuple[int, str]] = []

    async def keep(self) -> None:
        while True:
            try:
                await self.link.session(lambda: self.ups.append(now_us()))
            except LinkFailed as failed:
                self.ends.append((now_us(), str(failed)))
                assert not self.bus.is_open
            await asyncio.sleep(0.1)

    def run(self, script: Callable[["Rig"], Awaitable[None]], *, shuffle_seed: int | None = None) -> "Rig":
        async def main() -> None:
            keeper = asyncio.create_task(self.keep())
            await script(self)
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            assert not self.bus.is_open

        VirtualLoop(shuffle_seed=shuffle_seed).run(main())
        return self


def seconds(s: float) -> Callable[[Rig], Awaitable[None]]:
    async def script(_: Rig) -> None:
        await asyncio.sleep(s)

    return script


@clause("ID-7", "RING-3")
def test_it_attaches_once_the_identity_agrees_and_the_first_status_is_in() -> None:
    rig = Rig().run(seconds(0.05))
    assert [(name, address, count) for _, name, address, count in rig.bus.log[:3]] == [
        ("read", BASES["identity"], 16),
        ("write", BASES["pc_status"], 12),
        ("read", BASES["status"], 22),
    ]
    (attached,) = rig.seen.of(PlcAttached)
    assert (attached.epoch, attached.ring_next, attached.last_seq) == (7, 1, 0)
    assert attached.bits.state == StateBit.RUN
    assert rig.ups == [1_015_000]
    assert rig.seen.of(BeltSample)[0].ring_read


@clause("REG-4")
@pytest.mark.parametrize("read_write", [False, True])
def test_every_cycle_writes_pc_status_and_reads_status(read_write: bool) -> None:
    rig = Rig(read_write=read_write).run(seconds(2))
    name = "exchange" if read_write else "write"
    asked = [at for at, what, address, _ in rig.bus.log if (what, address) == (name, BASES["pc_status"])]
    assert {later - sooner for sooner, later in pairwise(asked)} == {100_000}
    assert len(asked) == 20
    samples = rig.seen.of(BeltSample)
    assert len(samples) == 20
    turn_us = 5_000 if read_write else 10_000
    assert samples[3].answered_us == asked[3] + turn_us
    assert samples[3].asked_us == asked[3] + turn_us - 5_000
    assert rig.plc.pc["heartbeat"] == 20
    assert rig.plc.pc["exits_enabled"] == 7


@clause("REG-2", "REG-5", "LINK-7")
@pytest.mark.parametrize(
    ("turnaround_ms", "cycle_us"), [(5, 100_000), (20, 100_000), (100, 300_000), (200, 600_000)]
)
def test_a_slow_plc_keeps_its_cycle_under_a_stream_of_events(turnaround_ms: int, cycle_us: int) -> None:
    async def script(rig: Rig) -> None:
        for n in range(100):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
            await asyncio.sleep(max(0.1, turnaround_ms * 0.002))
        await asyncio.sleep(2)

    rig = Rig(turnaround_ms=turnaround_ms).run(script)
    asked = [at for at, _, address, _ in rig.bus.log if address == BASES["pc_status"]]
    gaps = [later - sooner for sooner, later in pairwise(asked)]
    assert max(gaps) <= cycle_us + turnaround_ms * 1000
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == list(range(1, 101))
    assert rig.ends == []


@clause("RING-3")
def test_entries_are_posted_in_order_and_before_the_status_that_they_precede() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.15)
        for n in range(7):
            rig.plc.put(1, 2, arg=300 + n, number=1 + n, ticks=rig.plc.ticks() - n)
        rig.plc.put(2, 3, number=5, ticks=rig.plc.ticks())
        rig.plc.put(6, 4, arg=2, number=6, ticks=rig.plc.ticks())
        rig.plc.status["exits_full"] = 2
        await asyncio.sleep(0.2)

    rig = Rig().run(script)
    assert rig.seen.names == [
        "PlcAttached",
        *["EyePassed"] * 7,
        "ParcelLost",
        "DivertConfirmed",
        "StatusBitsChanged",
    ]
    assert [event.length_mm for event in rig.seen.of(EyePassed)] == [300 + n for n in range(7)]
    assert rig.seen.of(ParcelLost)[0].eye == 3
    assert rig.seen.of(DivertConfirmed)[0].exit == 4
    first, last = (
        next(n for n, seen in enumerate(rig.seen.all) if isinstance(seen, kind))
        for kind in (EyePassed, StatusBitsChanged)
    )
    unread = [n for n, seen in enumerate(rig.seen.all) if isinstance(seen, BeltSample) and not seen.ring_read]
    assert unread
    assert max(unread) < first
    after = rig.seen.all[last + 1]
    assert isinstance(after, BeltSample)
    assert after.ring_read
    assert rig.plc.pc["ring_ack"] == 9


def test_a_loop_that_is_behind_leaves_the_ring_to_the_plc_and_reads_it_later_whole() -> None:
    """Architecture, overflow policies: stop reading; belt, heartbeat and commands go on meanwhile."""

    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.2)
        rig.room = False
        for n in range(40):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
            await asyncio.sleep(0.1)
        assert not rig.seen.of(EyePassed)
        assert not [words for _, name, _, words in rig.bus.log if name == "read" and words in (10, 20, 30)]
        assert rig.plc.pc["heartbeat"] > 40
        rig.room = True
        await asyncio.sleep(1)

    rig = Rig().run(script)
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == list(range(1, 41))
    samples = rig.seen.of(BeltSample)
    assert sum(not sample.ring_read for sample in samples) >= 38
    assert samples[-1].ring_read
    assert rig.ends == [], "no session ended over it"


@clause("RING-1", "REG-2")
def test_the_ring_is_read_three_slots_at_once_and_never_over_its_end() -> None:
    async def script(rig: Rig) -> None:
        for n in range(254):
            rig.plc.put(1, 2, arg=300, number=1 + n)
        await asyncio.sleep(3)
        for n in range(5):
            rig.plc.put(1, 3, arg=300, number=1 + n)
        await asyncio.sleep(0.5)

    rig = Rig().run(script)
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == list(range(1, 260))
    reads = [
        ((address - 64) // 10, count // 10) for _, _, address, count in rig.bus.log if 64 <= address < 4096
    ]
    assert reads[-3:] == [(254, 2), (0, 3)] or reads[-2:] == [(254, 2), (0, 3)]
    assert all(index + slots <= 256 for index, slots in reads)


@clause("RING-3")
def test_after_a_restart_it_goes_on_behind_the_last_entry_on_record() -> None:
    async def script(rig: Rig) -> None:
        for n in range(5):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
        await asyncio.sleep(0.3)

    resume = RingMark(epoch=BootEpoch(7), ring_last=RingSeq(3), ticks=Ticks(2**33 + 50))
    rig = Rig(BankPlc(ticks_at_zero=100), resume=resume).run(script)
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == [4, 5]
    (attached,) = rig.seen.of(PlcAttached)
    assert attached.ring_next == 4
    assert 2**33 + 100 < attached.ticks < 2**33 + 100 + 10_000


@clause("ID-1", "ID-2")
def test_another_epoch_on_record_means_reading_from_one() -> None:
    async def script(rig: Rig) -> None:
        rig.plc.put(1, 2, arg=300, number=1)
        await asyncio.sleep(0.3)

    resume = RingMark(epoch=BootEpoch(6), ring_last=RingSeq(900), ticks=Ticks(2**33))
    rig = Rig(resume=resume).run(script)
    assert rig.seen.of(PlcAttached)[0].ring_next == 1
    assert rig.seen.of(PlcAttached)[0].ticks < 10_000
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == [1]


def test_ticks_are_unwrapped_over_the_end_of_the_counter() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.2)
        rig.plc.put(1, 2, arg=300, number=1, ticks=rig.plc.ticks() - 20_000)
        await asyncio.sleep(1)

    rig = Rig(BankPlc(ticks_at_zero=2**32 - 8_000)).run(script)
    ticks = [sample.ticks for sample in rig.seen.of(BeltSample)]
    assert ticks == sorted(ticks)
    assert ticks[0] < 2**32 < ticks[-1]
    (eye,) = rig.seen.of(EyePassed)
    assert 2**32 - 28_000 < eye.ticks < 2**32 - 18_000


@clause("RING-6")
def test_entries_overwritten_before_they_were_read_are_said_so_and_reading_goes_on() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        for n in range(300):
            rig.plc.put(1, 2, arg=300, number=1 + n)
        await asyncio.sleep(2)
        rig.plc.put(1, 3, arg=300, number=999)
        await asyncio.sleep(0.3)

    rig = Rig().run(script)
    (overflowed,) = rig.seen.of(RingOverflowed)
    assert overflowed.ring_next == 300 - 128 + 1
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == list(range(173, 302))


@clause("RING-3", "RING-6")
def test_a_slot_overwritten_between_its_reading_and_the_next_head_is_not_believed() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        for n in range(250):
            rig.plc.put(1, 2, arg=300, number=1 + n)
        while not any(64 <= address < 4096 for _, _, address, _ in rig.bus.log):
            await asyncio.sleep(0.001)
        for n in range(60):
            rig.plc.put(1, 3, arg=300, number=1000 + n)
        await asyncio.sleep(2)

    rig = Rig().run(script)
    (overflowed,) = rig.seen.of(RingOverflowed)
    posted = [event.ring_seq for event in rig.seen.of(EyePassed)]
    assert posted == list(range(overflowed.ring_next, 311))
    assert all(event.eye == (2 if event.ring_seq <= 250 else 3) for event in rig.seen.of(EyePassed))


@pytest.mark.parametrize(
    "words", [(0,) * 10, (0, 1, 0x0103, 300, 0, 18, 0, 1, 0, 1), (0, 2, 0xFF01, *[0] * 7)]
)
def test_a_slot_that_is_wrong_though_nobody_wrote_it_ends_the_session(words: tuple[int, ...]) -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        rig.plc.put(1, 2, arg=300, number=1)
        rig.plc.put(1, 3, arg=300, number=1)
        rig.plc.spoil(2, words)
        await asyncio.sleep(0.35)

    rig = Rig().run(script)
    assert "ring" in rig.ends[0][1]
    assert rig.seen.names[:3] == ["PlcAttached", "PlcDetached", "PlcAttached"]
    assert rig.seen.of(EyePassed) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"map_version": 4}, "map version is 4, the line says 3"),
        ({"map_hash": 1}, "map hash is 0x00000001"),
        ({"exits": 9, "ticks_per_m": 70_000}, "exits is 9, the line says 3; ticks per metre is 70000"),
        ({"scan_ms": 6}, "scan takes 6 ms"),
        ({"ring_capacity": 300, "scan_ms": 9}, "scan takes 9 ms"),
        ({"contract": 2}, "contract 2"),
        ({"test_u32": 0x78563412}, "self-test"),
    ],
)
@clause("ID-7")
def test_a_plc_that_does_not_agree_is_refused_once_and_commanded_never(
    words: dict[str, int], why: str
) -> None:
    rig = Rig(BankPlc(identity=words)).run(seconds(3))
    assert rig.seen.names == ["PlcRefused"]
    assert why in rig.seen.of(PlcRefused)[0].why
    assert {what for _, what, _, _ in rig.bus.log} == {"read"}
    assert rig.ups == []
    assert len(rig.ends) > 20


@clause("ID-7")
def test_a_refused_plc_that_is_put_right_attaches() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(1)
        rig.plc.identity.clear()
        await asyncio.sleep(0.3)

    rig = Rig(BankPlc(identity={"map_version": 4})).run(script)
    assert rig.seen.names == ["PlcRefused", "PlcAttached"]


@clause("ID-9")
def test_registers_of_zeros_are_a_fault_and_no_refusal() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.5)
        rig.plc.zeros = True
        await asyncio.sleep(1)
        rig.plc.zeros = False
        await asyncio.sleep(0.3)

    rig = Rig().run(script)
    assert rig.seen.names == ["PlcAttached", "PlcDetached", "PlcAttached"]
    assert all("zero" in why for _, why in rig.ends)


@clause("LINK-4", "LINK-5")
def test_any_fault_closes_the_bus_at_once_and_a_new_session_resumes() -> None:
    async def script(rig: Rig) -> None:
        rig.bus.fail_at = {7}
        for n in range(30):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
            await asyncio.sleep(0.05)

    rig = Rig().run(script)
    assert len(rig.ends) == 1
    assert rig.bus.opened == 2
    (detached,) = rig.seen.of(PlcDetached)
    assert detached.why == "no answer within 100 ms"
    assert "belt unseen" in rig.seen.all
    assert rig.seen.of(PlcAttached)[1].at_us - detached.at_us < 200_000
    posted = [event.ring_seq for event in rig.seen.of(EyePassed)]
    assert posted == list(range(1, len(posted) + 1))
    assert len(posted) > 25


@clause("ID-2", "LINK-9")
def test_a_plc_restart_under_an_open_connection_is_seen_by_its_epoch() -> None:
    async def script(rig: Rig) -> None:
        rig.plc.put(1, 2, arg=300, number=1)
        await asyncio.sleep(0.5)
        rig.plc.restart(8)
        rig.plc.put(1, 1, arg=300, number=1)
        await asyncio.sleep(0.5)

    rig = Rig().run(script)
    assert rig.seen.names == ["PlcAttached", "EyePassed", "PlcDetached", "PlcAttached", "EyePassed"]
    assert [event.epoch for event in rig.seen.of(PlcAttached)] == [7, 8]
    assert [(event.epoch, event.ring_seq) for event in rig.seen.of(EyePassed)] == [(7, 1), (8, 1)]
    assert "epoch 7 became 8" in rig.ends[0][1]


def test_a_bad_entry_behind_good_ones_hands_on_none_of_them_twice() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        rig.plc.put(1, 2, arg=300, number=1)
        rig.plc.put(5, 2, arg=77, number=1)
        await asyncio.sleep(1)
        rig.plc.spoil(2, (0, 2, 0x0502, 5, 0, 1, 0, 1, 0, 1))
        await asyncio.sleep(1)

    rig = Rig().run(script)
    assert "77 is not a valid AbortCause" in rig.ends[0][1]
    assert [event.ring_seq for event in rig.seen.of(EyePassed)] == [1]
    assert rig.seen.names[-1] == "DivertAborted"


def test_a_plc_that_restarts_between_identity_and_status_is_not_attached_under_the_old_epoch() -> None:
    rig = Rig(BankPlc(status={"epoch": 9})).run(seconds(0.05))
    assert rig.seen.names == []
    assert "epoch 7 became 9" in rig.ends[0][1]


def test_the_same_epoch_with_a_younger_ring_is_no_plc_to_command() -> None:
    resume = RingMark(epoch=BootEpoch(7), ring_last=RingSeq(40), ticks=Ticks(0))
    rig = Rig(resume=resume).run(seconds(1))
    assert rig.seen.names == ["PlcRefused"]
    assert "40 is on record" in rig.seen.of(PlcRefused)[0].why


@clause("REG-6")
def test_a_program_that_stands_behind_a_live_port_is_a_lost_link_until_it_beats() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(1)
        rig.plc.beats = False
        await asyncio.sleep(2)
        rig.plc.beats = True
        await asyncio.sleep(0.5)

    rig = Rig().run(script)
    assert rig.seen.names == ["PlcAttached", "PlcDetached", "PlcAttached"]
    detached = rig.seen.of(PlcDetached)[0]
    assert "program stands" in detached.why
    assert detached.at_us < 2_000_000 + 600_000


def test_ticks_that_go_back_are_a_fault() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.5)
        rig.plc.ticks_at_zero -= 50_000
        await asyncio.sleep(0.15)

    rig = Rig(BankPlc(ticks_at_zero=100_000)).run(script)
    assert "went back" in rig.ends[0][1]


def test_a_refused_connection_says_nothing_of_the_plc() -> None:
    async def script(rig: Rig) -> None:
        rig.bus.refuses = 3
        await asyncio.sleep(1)

    rig = Rig().run(script)
    assert rig.seen.names == ["PlcAttached"]
    assert [why for _, why in rig.ends] == ["refused"] * 3


@pytest.mark.parametrize("shuffle_seed", [1, 2, 3])
def test_the_scheduling_of_tasks_changes_nothing(shuffle_seed: int) -> None:
    async def script(rig: Rig) -> None:
        rig.bus.fail_at = {15}
        for n in range(40):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
            await asyncio.sleep(0.031_113)  # never in the instant of a bus step: whose turn that is, is open

    def outcome(rig: Rig) -> list[Any]:
        return rig.seen.all

    assert outcome(Rig().run(script, shuffle_seed=shuffle_seed)) == outcome(Rig().run(script))


def test_a_map_whose_blocks_are_too_small_is_our_error() -> None:
    registers = replace(with_word_order(WordOrder.ABCD), max_block=16)
    with pytest.raises(ValueError, match="max_block 16"):
        PlcMailboxLink(
            topology=small_topology(registers=registers),
            bus=BankBus(BankPlc()),
            clock=Clock(),
            events=Seen(),
            belt=Seen(),
            outputs=Outputs(),
            resume=NOTHING,
        )
