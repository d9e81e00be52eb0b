"""Unix sockets of the line process: the doorbell that says "look", and the metrics."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge

from edge.runtime import metrics
from edge.runtime.doorbell import READ_AT_ONCE, Doorbell
from edge.runtime.metrics import MetricsSocket
from edge.store.places import unix_name
from tests.patience import PATIENCE_S, turns

pytestmark = pytest.mark.wire


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder whose sockets' names would be too long for unix(7)."""
    folder = tmp_path / ("x" * 60) / ("y" * 60)
    folder.mkdir(parents=True)
    return folder


class Door:
    def __init__(self, own: Path, other: Path) -> None:
        self.bell = Doorbell(own, other)
        self.rings = 0
        self._rung = asyncio.Event()
        self.bell.open(self._answer)

    def _answer(self) -> None:
        self.rings += 1
        self._rung.set()

    async def rung(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._rung.wait()
        self._rung.clear()


async def test_each_side_hears_the_other_however_long_the_folders_name(deep: Path) -> None:
    line, gateway = Door(deep / "line.bell", deep / "gw.bell"), Door(deep / "gw.bell", deep / "line.bell")
    assert stat.S_IMODE((deep / "line.bell").stat().st_mode) == 0o660
    line.bell.ring()
    await gateway.rung()
    gateway.bell.ring()
    await line.rung()
    assert (line.rings, gateway.rings) == (1, 1)
    line.bell.close()
    gateway.bell.close()
    line.bell.close()
    assert list(deep.iterdir()) == []


async def test_nobody_at_home_or_a_full_door_is_no_error(tmp_path: Path) -> None:
    line = Door(tmp_path / "line.bell", tmp_path / "gw.bell")
    line.bell.ring()
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(str(tmp_path / "gw.bell"))
    for _ in range(1_000):
        line.bell.ring()
    deaf.close()
    line.bell.ring()
    line.bell.close()
    line.bell.ring()
    assert line.rings == 0


async def test_many_rings_are_one_look_or_few_and_none_is_left(tmp_path: Path) -> None:
    line, gateway = Door(tmp_path / "l", tmp_path / "g"), Door(tmp_path / "g", tmp_path / "l")
    for _ in range(READ_AT_ONCE * 3):
        gateway.bell.ring()
    await line.rung()
    await turns()
    assert 1 <= line.rings <= 4
    seen = line.rings
    await turns()
    assert line.rings == seen
    line.bell.close()
    gateway.bell.close()


async def test_a_dead_process_socket_is_replaced_and_a_missing_folder_said(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stale.bind(str(tmp_path / "l"))
    stale.close()
    line, gateway = Door(tmp_path / "l", tmp_path / "g"), Door(tmp_path / "g", tmp_path / "l")
    gateway.bell.ring()
    await line.rung()
    line.bell.close()
    gateway.bell.close()
    with pytest.raises(FileNotFoundError):
        Doorbell(tmp_path / "no" / "l", tmp_path / "g").open(lambda: None)


# -- metrics


@pytest.fixture
async def served(deep: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """Nobody is hung up on because he was slow, unless a test says so."""
    monkeypatch.setattr(metrics, "REQUEST_S", 2 * PATIENCE_S)
    registry = CollectorRegistry()
    Gauge("beltkeeper_test", "One.", registry=registry).set(7)
    (deep / "m").write_text("stale")
    subject = MetricsSocket(deep / "m", registry, lambda: b'{"belt_runs": null}')
    await subject.open()
    yield deep / "m"
    await subject.close()
    await subject.close()
    assert not (deep / "m").exists()


async def ask(path: Path, request: bytes) -> bytes:
    """The answer until the other end closes, empty where it only hangs up; by way of a short name."""
    with unix_name(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    writer.write(request)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read(-1)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_get_is_answered_with_the_text_and_hung_up(served: Path) -> None:
    assert stat.S_IMODE(served.stat().st_mode) == 0o660
    for _ in range(2):
        head, _, body = (await ask(served, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition(
            b"\r\n\r\n"
        )
        lines = head.decode().split("\r\n")
        assert lines[0] == "HTTP/1.1 200 OK"
        assert f"Content-Length: {len(body)}" in lines
        assert "Connection: close" in lines
        assert b"beltkeeper_test 7.0" in body


async def test_now_is_answered_with_what_the_line_says_of_itself(served: Path) -> None:
    head, _, body = (await ask(served, b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    assert body == b'{"belt_runs": null}'


@pytest.mark.parametrize("request_", [b"GET /metrics", b"x" * 20_000], ids=["half a request", "too long"])
async def test_who_never_ends_a_request_is_hung_up_on(
    served: Path, request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(metrics, "REQUEST_S", 0.2)
        assert await ask(served, request_) == b""
    assert b"beltkeeper_test 7.0" in await ask(served, b"GET / HTTP/1.1\r\n\r\n"), "others are served"


async def test_more_scrapes_than_anyone_needs_are_hung_up_on(served: Path) -> None:
    waiting = []
    for _ in range(metrics.SCRAPES_AT_ONCE):
        with unix_name(served) as name:
            waiting.append(await asyncio.open_unix_connection(name))
    assert await ask(served, b"") == b"", "at once, since who is slow has his time"
    for _, writer in waiting:
        writer.close()
    answer = b""
    async with asyncio.timeout(PATIENCE_S):
        while not answer:  # until their ends have been noticed
            answer = await ask(served, b"GET / HTTP/1.1\r\n\r\n")
    assert b"beltkeeper_test 7.0" in answer
