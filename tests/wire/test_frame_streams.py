"""MJPEG over HTTP as OpenCV reads it, from servers that hang, break off and send rubbish: no call hangs."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from drivers.streams.frame_sources import VideoFrames, one_core
from edge.ports.byte_stream import LinkFailed
from simulators.labels.printed import LabelPrint, print_label

pytestmark = pytest.mark.wire

OPEN_MS, READ_MS = 1_500, 700
LONG_MS = 20_000
"""Where no time-out is to strike."""
SLACK_S = 20.0
"""What a busy machine may add to a time-out; OpenCV's own is 30 s."""
FRAMES = 10
HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def part() -> bytes:
    whole, data = cv2.imencode(".jpg", print_label(LabelPrint(codes=(), lines=("JT",))))
    assert whole
    body = data.tobytes()
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\r\n"


PART = part()
Script = Callable[[socket.socket, threading.Event], None]


def frames(wire: socket.socket, ended: threading.Event) -> None:
    wire.sendall(HEAD)
    for _ in range(FRAMES):
        wire.sendall(PART)
        ended.wait(0.04)


def says_nothing(_wire: socket.socket, ended: threading.Event) -> None:
    ended.wait()


def only_a_head(wire: socket.socket, ended: threading.Event) -> None:
    wire.sendall(HEAD)
    ended.wait()


def no_http(wire: socket.socket, ended: threading.Event) -> None:
    wire.sendall(b"\x00\xff" * 4_096)
    ended.wait()


def hangs_between_frames(wire: socket.socket, ended: threading.Event) -> None:
    frames(wire, ended)
    ended.wait()


def hangs_in_a_frame(wire: socket.socket, ended: threading.Event) -> None:
    frames(wire, ended)
    wire.sendall(PART[: len(PART) // 2])
    ended.wait()


def drips(wire: socket.socket, ended: threading.Event) -> None:
    """A byte now and then: the socket is never silent for as long as the time-out."""
    frames(wire, ended)
    for byte in PART:
        wire.sendall(bytes([byte]))
        ended.wait(0.05)


def hangs_up(wire: socket.socket, ended: threading.Event) -> None:
    frames(wire, ended)


def rubbish(wire: socket.socket, ended: threading.Event) -> None:
    """Frames with bytes exchanged, everywhere: in the pictures and in what parts them."""
    frames(wire, ended)
    chance = random.Random(7)
    while not ended.is_set():
        data = bytearray(PART)
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        wire.sendall(data)


@contextmanager
def camera(script: Script) -> Iterator[str]:
    """Its address; each who calls is served by ``script`` on a thread."""
    ended = threading.Event()

    def serve(wire: socket.socket) -> None:
        with wire, contextlib.suppress(OSError):
            wire.recv(4_096)
            script(wire, ended)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = server.accept()
                serving.append(threading.Thread(target=serve, args=(wire,)))
                serving[-1].start()

    serving: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/video.mjpg"
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            for one in (accepting, *serving):
                one.join()


def source(address: str, open_ms: int = OPEN_MS, read_ms: int = READ_MS) -> VideoFrames:
    one_core()
    return VideoFrames(address, size=None, timeouts_ms=(open_ms, read_ms))


def test_frames_come_as_they_are_sent() -> None:
    with camera(hangs_between_frames) as address:
        eye = source(address, LONG_MS, LONG_MS)
        eye.open()
        for _ in range(FRAMES):
            assert eye.grab().pixels.shape == print_label(LabelPrint(codes=(), lines=("JT",))).shape
        eye.close()


@pytest.mark.parametrize("script", [says_nothing, only_a_head, no_http])
def test_one_that_does_not_begin_is_a_failure_in_time(script: Script) -> None:
    with camera(script) as address:
        eye, began_s = source(address), time.monotonic()
        with pytest.raises(LinkFailed, match="no camera, or it does not answer"):
            eye.open()
        assert time.monotonic() - began_s <= OPEN_MS / 1_000 + SLACK_S


def test_nobody_at_its_address_is_a_failure_at_once() -> None:
    with camera(hangs_up) as address:
        pass
    with pytest.raises(LinkFailed, match="no camera"):
        source(address).open()


@pytest.mark.parametrize("script", [hangs_between_frames, hangs_in_a_frame, drips, hangs_up])
def test_one_that_stops_is_a_failure_in_time(script: Script) -> None:
    with camera(script) as address:
        eye = source(address, open_ms=LONG_MS)
        eye.open()
        slowest_s = 0.0
        with pytest.raises(LinkFailed):
            while True:
                began_s = time.monotonic()
                eye.grab()
                slowest_s = max(slowest_s, time.monotonic() - began_s)
        assert time.monotonic() - began_s <= READ_MS / 1_000 + SLACK_S
        assert slowest_s <= READ_MS / 1_000 + SLACK_S
        eye.close()


def test_rubbish_never_hangs_and_raises_nothing_else() -> None:
    """Each frame is a picture or a failure of the link; then the camera is opened anew."""
    with camera(rubbish) as address:
        grabbed = failed = 0
        while failed < 5 and grabbed < 400:
            eye, began_s = source(address), time.monotonic()
            try:
                eye.open()
                while grabbed < 400:
                    began_s = time.monotonic()
                    pixels = eye.grab().pixels
                    assert pixels.dtype == np.uint8
                    assert pixels.ndim == 2
                    grabbed += 1
            except LinkFailed:
                failed += 1
            assert time.monotonic() - began_s <= OPEN_MS / 1_000 + SLACK_S
            eye.close()
        assert grabbed >= FRAMES
