"""What a Modbus TCP answer must look like, given its request (Modbus Messaging on TCP/IP V1.0b, 3.1.3;
Modbus Application Protocol V1.1b3, 6.3, 6.12, 6.17). Pure; pymodbus itself lets most of this pass.
"""

from dataclasses import dataclass

READ_HOLDING, WRITE_MULTIPLE, READ_WRITE = 3, 16, 23
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    6: "device busy",
    10: "gateway path",
    11: "no gateway answer",
}


_FIELDS = (
    (0, 2, "transaction"),
    (2, 4, "protocol"),
    (4, 6, "length"),
    (6, 7, "unit"),
    (7, 8, "function"),
    (8, 12, "echo"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAnswer:
    """The one frame that answers a request: it begins with ``head`` (header, function, and the count of
    bytes or the echo of a write) and has ``size`` bytes."""

    head: bytes
    size: int


def expected_answer(request: bytes) -> ExpectedAnswer:
    """From the bytes of a request with function 3, 16 or 23 and a transaction id other than 0."""
    function = request[7]
    if function == WRITE_MULTIPLE:
        echo, values = request[8:12], 0
    elif function in (READ_HOLDING, READ_WRITE):
        values = 2 * int.from_bytes(request[10:12], "big")
        echo = bytes((values,))
    else:
        raise ValueError(f"no request of ours: function {function}")
    if not any(request[0:2]):
        raise ValueError("a request without a transaction id")
    length = 2 + len(echo) + values
    head = request[0:4] + length.to_bytes(2, "big") + request[6:8] + echo
    return ExpectedAnswer(head=head, size=6 + length)


def fault_in(received: bytes, expected: ExpectedAnswer) -> str:
    """What is wrong with the bytes received so far; empty while they can be, or are, the answer.

    An exception answer is a fault too: the blocks of the contract are never refused.
    """
    head = expected.head
    if head.startswith(received[: len(head)]):
        behind = len(received) - expected.size
        return f"{behind} bytes behind the answer" if behind > 0 else ""
    refusal = head[0:4] + b"\x00\x03" + bytes((head[6], head[7] | 0x80))
    if refusal.startswith(received[: len(refusal)]):
        if len(received) <= len(refusal):
            return ""
        code = received[len(refusal)]
        return f"exception {code} ({_EXCEPTIONS.get(code, 'unknown')})"
    for first, last, name in _FIELDS:
        theirs, ours = received[first:last], head[first:last]
        if not ours.startswith(theirs):
            return f"answer with {name} {theirs.hex()} instead of {ours.hex()}"
    raise AssertionError("bytes that differ differ in a field")
