"""One timer for many puttings-off: late exactly after the last, and only once."""

import asyncio

import pytest

from drivers.links.sessions import heard_within
from edge.model.units import US_PER_S, MonoUs
from edge.runtime.quiet import Quiet
from simulators.loop import START_US, VirtualLoop

AFTER_US = 50_000


async def until(loop: VirtualLoop, at_us: int) -> None:
    await asyncio.sleep((START_US + at_us - loop.now_us()) / US_PER_S)


@pytest.mark.parametrize(
    ("put_off_us", "late_us"),
    [
        ((0,), [50_000]),
        ((0, 49_999), [99_999]),
        ((0, 10_001, 20_003, 60_007), [110_007]),
        ((0, 50_001), [50_000, 100_001]),
    ],
)
def test_late_after_the_last_putting_off(put_off_us: tuple[int, ...], late_us: list[int]) -> None:
    loop = VirtualLoop()
    late: list[int] = []

    async def main() -> None:
        quiet = Quiet(AFTER_US, lambda: late.append(loop.now_us() - START_US))
        for at_us in put_off_us:
            await until(loop, at_us)
            quiet.put_off()
        await until(loop, 300_000)

    loop.run(main())
    assert late == late_us


def test_never_late_once_stopped() -> None:
    loop = VirtualLoop()

    late: list[int] = []

    async def main() -> None:
        quiet = Quiet(AFTER_US, lambda: late.append(loop.now_us()))
        quiet.put_off()
        quiet.stop()
        await until(loop, 300_000)

    loop.run(main())
    assert late == []


@pytest.mark.parametrize(("heard_us", "late_us"), [((), 50_000), ((1, 49_999), 99_999), ((20_003,), 70_003)])
def test_a_session_ends_when_nothing_is_heard(heard_us: tuple[int, ...], late_us: int) -> None:
    loop = VirtualLoop()

    async def main() -> int:
        with pytest.raises(TimeoutError):
            async with heard_within(AFTER_US) as hearing:
                for at_us in heard_us:
                    await until(loop, at_us)
                    hearing.heard(MonoUs(loop.now_us()))
                await until(loop, 300_000)
        return loop.now_us() - START_US

    assert loop.run(main()) == late_us
