"""Virtual time: the clock jumps, instants are FIFO, and nothing fails or hangs in silence."""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from simulators.loop import (
    Deadlock,
    LeftBehind,
    Livelock,
    UnhandledError,
    VirtualClock,
    VirtualLoop,
    VirtualTimeOver,
)


def here() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_an_hour_passes_at_once_and_to_the_microsecond() -> None:
    async def main() -> list[int]:
        seen = [here().now_us()]
        await asyncio.sleep(3600)
        seen.append(here().now_us())
        for _ in range(10):
            await asyncio.sleep(0.000_001)
        seen.append(here().now_us())
        return seen

    began = time.process_time()
    assert VirtualLoop().run(main()) == [1_000_000, 3_601_000_000, 3_601_000_010]
    assert time.process_time() - began < 5


@pytest.mark.parametrize("shuffle_seed", [None, 1])
def test_timers_of_one_instant_fire_in_the_order_they_were_set(shuffle_seed: int | None) -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        when = here().time() + 1
        for n in range(200):
            here().call_at(when, seen.append, n)
        await asyncio.sleep(2)
        return seen

    assert VirtualLoop(shuffle_seed=shuffle_seed).run(main()) == list(range(200))


def test_a_timer_in_the_past_is_due_now_and_the_clock_never_goes_back() -> None:
    async def main() -> int:
        await asyncio.sleep(5)
        fired: asyncio.Future[int] = here().create_future()
        here().call_at(1.0, lambda: fired.set_result(here().now_us()))
        return await fired

    assert VirtualLoop().run(main()) == 6_000_000


def test_cancelled_timers_do_not_fire_and_do_not_pile_up() -> None:
    async def main() -> tuple[list[int], int]:
        seen: list[int] = []
        for n in range(20_000):
            here().call_later(1000 + n, seen.append, n).cancel()
            if n % 100 == 0:
                await asyncio.sleep(0.001)
        return seen, len(here()._timers)

    seen, left = VirtualLoop().run(main())
    assert seen == []
    assert left < 1000


def test_settled_comes_after_all_else_of_the_instant_and_before_the_next() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def chain(n: int) -> None:
            for step in range(n):
                await asyncio.sleep(0)
                seen.append(f"step {step}")
            here().call_later(0, seen.append, "timer of this instant")

        here().call_later(0.000_001, seen.append, "next instant")
        task = asyncio.create_task(chain(3))
        here().call_settled(lambda: seen.append("settled"))
        await asyncio.sleep(1)
        await task
        return seen

    assert VirtualLoop().run(main()) == [
        "step 0",
        "step 1",
        "step 2",
        "timer of this instant",
        "settled",
        "next instant",
    ]


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def spin() -> None:
    while True:
        await asyncio.sleep(0)


async def fails_alone() -> None:
    async def fail() -> None:
        raise ZeroDivisionError("nobody awaits me")

    asyncio.create_task(fail())  # noqa: RUF006 - that nobody holds it is the case
    await asyncio.sleep(1)
    raise AssertionError("the run went on")


async def callback_fails() -> None:
    here().call_later(1, lambda: 1 // int(here().is_closed()))
    await asyncio.sleep(2)
    raise AssertionError("the run went on")


async def thread() -> None:
    await asyncio.to_thread(time.sleep, 0)


async def leaves_a_task() -> None:
    left = asyncio.create_task(never(), name="the one left")
    await asyncio.sleep(0)
    assert not left.done()


async def too_long() -> None:
    await asyncio.sleep(100)


@pytest.mark.parametrize(
    ("main", "error", "words"),
    [
        (never, Deadlock, "nothing is ready"),
        (spin, Livelock, "callbacks at 1000000"),
        (fails_alone, UnhandledError, "never retrieved"),
        (callback_fails, UnhandledError, "Exception in callback"),
        (thread, RuntimeError, "threads do not exist"),
        (leaves_a_task, LeftBehind, "the one left"),
        (too_long, VirtualTimeOver, "the run ends at 50000000"),
    ],
)
def test_what_goes_wrong_ends_the_run(
    main: Callable[[], Coroutine[Any, Any, None]],
    error: type[Exception],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulators.loop.STEPS_PER_INSTANT", 1000)
    with pytest.raises(error, match=words):
        VirtualLoop(max_virtual_us=50_000_000).run(main())
    gc.collect()


def test_the_cause_of_an_unhandled_error_is_kept() -> None:
    with pytest.raises(UnhandledError) as caught:
        VirtualLoop().run(fails_alone())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_main_raising_is_raised_as_it_is_and_its_tasks_are_ended() -> None:
    ended: list[str] = []

    async def worker() -> None:
        try:
            await never()
        finally:
            ended.append("worker")

    async def main() -> None:
        task = asyncio.create_task(worker())
        await asyncio.sleep(1)
        assert not task.done()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        VirtualLoop().run(main())
    assert ended == ["worker"]


def test_a_task_whose_failure_is_awaited_later_is_no_error() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> str:
        task = asyncio.create_task(fail())
        await asyncio.sleep(10)
        with pytest.raises(ZeroDivisionError):
            await task
        return "seen"

    assert VirtualLoop().run(main()) == "seen"


def test_timeouts_and_locks_work_in_virtual_time() -> None:
    async def main() -> int:
        lock = asyncio.Lock()
        async with lock:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await lock.acquire()
        return here().now_us()

    assert VirtualLoop().run(main()) == 1_300_000


def test_shuffling_changes_the_order_of_the_ready_and_is_seeded() -> None:
    async def main() -> list[int]:
        seen: list[int] = []

        async def one(n: int) -> None:
            seen.append(n)

        await asyncio.gather(*(one(n) for n in range(8)))
        return seen

    plain = VirtualLoop().run(main())
    assert plain == list(range(8))
    orders = {tuple(VirtualLoop(shuffle_seed=seed).run(main())) for seed in range(5)}
    assert len(orders) > 3
    assert VirtualLoop(shuffle_seed=1).run(main()) == VirtualLoop(shuffle_seed=1).run(main())


def test_a_crash_takes_an_owners_timers_tasks_and_connections_and_no_others() -> None:
    async def main() -> list[str]:
        loop = here()
        seen: list[str] = []
        got: list[bytes] = []

        class Server(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                got.append(data)

            def eof_received(self) -> None:
                seen.append("server saw the end")

        server = await loop.create_server(Server, "plc", 502)

        async def app() -> None:
            transport, _ = await loop.create_connection(asyncio.Protocol, "plc", 502)
            loop.call_later(5, seen.append, "the dead one's timer")
            child = asyncio.create_task(never(), name="child")
            try:
                transport.write(b"before")
                await child
            finally:
                transport.write(b"after")
                seen.append("app ended")

        task = loop.start_owned("app", app())
        loop.call_later(5, seen.append, "the other's timer")
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError, match="outside"):
            await loop.start_owned("app", self_crash(loop))
        gone = loop.crash("app")
        await asyncio.wait(gone)
        assert task in gone
        assert len(gone) == 2
        await asyncio.sleep(10)
        server.close()
        assert got == [b"before"]
        return seen

    async def self_crash(loop: VirtualLoop) -> None:
        loop.crash("app")

    assert VirtualLoop().run(main()) == ["app ended", "server saw the end", "the other's timer"]


def test_a_crash_at_the_very_moment_a_task_would_run_still_ends_it() -> None:
    async def main() -> bool:
        loop = here()

        async def app() -> None:
            await asyncio.sleep(1)
            await asyncio.sleep(1)
            raise AssertionError("it lived on")

        task = loop.start_owned("app", app())
        await asyncio.sleep(1)
        await asyncio.wait(loop.crash("app"))
        return task.cancelled()

    assert VirtualLoop().run(main())


def test_the_wall_clock_steps_and_the_other_does_not() -> None:
    async def main() -> tuple[int, ...]:
        clock = VirtualClock(here(), utc_at_zero_us=1_700_000_000_000_000)
        first = clock.utc_us()
        clock.step_wall(-7_200_000_000)
        await asyncio.sleep(1)
        return clock.now_us(), clock.utc_us() - first

    assert VirtualLoop().run(main()) == (2_000_000, 1_000_000 - 7_200_000_000)


def test_a_jump_costs_microseconds() -> None:
    async def main() -> None:
        for _ in range(20_000):
            await asyncio.sleep(0.01)

    began = time.process_time()
    VirtualLoop().run(main())
    assert (time.process_time() - began) / 20_000 < 0.000_2
