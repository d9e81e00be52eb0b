"""What the tests of every scale codec share: golden frames, the four wires, every single-bit error, fuzz."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.model.units import MonoUs
from edge.model.weight import SampleState, WeightSample
from simulators.pipes import pipe_of
from simulators.seeds import SeededBits

AT = MonoUs(7_000)
FUZZ_CASES = int(os.environ.get("BELTKEEPER_FUZZ", "20000"))
OK, MOTION, OVER, UNDER, NO_WEIGHT = (
    SampleState.OK,
    SampleState.MOTION,
    SampleState.OVER,
    SampleState.UNDER,
    SampleState.NO_WEIGHT,
)
Said = tuple[int, SampleState]


@dataclass(frozen=True)
class Golden:
    """A frame, in hexadecimal or as its bytes, and the page of the manual that it is put together from."""

    what: str
    source: str
    frame: str
    grams: int
    state: SampleState

    @property
    def said(self) -> Said:
        return self.grams, self.state


class Codec(Protocol):
    _buffer: bytes

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[WeightSample, ...]: ...


def said(samples: Sequence[WeightSample]) -> list[Said]:
    return [(sample.grams, sample.state) for sample in samples]


def through(wire: str, frames: Sequence[bytes], scale: Codec) -> list[WeightSample]:
    """What a codec hears of frames that come 20 ms apart over one of the four wires."""
    pipe, samples = pipe_of(wire, seed=1), list[WeightSample]()
    for n, frame in enumerate(frames):
        for at_us, piece in pipe.push(20_000 * n, frame):
            samples.extend(scale.feed(piece, MonoUs(at_us)))
    return samples


def one_bit_off(frame: bytes) -> Iterator[bytes]:
    """The frame with each of its bits turned."""
    for bit in range(8 * len(frame)):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        yield bytes(broken)


def two_bits_off(frame: bytes, bits: SeededBits) -> bytes:
    """The frame with two different bits of it turned."""
    broken = bytearray(frame)
    first = bits.below(8 * len(broken))
    second = (first + 1 + bits.below(8 * len(broken) - 1)) % (8 * len(broken))
    for bit in (first, second):
        broken[bit // 8] ^= 1 << bit % 8
    return bytes(broken)


def wrong_cases(
    make: Callable[[], Codec], frames: Sequence[bytes], *, then: bytes, heard: Said, keeps: int
) -> list[int]:
    """Frames cut, mixed, turned and strewn with noise: the cases after which ``keeps`` bytes or more are
    kept, or ``then`` is not heard again."""
    wrong: list[int] = []
    bits, scale = SeededBits(20_250_101, "fuzz"), make()
    for case in range(FUZZ_CASES):
        data = bytearray(bits.pick(frames) * bits.between(1, 3))
        for _ in range(bits.below(5)):
            place = bits.below(len(data))
            action = bits.below(4)
            if action == 0:
                data[place] = bits.below(256)
            elif action == 1:
                del data[place : place + bits.below(8)]
            elif action == 2:
                data[place:place] = bytes(bits.below(256) for _ in range(bits.below(6)))
            else:
                data[place:place] = bits.pick(frames)[: bits.below(18)]
            data = data or bytearray(b"\x02")
        scale.feed(bytes(data), AT)
        if len(scale._buffer) >= keeps:
            wrong.append(case)
        if case % 16 == 0 and said(scale.feed(then, AT))[-1:] != [heard]:
            wrong.append(case)
    return wrong


def same_in_any_cut(make: Callable[[], Codec], chunks: Sequence[bytes]) -> bool:
    """Whether what is heard does not depend on how the bytes come."""
    one, many = make(), make()
    whole = one.feed(b"".join(chunks), AT)
    return tuple(sample for chunk in chunks for sample in many.feed(chunk, AT)) == whole
