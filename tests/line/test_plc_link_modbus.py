"""Link, pymodbus client, in-memory network, pymodbus server and simulated PLC: both sides of the contract."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edge.core.belt_clock import BeltClock
from edge.model.commands import Revoke, SendDivert
from edge.model.divert import CommandStatus, ConfirmReason
from edge.model.events import (
    CommandAnswered,
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    EyePassed,
    PlcAttached,
    PlcDetached,
    StatusBitsChanged,
)
from edge.model.ids import BootEpoch, ExitNo, PlcNumber, RingSeq, TrackId
from edge.model.register_map import StateBit, WordOrder
from edge.model.units import MonoUs, Ticks
from edge.ports.plc import RingMark
from edge.ports.sinks import BeltSample
from simulators.devices.plc import faults as wrong
from simulators.devices.plc.faults import Mangle, Silence
from simulators.loop import VirtualLoop
from simulators.network import Network, Route
from tests.clauses import clause
from tests.line.plc_link_bench import Joined

Script = Callable[[Joined, Route], Awaitable[None]]


def run(script: Script, *, joined: Joined | None = None, shuffle_seed: int | None = None) -> Joined:
    network = Network(1)
    bench = joined or Joined()

    async def main() -> None:
        async with bench.running():
            await script(bench, network.route("127.0.0.1", 502))

    VirtualLoop(network=network, shuffle_seed=shuffle_seed).run(main())
    return bench


def divert(epoch: int, number: int, to: int) -> SendDivert:
    return SendDivert(track=TrackId(1), epoch=BootEpoch(epoch), number=PlcNumber(number), exit=ExitNo(to))


async def one_parcel_to_exit_3(joined: Joined, route: Route) -> None:
    await joined.until(PlcAttached)
    joined.step()
    joined.bench.put()
    seen = await joined.until(EyePassed)
    joined.link.send(divert(seen.epoch, seen.number, 3))
    answered = await joined.until(CommandAnswered)
    assert answered.status is CommandStatus.APPLIED
    assert (await joined.until(DivertFired)).exit == 3
    confirmed = await joined.until(DivertConfirmed)
    assert (confirmed.number, confirmed.exit, confirmed.reason) == (seen.number, 3, ConfirmReason.COMMANDED)


@clause("REG-1", "REG-4", "RING-3", "CMD-9")
@pytest.mark.parametrize("chunk", [0, 1, 7])
@pytest.mark.parametrize("read_write", [False, True])
def test_one_parcel_is_seen_told_fired_and_confirmed(read_write: bool, chunk: int) -> None:
    async def script(joined: Joined, route: Route) -> None:
        route.chunk = chunk
        await one_parcel_to_exit_3(joined, route)

    joined = run(script, joined=Joined(read_write=read_write))
    assert joined.ends == []
    assert [event.eye for event in joined.seen.of(EyePassed)] == [1, 2, 3, 4]


@clause("REG-1", "ID-7")
@pytest.mark.parametrize("order", list(WordOrder))
def test_every_word_order_reads_alike(order: WordOrder) -> None:
    async def script(joined: Joined, _: Route) -> None:
        attached = await joined.until(PlcAttached)
        assert attached.bits.state & (StateBit.LATCHED | StateBit.RUN)
        assert attached.bits.diverters_home == 0b11
        await asyncio.sleep(0.5)
        assert joined.bench.program.epoch == attached.epoch

    joined = (
        run(script, joined=Joined(order=order)) if order is not WordOrder.ABCD else run(one_parcel_to_exit_3)
    )
    assert joined.ends == []


@pytest.mark.parametrize("shuffle_seed", [1, 2])
def test_the_scheduling_of_tasks_changes_no_event(shuffle_seed: int) -> None:
    shuffled, plain = run(one_parcel_to_exit_3, shuffle_seed=shuffle_seed), run(one_parcel_to_exit_3)
    assert shuffled.seen.all == plain.seen.all


@clause("LINK-4", "CMD-11", "LINK-1", "LINK-3")
def test_a_plc_that_is_silent_for_three_seconds_is_seen_fast_and_is_back_fast() -> None:
    async def script(joined: Joined, _: Route) -> None:
        await joined.until(PlcAttached)
        await asyncio.sleep(1)
        joined.faults.silence = Silence.DEAF
        silent_us = MonoUs(round(asyncio.get_running_loop().time() * 1e6))
        await asyncio.sleep(3)
        (lost,) = joined.seen.of(PlcDetached)
        assert lost.at_us - silent_us <= 300_000
        joined.faults.silence = Silence.NONE
        back_us = MonoUs(round(asyncio.get_running_loop().time() * 1e6))
        again = await joined.until(PlcAttached, lambda event: event.at_us > back_us)
        assert again.at_us - back_us <= 500_000
        joined.seen.all.clear()
        await joined.until(BeltSample)
        await one_parcel_after(joined)

    run(script)


async def one_parcel_after(joined: Joined) -> None:
    joined.step()
    joined.bench.put()
    seen = await joined.until(EyePassed)
    joined.link.send(divert(seen.epoch, seen.number, 1))
    assert (await joined.until(CommandAnswered)).status is CommandStatus.APPLIED
    assert (await joined.until(DivertConfirmed)).exit == 1


@clause("LINK-5")
@pytest.mark.parametrize(
    "mangle",
    [wrong.wrong_id, wrong.zero_id, wrong.wrong_unit, wrong.wrong_function, wrong.truncated, wrong.too_few],
)
def test_a_spoilt_answer_costs_a_session_and_no_event(mangle: Mangle) -> None:
    async def script(joined: Joined, route: Route) -> None:
        await joined.until(PlcAttached)
        joined.step()
        joined.bench.put()
        for _ in range(6):
            joined.faults.mangle, joined.faults.mangled = mangle, 1
            await asyncio.sleep(0.45)
        seen = await joined.until(EyePassed)
        joined.link.send(divert(seen.epoch, seen.number, 3))
        assert (await joined.until(DivertConfirmed)).exit == 3

    joined = run(script)
    assert len(joined.ends) == 6
    seqs = [event.ring_seq for event in joined.seen.of(EyePassed)]
    assert seqs == sorted(set(seqs))
    assert len(joined.seen.of(PlcAttached)) == 7


@clause("CMD-11")
@pytest.mark.parametrize("reset_after_s", [0.0001, 0.004, 0.0052, 0.0055, 0.008, 0.0105, 0.02])
def test_a_connection_that_breaks_around_a_command_leaves_one_answer(reset_after_s: float) -> None:
    async def script(joined: Joined, route: Route) -> None:
        await joined.until(PlcAttached)
        joined.step()
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.link.send(divert(seen.epoch, seen.number, 3))
        await asyncio.sleep(reset_after_s)
        route.reset()
        await joined.until(DivertConfirmed)

    joined = run(script)
    assert [answer.status for answer in joined.seen.of(CommandAnswered)] == [CommandStatus.APPLIED]
    assert len(joined.seen.of(DivertFired)) == 1


@clause("CMD-12", "CMD-13")
def test_a_restarted_process_revokes_what_it_had_told_and_never_tells_it_again() -> None:
    async def script(joined: Joined, route: Route) -> None:
        await joined.until(PlcAttached)
        joined.step()
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.link.send(divert(seen.epoch, seen.number, 3))
        await joined.until(CommandAnswered)
        resume = RingMark(epoch=seen.epoch, ring_last=seen.ring_seq, ticks=seen.ticks)
        link = joined.fresh_link(resume)
        link.send(Revoke(track=TrackId(1), epoch=seen.epoch, number=seen.number, end=ExitNo(5)))
        route.reset()
        answer = await joined.until(CommandAnswered, lambda event: event.revoke)
        assert answer.status is CommandStatus.APPLIED
        confirmed = await joined.until(DivertConfirmed)
        assert (confirmed.exit, confirmed.reason) == (5, ConfirmReason.STRAIGHT)

    joined = run(script)
    assert joined.seen.of(DivertFired) == []
    seqs = [event.ring_seq for event in joined.seen.of(EyePassed)]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


@clause("ID-2", "START-5")
def test_a_plc_restart_is_a_new_epoch_and_a_command_of_the_old_one_comes_to_nothing() -> None:
    async def script(joined: Joined, _: Route) -> None:
        first = await joined.until(PlcAttached)
        joined.step()
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.bench.program.restart()
        joined.bench.step()
        joined.link.send(divert(seen.epoch, seen.number, 3))
        again = await joined.until(PlcAttached, lambda event: event.epoch != first.epoch)
        assert again.ring_next == 1
        await asyncio.sleep(1)
        assert joined.bench.answer() is CommandStatus.REFUSED_EPOCH
        joined.link.send(divert(first.epoch, seen.number, 3))
        await asyncio.sleep(1)
        assert joined.bench.status("last_seq") == again.last_seq

    joined = run(script)
    assert joined.seen.of(CommandAnswered) == []
    assert "restarted" in joined.ends[0]


@clause("LINK-2", "LINK-8")
def test_a_heartbeat_that_stands_drops_the_command_and_stops_induction() -> None:
    async def script(joined: Joined, _: Route) -> None:
        await joined.until(PlcAttached)
        joined.step()
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.link.send(divert(seen.epoch, seen.number, 3))
        await joined.until(CommandAnswered)
        joined.outputs.stands = True
        aborted = await joined.until(DivertAborted)
        assert aborted.number == seen.number
        off = await joined.until(StatusBitsChanged, lambda event: StateBit.INDUCTION not in event.bits.state)
        assert off.at_us > seen.at_us
        assert (await joined.until(DivertConfirmed)).exit == 5

    run(script)


@clause("LINK-10", "REG-3")
def test_belt_samples_bound_the_true_belt_and_prove_no_more_than_the_ring_says() -> None:
    clock = BeltClock(ticks_per_m=1000, max_speed_mm_s=1050, scan_ms=5)
    checked = 0

    async def script(joined: Joined, _: Route) -> None:
        nonlocal checked
        await joined.until(PlcAttached)
        truth: list[tuple[int, int]] = []
        for _turn in range(300):
            joined.step()
            truth.append((round(asyncio.get_running_loop().time() * 1e6), joined.bench.status("ticks")))
            await asyncio.sleep(0.007)
        for sample in joined.seen.of(BeltSample):
            clock.feed(
                asked_us=sample.asked_us,
                answered_us=sample.answered_us,
                epoch=sample.epoch,
                plc_ms=sample.plc_ms,
                ticks=sample.ticks,
                running=sample.running,
                ring_read=sample.ring_read,
            )
        for at_us, ticks in truth[40:-40]:
            bounds = clock.ticks_between(MonoUs(at_us), MonoUs(at_us))
            assert bounds is not None
            # The bench moves in whole milliseconds, its belt in whole millimetres.
            assert bounds[0] - 1 <= ticks <= bounds[1] + 1
            assert bounds[1] - bounds[0] <= 20
            checked += 1

    run(script)
    assert checked > 200


def test_resuming_a_ring_that_is_ahead_of_the_record_reads_what_was_missed() -> None:
    async def script(joined: Joined, route: Route) -> None:
        await one_parcel_to_exit_3(joined, route)
        entries = joined.seen.of(EyePassed)
        joined.seen.all.clear()
        epoch = entries[0].epoch
        joined.fresh_link(RingMark(epoch=epoch, ring_last=RingSeq(1), ticks=Ticks(0)))
        route.reset()
        await joined.until(DivertConfirmed)
        assert [event.eye for event in joined.seen.of(EyePassed)] == [2, 3, 4]

    run(script)
