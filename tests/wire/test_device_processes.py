"""The simulated scanner and scale as processes, fed over a Unix socket, heard over their real cables."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from drivers.codecs.mettler_toledo import ContinuousCodec
from drivers.codecs.mt_sics import SicsCodec
from drivers.links.scale_serial import ScaleLink
from drivers.registry import cable, scanner_link
from drivers.streams.serial import open_serial
from drivers.streams.tcp import open_tcp
from edge.model.codes import Code, Symbology
from edge.model.ids import DeviceId, ReaderId, ScaleId
from edge.model.topology import Reader, ReaderSpeaks, ReadPolicy
from edge.model.units import Mm, MonoUs
from edge.model.weight import SampleState, WeightSample
from edge.ports.byte_stream import ByteStream, LinkFailed
from line_config.device_files import ScannerFile
from line_config.load import read_packaged
from line_config.model import SerialSettings
from simulators.feed import (
    FeedBroken,
    FeedMessage,
    FeedServer,
    LabelSeen,
    LoadChanged,
    follow,
    from_line,
    to_line,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.wire
JT = Code(text="JT1234567890123", symbology=Symbology.CODE128)
READER = Reader(
    id=ReaderId("top"),
    device=DeviceId("top"),
    position_mm=Mm(700),
    field_mm=Mm(80),
    speaks=ReaderSpeaks.AT_READ,
    latency_min_ms=5,
    latency_max_ms=100,
)
LONG_S = 60.0
STALE_MS = 10_000
"""The devices are processes of their own, which a busy machine may let wait."""
READ = ReadPolicy(symbologies=(), patterns=(), no_read=("NoRead",))
MESSAGES: list[FeedMessage] = [
    LabelSeen(at_us=5, reader="top", codes=(JT,)),
    LabelSeen(at_us=6, reader="top", codes=()),
    LoadChanged(at_us=7, grams=1_250),
]


@pytest.fixture
async def feed(tmp_path: Path) -> AsyncIterator[FeedServer]:
    server = FeedServer(tmp_path / "feed")
    await server.start()
    yield server
    await server.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG_S):
        while not true():
            await asyncio.sleep(0.005)


def has(heard: list[FeedMessage], count: int) -> bool:
    return len(heard) == count


def now_us() -> int:
    return round(asyncio.get_running_loop().time() * 1_000_000)


class Process:
    """A device's process; ``ready`` is the line that it prints when it serves."""

    def __init__(self, child: asyncio.subprocess.Process, ready: str) -> None:
        self.child = child
        self.ready = ready

    async def end(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        assert await self.child.wait() == 0


async def start(device: str, *arguments: str) -> Process:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"simulators.devices.{device}", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(LONG_S):
        return Process(child, (await child.stdout.readline()).decode().strip())


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_messages_survive_the_wire(message: FeedMessage) -> None:
    assert from_line(to_line(message)) == message


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"kind":"load"}', b'{"kind":"x"}', b'{"kind":"load","at_us":"a","grams":1}']
)
def test_what_is_no_message_is_said_so(line: bytes) -> None:
    with pytest.raises(FeedBroken):
        from_line(line)


async def test_a_newcomer_hears_the_last_load_and_what_follows(feed: FeedServer, tmp_path: Path) -> None:
    feed.publish(LoadChanged(at_us=1, grams=5))
    feed.publish(MESSAGES[0])
    heard: list[FeedMessage] = []
    task = asyncio.ensure_future(follow(tmp_path / "feed", heard.append))
    await until(lambda: heard)
    feed.publish(MESSAGES[1])
    await until(lambda: len(heard) == 2)
    assert heard == [LoadChanged(at_us=1, grams=5), MESSAGES[1]]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_follower_outlives_the_plant(tmp_path: Path) -> None:
    heard: list[FeedMessage] = []
    task = asyncio.ensure_future(follow(tmp_path / "feed", heard.append))
    for feed_no in (1, 2):
        feed = FeedServer(tmp_path / "feed")
        await feed.start()
        feed.publish(LoadChanged(at_us=feed_no, grams=feed_no))
        await until(partial(has, heard, feed_no))
        await feed.close()
    assert heard == [LoadChanged(at_us=1, grams=1), LoadChanged(at_us=2, grams=2)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_scanner_process(feed: FeedServer, tmp_path: Path) -> None:
    process = await start(
        "scanner",
        "--feed",
        str(tmp_path / "feed"),
        "--listen",
        "127.0.0.1:0",
        "--reader",
        "top",
        "--seed",
        "7",
    )
    stream = await open_tcp("127.0.0.1", int(process.ready.rpartition(":")[2]))
    at_us = now_us()
    await until(lambda: feed._followers)
    feed.publish(LabelSeen(at_us=at_us, reader="side", codes=(JT,)))
    feed.publish(LabelSeen(at_us=at_us, reader="top", codes=(JT,)))
    feed.publish(LabelSeen(at_us=at_us + 100_000, reader="top", codes=()))
    async with asyncio.timeout(LONG_S):
        data, heard_us = await stream.read()
        assert heard_us - at_us >= 5_000
        while not data.endswith(b"NoRead\r\n"):  # both come at once where somebody has stood still
            data += (await stream.read())[0]
        assert data == b"]C0JT1234567890123\r\nNoRead\r\n"
    await process.end()
    with pytest.raises(LinkFailed):
        await stream.read()
    await stream.close()


class Heard:
    def __init__(self) -> None:
        self.answers: asyncio.Queue[tuple[Code, ...]] = asyncio.Queue()

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.answers.put_nowait(codes)


async def test_scanner_process_on_a_serial_port(feed: FeedServer, tmp_path: Path) -> None:
    pty, heard, up = tmp_path / "scanner", Heard(), asyncio.Event()
    options = ("--feed", str(tmp_path / "feed"), "--pty", str(pty), "--reader", "top")
    process = await start("scanner", *options, "--device", "serial_hand_scanner")
    assert process.ready == f"sending {pty}"
    file, problems = read_packaged(ScannerFile, "devices", "scanners", "serial_hand_scanner.yaml")
    assert file is not None, problems
    port = SerialSettings(kind="serial", path=str(pty))
    link = scanner_link(READER, file, READ, cable(port, file), heard)
    session = asyncio.ensure_future(link.session(up.set))
    async with asyncio.timeout(LONG_S):
        await up.wait()
        await until(lambda: feed._followers)
        feed.publish(LabelSeen(at_us=now_us(), reader="top", codes=(JT,)))
        assert await heard.answers.get() == (JT,)
        feed.publish(LabelSeen(at_us=now_us(), reader="top", codes=()))
        assert await heard.answers.get() == ()
    await process.end()
    assert not pty.is_symlink()
    async with asyncio.timeout(LONG_S):
        with pytest.raises(LinkFailed):
            await session


class Weighed:
    def __init__(self) -> None:
        self.samples: list[WeightSample] = []

    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None:
        self.samples.append(sample)


async def test_scale_process(feed: FeedServer, tmp_path: Path) -> None:
    pty, sink = tmp_path / "scale", Weighed()
    process = await start("scale", "--feed", str(tmp_path / "feed"), "--pty", str(pty), "--noise-g", "0")

    async def open_stream() -> ByteStream:
        return await open_serial(str(pty), baud=9600, bytesize=7, parity="even")

    link = ScaleLink(
        device=DeviceId("scale"),
        scale=ScaleId("s1"),
        stale_ms=STALE_MS,
        open_stream=open_stream,
        make_codec=lambda: ContinuousCodec(unit="kg", checksum=True, agreeing=1),
        sink=sink,
    )
    session = asyncio.ensure_future(link.session(lambda: None))
    await until(lambda: sink.samples and feed._followers)
    loaded_us = now_us()
    feed.publish(LoadChanged(at_us=loaded_us, grams=2_500))
    await until(lambda: sink.samples[-1].grams == 2_500)
    settled_us = next(one.at_us for one in sink.samples if one.grams == 2_500)
    assert settled_us - loaded_us >= 100_000, "a filter's delay and a platform that settles"
    await process.end()
    assert not pty.is_symlink()
    async with asyncio.timeout(LONG_S):
        with pytest.raises(LinkFailed):
            await session


async def test_a_scale_that_is_asked_behind_a_device_server(feed: FeedServer, tmp_path: Path) -> None:
    process = await start(
        *("scale", "--feed", str(tmp_path / "feed"), "--listen", "127.0.0.1:0", "--noise-g", "0"),
        *("--protocol", "mt_sics", "--frame-rate-hz", "20", "--division-g", "1"),
    )
    port, sink = int(process.ready.rpartition(":")[2]), Weighed()
    link = ScaleLink(
        device=DeviceId("scale"),
        scale=ScaleId("s1"),
        stale_ms=STALE_MS,
        open_stream=partial(open_tcp, "127.0.0.1", port),
        make_codec=lambda: SicsCodec(unit="kg", agreeing=2, ask="SIR"),
        sink=sink,
    )
    session = asyncio.ensure_future(link.session(lambda: None))
    await until(lambda: sink.samples and feed._followers)
    feed.publish(LoadChanged(at_us=now_us(), grams=900))
    await until(lambda: sink.samples[-1].grams == 900 and sink.samples[-1].state is SampleState.OK)
    link.zero()
    await until(lambda: sink.samples[-1].grams == 0 and sink.samples[-1].state is SampleState.OK)
    await process.end()
    async with asyncio.timeout(LONG_S):
        with pytest.raises(LinkFailed):
            await session


async def test_a_port_that_is_taken_is_one_sentence_and_status_3(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators.devices.scanner",
        *("--feed", str(tmp_path / "feed"), "--listen", f"{host}:{port}", "--reader", "top"),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LONG_S):
        _, said = await child.communicate()
    server.close()
    assert child.returncode == 3
    assert len(said.decode().strip().splitlines()) == 1
    assert "in use" in said.decode()


SWALLOWS = """
import asyncio
from simulators.devices.process import run_until_ended

async def work():
    print("up", flush=True)
    for _ in range(2):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
    await asyncio.Event().wait()

run_until_ended(work())
"""


async def test_a_device_process_ends_even_where_a_library_swallows_a_cancel() -> None:
    """As ``asyncio.wait_for`` does on CPython 3.11 when its answer comes in the same instant."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SWALLOWS, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"up\n"
        process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
