"""Serial ports (serialx): the port is ours alone, and an unplugged one fails at once."""

import asyncio
import os
import termios
from typing import Literal

from serialx import Parity, SerialException, StopBits, create_serial_connection

from drivers.streams.transport_stream import TransportStream
from edge.ports.byte_stream import LinkFailed

ParityName = Literal["none", "even", "odd"]
PARITIES: dict[ParityName, Parity] = {"none": Parity.NONE, "even": Parity.EVEN, "odd": Parity.ODD}
STOP_BITS = {1: StopBits.ONE, 2: StopBits.TWO}
PORT_ERRORS = (OSError, termios.error, SerialException)
"""A port that is gone says it in three ways: termios.error is no OSError (reliability.md section 3)."""
PTY_SLAVES = range(136, 144)
"""Major numbers of Unix98 pseudo-terminals (Linux, Documentation/admin-guide/devices.txt)."""


async def open_serial(
    path: str, *, baud: int, bytesize: int = 8, parity: ParityName = "none", stopbits: int = 1
) -> TransportStream:
    """Open ``path`` exclusively, with what lay in its buffers thrown away; ``LinkFailed`` otherwise.

    ``bytesize`` 7 or 8, ``stopbits`` 1 or 2. No flow control: a scale talks whether heard or not. A
    pseudo-terminal carries bytes, not bits: it knows no other format than 8N1.
    """
    name = f"serial {path}"
    try:
        if os.major(os.stat(path).st_rdev) in PTY_SLAVES:
            # Asked for 7E1 a second time, tcsetattr finds nothing changed and fails with EINVAL.
            bytesize, parity, stopbits = 8, "none", 1
        _, protocol = await create_serial_connection(
            asyncio.get_running_loop(),
            lambda: TransportStream(name, PORT_ERRORS),
            path,
            baudrate=baud,
            byte_size=bytesize,
            parity=PARITIES[parity],
            stopbits=STOP_BITS[stopbits],
            exclusive=True,
        )
    except PORT_ERRORS as error:
        raise LinkFailed(f"{name}: {error}") from error
    assert isinstance(protocol, TransportStream)
    return protocol
