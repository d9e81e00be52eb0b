"""Which bytes are the answer to a request, from the first byte on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.streams.modbus_answer import expected_answer, fault_in

READ = bytes.fromhex("0007 0000 0006 01 03 0010 0002")
READ_ANSWER = bytes.fromhex("0007 0000 0007 01 03 04 000A 000B")
WRITE = bytes.fromhex("0007 0000 0009 01 10 1000 0001 02 002A")
WRITE_ANSWER = bytes.fromhex("0007 0000 0006 01 10 1000 0001")
BOTH = bytes.fromhex("0007 0000 000F 01 17 0010 0002 1000 0001 02 002A")
BOTH_ANSWER = bytes.fromhex("0007 0000 0007 01 17 04 000A 000B")
PAIRS = [(READ, READ_ANSWER), (WRITE, WRITE_ANSWER), (BOTH, BOTH_ANSWER)]


@pytest.mark.parametrize(("request_", "answer"), PAIRS)
def test_every_beginning_of_the_answer_is_right_and_one_byte_more_is_not(
    request_: bytes, answer: bytes
) -> None:
    expected = expected_answer(request_)
    assert expected.size == len(answer)
    for size in range(len(answer) + 1):
        assert fault_in(answer[:size], expected) == ""
    assert fault_in(answer + b"\x00", expected) == "1 bytes behind the answer"


@pytest.mark.parametrize(
    ("at", "value", "field"),
    [
        (1, 0x06, "transaction"),
        (0, 0x01, "transaction"),
        (3, 0x01, "protocol"),
        (5, 0x05, "length"),
        (4, 0x01, "length"),
        (6, 0x02, "unit"),
        (7, 0x04, "function"),
        (8, 0x02, "echo"),
    ],
)
@pytest.mark.parametrize(("request_", "answer"), PAIRS)
def test_each_field_is_checked(request_: bytes, answer: bytes, at: int, value: int, field: str) -> None:
    wrong = answer[:at] + bytes((value,)) + answer[at + 1 :]
    assert f"answer with {field}" in fault_in(wrong, expected_answer(request_))


@pytest.mark.parametrize(("at", "value"), [(8, 0x11), (9, 0x01), (10, 0x01), (11, 0x02)])
def test_the_echo_of_a_write_is_checked(at: int, value: int) -> None:
    wrong = WRITE_ANSWER[:at] + bytes((value,)) + WRITE_ANSWER[at + 1 :]
    assert "echo" in fault_in(wrong, expected_answer(WRITE))


def test_transaction_id_zero_is_wrong() -> None:
    assert "transaction 0000" in fault_in(b"\x00\x00" + READ_ANSWER[2:], expected_answer(READ))


@pytest.mark.parametrize(("code", "name"), [(2, "illegal address"), (6, "device busy"), (99, "unknown")])
@pytest.mark.parametrize(("request_", "answer"), PAIRS)
def test_an_exception_answer_is_a_fault_once_it_is_whole(
    request_: bytes, answer: bytes, code: int, name: str
) -> None:
    refusal = answer[:4] + b"\x00\x03\x01" + bytes((answer[7] | 0x80, code))
    expected = expected_answer(request_)
    for size in range(len(refusal)):
        assert fault_in(refusal[:size], expected) == ""
    assert fault_in(refusal, expected) == f"exception {code} ({name})"


@given(st.binary(max_size=40), st.sampled_from(PAIRS))
@settings(max_examples=300)
def test_no_bytes_raise_and_only_the_answer_itself_is_whole_and_right(
    received: bytes, pair: tuple[bytes, bytes]
) -> None:
    request_, answer = pair
    expected = expected_answer(request_)
    if fault_in(received, expected) == "" and len(received) == expected.size:
        assert received[: len(expected.head)] == answer[: len(expected.head)]


@pytest.mark.parametrize("request_", [READ[:7] + b"\x06" + READ[8:], b"\x00\x00" + READ[2:]])
def test_other_requests_are_our_error(request_: bytes) -> None:
    with pytest.raises(ValueError):
        expected_answer(request_)
