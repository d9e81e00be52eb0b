"""The words of a camera process: golden lines, four pipes, limits, fuzz.

Source of the rows: the module's own contract, ``drivers/codecs/camera_messages.py``; the symbologies are
those of ``edge.model.codes``.
"""

import os

import pytest

from drivers.codecs.camera_messages import (
    MAX_CODES,
    MAX_LINE_BYTES,
    MAX_WHY,
    CameraBeat,
    CameraEnds,
    CameraMessage,
    CameraMessages,
    CameraRead,
    Picture,
    encode,
)
from drivers.codecs.camera_requests import MAX_LINE_BYTES as MAX_REQUEST_BYTES
from drivers.codecs.camera_requests import (
    MAX_PASSING,
    CameraRequest,
    CameraRequests,
    KeepPicture,
    ParcelsPassing,
    encode_request,
)
from edge.model.codes import Code, ReadProof, Symbology
from edge.model.ids import BootEpoch, PlcNumber, TrackId
from edge.model.units import MonoUs
from simulators.pipes import FOUR_WIRES, pipe_of
from simulators.seeds import SeededBits

AT = MonoUs(5_000)
FUZZ_CASES = int(os.environ.get("BELTKEEPER_FUZZ", "20000"))


def read(at_us: int, *pairs: tuple[str, Symbology]) -> CameraRead:
    proof = ReadProof.TWO_FRAMES
    codes = tuple(Code(text=text, symbology=symbology, proof=proof) for text, symbology in pairs)
    return CameraRead(grabbed_us=MonoUs(at_us), codes=codes)


def beat(word: bytes, picture: Picture) -> tuple[bytes, CameraBeat]:
    line = b'{"v":2,"kind":"beat","picture":"%b","frames":7,"missed":1}\n' % word
    return line, CameraBeat(picture=picture, frames=7, missed=1)


GOLDEN: list[tuple[bytes, CameraMessage]] = [
    beat(b"good", Picture.GOOD),
    beat(b"plain", Picture.PLAIN),
    beat(b"black", Picture.BLACK),
    beat(b"overexposed", Picture.OVEREXPOSED),
    beat(b"out_of_focus", Picture.OUT_OF_FOCUS),
    (b'{"v":2,"kind":"ends","why":"frozen"}\n', CameraEnds(why="frozen")),
    (
        b'{"v":2,"kind":"read","grabbed_us":7,"codes":[["JT1234567890123","code128","two_frames"]]}\n',
        read(7, ("JT1234567890123", Symbology.CODE128)),
    ),
    (
        b'{"v":2,"kind":"read","grabbed_us":8,"codes":[["6901234567892","ean13","two_frames"],["a;b","qr","two_frames"]]}\n',
        read(8, ("6901234567892", Symbology.EAN13), ("a;b", Symbology.QR)),
    ),
    (
        '{"v":2,"kind":"read","grabbed_us":9,"codes":[["上海","qr","two_frames"]]}\n'.encode(),
        read(9, ("上海", Symbology.QR)),
    ),
    (
        b'{"v":2,"kind":"read","grabbed_us":10,"codes":[["10A\\u001d37","datamatrix","two_frames"]]}\n',
        read(10, ("10A\x1d37", Symbology.DATAMATRIX)),
    ),
]
BROKEN: list[tuple[bytes, str]] = [
    (b"\n", "an empty line"),
    (b"\xff\xfe\n", "no text"),
    (b"[]\n", "no object"),
    (b'{"v":1,"kind":"beat","picture":"good","frames":7,"missed":1}\n', "another version"),
    (b'{"v":2,"kind":"beat","picture":"fine","frames":7,"missed":1}\n', "a picture unheard of"),
    (b'{"v":2,"kind":"beat","picture":["good"],"frames":7,"missed":1}\n', "a list for a word"),
    (b'{"v":2,"kind":"beat","picture":"good","frames":7,"missed":1,"more":1}\n', "an unknown key"),
    (b'{"v":2,"kind":"beat","picture":"good","frames":7,"missed":8}\n', "more missed than came"),
    (b'{"v":2,"kind":"beat","picture":"good","frames":7,"missed":-1}\n', "fewer than none"),
    (b'{"v":2,"kind":"beat","picture":"good","frames":true,"missed":0}\n', "a count that is none"),
    (b'{"v":2,"kind":"beat","picture":"good"}\n', "no counts"),
    (b'{"v":2,"kind":"ends","why":""}\n', "no cause"),
    (b'{"v":2,"kind":"ends","why":"' + b"x" * (MAX_WHY + 1) + b'"}\n', "a cause too long"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":[]}\n', "no code"),
    (b'{"v":2,"kind":"read","grabbed_us":"7","codes":[["A","qr","two_frames"]]}\n', "a moment that is none"),
    (b'{"v":2,"kind":"read","grabbed_us":true,"codes":[["A","qr","two_frames"]]}\n', "a moment that is none"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":[["A","aztec","two_frames"]]}\n', "an unknown symbology"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":[["","qr","two_frames"]]}\n', "an empty code"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":["A","qr","two_frames"]}\n', "no triples"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":[["A","qr","because"]]}\n', "a reason unheard of"),
    (b'{"v":2,"kind":"read","grabbed_us":7,"codes":[["A","qr",""]]}\n', "no reason"),
    (
        b'{"v":2,"kind":"read","grabbed_us":7,"codes":['
        + b",".join([b'["A","qr","two_frames"]'] * (MAX_CODES + 1))
        + b"]}\n",
        "too many codes",
    ),
    (b"[" * 20_000 + b"\n", "brackets without end"),
    (b"A" * (MAX_LINE_BYTES + 1) + b"\n", "too long"),
]


@pytest.mark.parametrize(("line", "message"), GOLDEN, ids=[repr(line[:60]) for line, _ in GOLDEN])
def test_golden(line: bytes, message: CameraMessage) -> None:
    assert CameraMessages().feed(line, AT) == (message,)
    assert CameraMessages().feed(encode(message), AT) == (message,)
    if isinstance(message, CameraRead):
        (told,) = CameraMessages().feed(encode(message), AT)
        assert isinstance(told, CameraRead)
        assert {code.proof for code in told.codes} == {ReadProof.TWO_FRAMES}


@pytest.mark.parametrize(("line", "why"), BROKEN, ids=[why for _, why in BROKEN])
def test_what_is_no_message_is_dropped_alone(line: bytes, why: str) -> None:
    codec = CameraMessages()
    assert codec.feed(line + GOLDEN[0][0], AT) == (GOLDEN[0][1],), why
    assert codec.rejected == 1


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
def test_clean_pipes_lose_nothing(wire: str) -> None:
    codec, pipe, heard = CameraMessages(), pipe_of(wire, seed=1), list[CameraMessage]()
    for n, (line, _) in enumerate(GOLDEN):
        for at_us, piece in pipe.push(20_000 * n, line):
            heard.extend(codec.feed(piece, MonoUs(at_us)))
    assert heard == [message for _, message in GOLDEN]
    assert codec.rejected == 0


def test_a_line_that_never_ends_keeps_nothing_and_its_tail_is_no_message() -> None:
    codec = CameraMessages()
    for _ in range(1_000):
        assert codec.feed(b"A" * 100, AT) == ()
        assert len(codec._lines._buffer) <= MAX_LINE_BYTES + 100
    assert codec.feed(GOLDEN[0][0], AT) == ()
    assert codec.feed(GOLDEN[0][0], AT) == (GOLDEN[0][1],)


def test_fuzz() -> None:
    bits, codec = SeededBits(20_260_101, "fuzz"), CameraMessages()
    lines = [line for line, _ in GOLDEN + BROKEN[:-2]]
    for case in range(FUZZ_CASES):
        data = bytearray(b"".join(bits.pick(lines) for _ in range(bits.between(1, 2))))
        for _ in range(bits.below(5)):
            place = bits.below(len(data))
            if bits.chance(500):
                data[place] = bits.below(256)
            else:
                del data[place : place + bits.below(12)]
                data = data or bytearray(b"\n")
        for message in codec.feed(bytes(data), AT):
            assert isinstance(message, CameraBeat | CameraRead | CameraEnds), case
            assert CameraMessages().feed(encode(message), AT) == (message,), case


KEEP = KeepPicture(
    track=TrackId(12), epoch=BootEpoch(3), number=PlcNumber(4), from_us=MonoUs(5), to_us=MonoUs(9)
)
PASSING = ParcelsPassing(tracks=(TrackId(7), TrackId(8)))
REQUESTS: list[tuple[bytes, tuple[CameraRequest, ...]]] = [
    (b'{"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', (KEEP,)),
    (b'{"to_us":9,"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5}\n', (KEEP,)),
    (b'{"v":2,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"lose","track":12,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":0,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":-3,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":true,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":"../1","epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":1.5,"epoch":3,"number":4,"from_us":5,"to_us":9}\n', ()),
    (b'{"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":9,"to_us":5}\n', ()),
    (b'{"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5}\n', ()),
    (b'{"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5,"to_us":9,"path":"/etc"}\n', ()),
    (b'{"v":1,"kind":"passing","tracks":[7,8]}\n', (PASSING,)),
    (b'{"v":1,"kind":"passing","tracks":[]}\n', (ParcelsPassing(tracks=()),)),
    (b'{"v":1,"kind":"passing","tracks":null}\n', (ParcelsPassing(tracks=None),)),
    (b'{"v":1,"kind":"passing","tracks":[0]}\n', ()),
    (b'{"v":1,"kind":"passing","tracks":[true]}\n', ()),
    (b'{"v":1,"kind":"passing","tracks":7}\n', ()),
    (b'{"v":1,"kind":"passing"}\n', ()),
    (b'{"v":1,"kind":"passing","tracks":[' + b",".join([b"7"] * (MAX_PASSING + 1)) + b"]}\n", ()),
    (b"[]\n", ()),
    (b"\xff\n", ()),
    (
        b" " * (MAX_REQUEST_BYTES + 1)
        + b'{"v":1,"kind":"keep","track":12,"epoch":3,"number":4,"from_us":5,"to_us":9}\n',
        (),
    ),
]


@pytest.mark.parametrize(("line", "wanted"), REQUESTS)
def test_what_the_line_asks_of_a_camera(line: bytes, wanted: tuple[CameraRequest, ...]) -> None:
    codec = CameraRequests()
    assert codec.feed(line) == wanted
    assert codec.rejected == (0 if wanted else 1)
    assert codec.feed(encode_request(KEEP) + encode_request(PASSING)) == (KEEP, PASSING), "in step again"
    slow = CameraRequests()
    found = [one for n in range(len(line)) for one in slow.feed(line[n : n + 1])]
    assert tuple(found) == wanted, "byte by byte"


def test_noise_asks_for_nothing() -> None:
    bits, codec = SeededBits(8, "requests"), CameraRequests()
    for _ in range(FUZZ_CASES // 10):
        data = bytes(bits.below(256) for _ in range(bits.between(1, 200)))
        assert codec.feed(data) == ()
