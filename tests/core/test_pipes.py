"""Pipes of the simulation: pacing, order, seeded harm, and cables that are pulled."""

import asyncio
from typing import Any

import pytest

from simulators.loop import VirtualLoop
from simulators.pipes import BUFFER_BYTES, FOUR_WIRES, Cable, Pipe, Wire, pipe_of
from simulators.seeds import SeededBits

DATA = bytes(range(256)) * 8


def pushed(pipe: Pipe, data: bytes = DATA) -> list[tuple[int, bytes]]:
    return [piece for at in range(0, len(data), 64) for piece in pipe.push(at * 50, data[at : at + 64])]


@pytest.mark.parametrize("name", sorted(FOUR_WIRES))
def test_order_is_kept_moments_never_fall_and_only_lossy_harms(name: str) -> None:
    pipe = pipe_of(name, 1)
    pieces = pushed(pipe)
    moments = [at for at, _ in pieces]
    got = b"".join(piece for _, piece in pieces)
    assert moments == sorted(moments)
    assert all(piece for _, piece in pieces)
    if name == "lossy":
        assert 0 < pipe.lost < 30
        assert 0 < pipe.flipped < 30
        assert len(got) == len(DATA) - pipe.lost
    else:
        assert got == DATA


def test_the_same_seed_harms_the_same_bytes() -> None:
    assert pushed(pipe_of("lossy", 5)) == pushed(pipe_of("lossy", 5))
    assert pushed(pipe_of("lossy", 5)) != pushed(pipe_of("lossy", 6))


def test_9600_baud_is_960_bytes_a_second_and_one_byte_at_a_time() -> None:
    pieces = Pipe(Wire(baud=9600, chunk=1), SeededBits(1, "x")).push(1_000, bytes(96))
    assert len(pieces) == 96
    assert pieces[0][0] == 1_000 + 1_042
    assert pieces[-1][0] == 1_000 + 100_000


def test_a_busy_line_sends_the_next_write_after_the_first() -> None:
    pipe = Pipe(Wire(baud=9600), SeededBits(1, "x"))
    assert pipe.push(0, bytes(96)) == [(100_000, bytes(96))]
    assert pipe.push(10, b"ab") == [(102_084, b"ab")]


def on_a_cable(check: Any, **wires: Any) -> Any:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return await check(Cable(loop, SeededBits(1, "cable"), **wires), loop)

    return VirtualLoop().run(main())


def test_both_ways_with_the_moment_of_the_last_byte() -> None:
    async def check(cable: Cable, loop: VirtualLoop) -> tuple[Any, ...]:
        near = await cable.open()
        await near.write(b"W")
        asked = await cable.device.read()
        await cable.device.write(b"12345678\r")
        return asked, await near.read(), loop.now_us()

    assert on_a_cable(check, to_line=Wire(baud=9600)) == (
        (b"W", 1_000_000),
        (b"12345678\r", 1_009_375),
        1_009_375,
    )


def test_a_pulled_cable_fails_at_once_and_loses_what_is_sent_meanwhile() -> None:
    async def check(cable: Cable, loop: VirtualLoop) -> bytes:
        near = await cable.open()
        loop.call_later(1, cable.unplug)
        with pytest.raises(ConnectionResetError, match="pulled"):
            await near.read()
        with pytest.raises(ConnectionResetError):
            await near.write(b"x")
        with pytest.raises(ConnectionResetError, match="unplugged"):
            await cable.open()
        await cable.device.write(b"lost")
        await asyncio.sleep(1)
        cable.plug()
        again = await cable.open()
        await cable.device.write(b"back")
        return (await again.read())[0]

    assert on_a_cable(check) == b"back"


def test_opening_anew_breaks_the_older_end_and_closing_is_idempotent() -> None:
    async def check(cable: Cable, _: VirtualLoop) -> None:
        first = await cable.open()
        second = await cable.open()
        with pytest.raises(ConnectionResetError, match="elsewhere"):
            await first.read()
        await second.close()
        await second.close()
        with pytest.raises(ConnectionResetError, match="closed here"):
            await second.read()

    on_a_cable(check)


def test_who_does_not_read_loses_the_newest_and_it_is_counted() -> None:
    async def check(cable: Cable, _: VirtualLoop) -> None:
        near = await cable.open()
        await cable.device.write(bytes(BUFFER_BYTES))
        await cable.device.write(b"too much")
        await asyncio.sleep(1)
        assert near.overrun == 8
        assert len((await near.read())[0]) == BUFFER_BYTES

    on_a_cable(check)


def test_bytes_under_way_survive_the_crash_of_who_wrote_them() -> None:
    async def check(cable: Cable, loop: VirtualLoop) -> tuple[bytes, int]:
        async def app() -> None:
            await (await cable.open()).write(b"last words")
            await asyncio.sleep(100)

        loop.start_owned("app", app())
        await asyncio.sleep(0.001)
        await asyncio.wait(loop.crash("app"))
        return await cable.device.read()

    assert on_a_cable(check, to_device=Wire(baud=9600))[0] == b"last words"


def test_rates_can_change_during_a_run() -> None:
    async def check(cable: Cable, _: VirtualLoop) -> int:
        near = await cable.open()
        cable.rewire(loss_ppm=1_000_000, flip_ppm=0)
        await cable.device.write(b"gone")
        cable.rewire(loss_ppm=0, flip_ppm=1_000_000)
        await cable.device.write(b"\x00")
        flipped = (await near.read())[0]
        assert flipped[0].bit_count() == 1
        return cable.harmed

    assert on_a_cable(check) == 5
