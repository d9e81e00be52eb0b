"""Doorbells: lost rings are no error, long data folders are none either."""

import asyncio
from pathlib import Path

from api.bells import LineBell, OwnBell


async def rung(bell: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(20):
            await bell.wait()
    except TimeoutError:
        return False
    bell.clear()
    return True


async def test_a_ring_is_heard_in_a_folder_with_a_long_name(tmp_path: Path) -> None:
    """A socket's name holds 107 bytes only (unix(7))."""
    folder = tmp_path / ("data" * 40)
    folder.mkdir()
    heard = asyncio.Event()
    own = OwnBell(folder / "gateway.bell", heard.set)
    own.open()
    bell = LineBell(folder / "gateway.bell")
    for _ in range(3):
        bell.ring()
        assert await rung(heard)
    bell.close()
    own.close()
    assert not list(folder.iterdir())


async def test_nobody_at_home(tmp_path: Path) -> None:
    bell = LineBell(tmp_path / "nowhere" / "line.bell")
    bell.ring()
    bell.close()
    bell = LineBell(tmp_path / "line.bell")
    bell.ring()
    (tmp_path / "line.bell").write_text("no socket")
    bell.ring()
    bell.close()
    assert (tmp_path / "line.bell").read_text() == "no socket", "who rings makes and removes nothing"
    assert not (tmp_path / "nowhere").exists()


async def test_a_bell_that_nobody_answers_does_not_block(tmp_path: Path) -> None:
    heard = asyncio.Event()
    own = OwnBell(tmp_path / "bell", heard.set)
    own.open()
    bell = LineBell(tmp_path / "bell")
    for _ in range(10_000):
        bell.ring()
    assert await rung(heard), "10,000 unheard rings are one"
    bell.close()
    own.close()


async def test_a_socket_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    heard = asyncio.Event()
    crashed = OwnBell(tmp_path / "bell", heard.set)
    crashed.open()
    anew = OwnBell(tmp_path / "bell", heard.set)
    anew.open()
    bell = LineBell(tmp_path / "bell")
    bell.ring()
    assert await rung(heard)
    bell.close()
    anew.close()
    anew.close()
    crashed.close()
