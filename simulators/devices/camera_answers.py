"""A camera process as the line hears it, without pixels: timed reads, for virtual time.

Its words are lines of JSON: ``{"v":2,"kind":"beat","picture":"good","frames":0,"missed":0}`` now and then,
and ``{"v":2,"kind":"read","grabbed_us":…,"codes":[[text,symbology,proof],…]}`` for what counts in one frame,
stamped when that was grabbed.
"""

import asyncio
import json
from collections.abc import Callable, Sequence

from edge.model.codes import Code
from simulators.seeds import SeededBits

US_PER_MS = 1_000
US_PER_S = 1_000_000
PROOF = "two_frames"
BEAT_US = 500 * US_PER_MS
ANSWER_US = (10 * US_PER_MS, 60 * US_PER_MS)
"""What a decoder takes for a frame."""


class CameraAnswers:
    """A camera process in virtual time. ``say`` puts bytes on its wire to the line. A stamp lies in
    ``stamp_us`` after the light, both ends included."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bits: SeededBits,
        say: Callable[[bytes], None],
        *,
        stamp_us: tuple[int, int],
    ) -> None:
        self._loop = loop
        self._bits = bits
        self._say = say
        self._stamp_us = stamp_us
        self._last_us = 0
        self._looks = True
        self._unheard = b""
        self._beating: asyncio.TimerHandle | None = None

    def start(self, on_heard: Callable[[Callable[[bytes], object]], object]) -> None:
        """``on_heard`` takes who is to get what the line says."""
        on_heard(self.hear)
        self._beat()

    def hear(self, data: bytes) -> None:
        """Lines of JSON: ``{"v":1,"kind":"passing","tracks":[…]}`` tells a camera that is triggered which
        parcels pass; without any, it does not look. null: it looks, as one does that is told nothing."""
        *lines, self._unheard = (self._unheard + data).split(b"\n")
        for line in lines:
            body = json.loads(line)
            if body["kind"] == "passing":
                self._looks = body["tracks"] is None or bool(body["tracks"])

    def stop(self) -> None:
        if self._beating is not None:
            self._beating.cancel()

    def saw(self, at_us: int, codes: Sequence[Code]) -> None:
        """A label's light at ``at_us``; its answer comes when it is decoded. A look in vain says nothing."""
        if not self._looks:
            return
        grabbed_us = at_us + self._bits.between(*self._stamp_us)
        due_us = self._last_us = max(self._last_us, grabbed_us + self._bits.between(*ANSWER_US))
        if codes:
            self._loop.call_at(due_us / US_PER_S, self._say, read_message(grabbed_us, codes))

    def _beat(self) -> None:
        self._say(beat_message())
        due_us = round(self._loop.time() * US_PER_S) + BEAT_US
        self._beating = self._loop.call_at(due_us / US_PER_S, self._beat)


def read_message(grabbed_us: int, codes: Sequence[Code]) -> bytes:
    """A read as it goes over the wire."""
    told = [[code.text, code.symbology.value, PROOF] for code in codes]
    return _line({"v": 2, "kind": "read", "grabbed_us": grabbed_us, "codes": told})


def beat_message(picture: str = "good", frames: int = 0, missed: int = 0) -> bytes:
    return _line({"v": 2, "kind": "beat", "picture": picture, "frames": frames, "missed": missed})


def _line(body: dict[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


CAMERA_MESSAGES = {"camera_messages": read_message}
"""Encoder of each protocol that the line can understand."""
