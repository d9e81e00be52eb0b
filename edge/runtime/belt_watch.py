"""Turns moments into belt positions: what readers and scales saw becomes inputs of the core.

A code waits until the ring has been read past its latest possible PLC time; a capture waits until
the belt has provably passed its end and the scale has spoken of that moment.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from edge.core.belt_clock import BeltClock
from edge.core.readings import TELLING, stable_run
from edge.model.codes import Code
from edge.model.commands import CaptureStatic, CaptureWeight, CaptureZero, WakeAt
from edge.model.events import CodesRead, SamplesCaptured, ZeroCaptured
from edge.model.ids import BootEpoch, DeviceId, ReaderId, ScaleId
from edge.model.topology import Reader, Scale, Topology
from edge.model.units import US_PER_MS, US_PER_S, Grams, MonoUs, Ticks
from edge.model.weight import WeightSample
from edge.ports.clock import Clock
from edge.ports.sinks import BeltSample, EventSink
from edge.runtime.wakes import Wakes

PENDING_CODES = 256
"""Answers of readers that wait for the ring; more is a babbling reader, the oldest lose their place."""
SAMPLES_KEPT = 1_024
"""About 20 s of a 50 frames/s scale: longer than any capture may wait."""
CAPTURE_LIMIT = 64
"""Frames that a capture carries into the record."""
CAPTURES_OPEN = 64
ANYWHERE = Ticks(2**62)
"""Upper end of an interval of which nothing is known."""


@dataclass(slots=True)
class _PendingCodes:
    reader: Reader
    at_us: MonoUs
    codes: tuple[Code, ...]


class BeltWatch:
    """One line's belt as the runtime knows it; a ``BeltSink``, ``CodeSink`` and ``SampleSink``.

    ``epoch``: the PLC's last one on record, in whose ticks the wakes of a recovered core are; 0: none.
    """

    def __init__(self, topology: Topology, clock: Clock, events: EventSink, epoch: BootEpoch) -> None:
        self._clock = clock
        self._events = events
        self._belt = BeltClock(
            ticks_per_m=topology.ticks_per_m,
            max_speed_mm_s=topology.max_speed_mm_s,
            scan_ms=topology.plc.scan_ms,
        )
        self._readers: Mapping[ReaderId, Reader] = {reader.id: reader for reader in topology.readers}
        self._scale: Scale | None = topology.scale
        self._codes: deque[_PendingCodes] = deque()
        self._samples: deque[WeightSample] = deque(maxlen=SAMPLES_KEPT)
        self._captures: deque[CaptureWeight | CaptureZero] = deque()
        self._static: CaptureStatic | None = None
        self._static_from_us = MonoUs(0)
        self._weighed_us = MonoUs(-1)
        """Arrival of the last frame of the static capture before; -1: none."""
        self._v_max = topology.max_speed_mm_s * topology.ticks_per_m
        self._static_limit: asyncio.TimerHandle | None = None
        self._epoch = epoch
        self._heard: dict[DeviceId, MonoUs] = {}
        self._plc = topology.plc.device
        self.wakes = Wakes(self._belt, clock, events)

    def belt_seen(self, sample: BeltSample) -> None:
        if sample.epoch != self._epoch:
            self._begin_epoch(sample.epoch)
        self._belt.feed(
            asked_us=sample.asked_us,
            answered_us=sample.answered_us,
            epoch=sample.epoch,
            plc_ms=sample.plc_ms,
            ticks=sample.ticks,
            running=sample.running,
            ring_read=sample.ring_read,
        )
        self._heard[self._plc] = sample.answered_us
        if self._codes:
            self._join_codes()
        if self._captures:
            self._finish_captures()
        self.wakes.belt_moved()

    def _begin_epoch(self, epoch: BootEpoch) -> None:
        """Ticks begin anew: what was asked for in the old count has no answer any more."""
        if self._epoch:
            self.wakes.forget_ticks()
            while self._captures:
                self._post_capture(self._captures.popleft(), whole=False, samples=())
            if self._static is not None:
                self._answer_static(self._static, whole=False, samples=())
        self._epoch = epoch

    def heard(self) -> dict[DeviceId, MonoUs]:
        """When each device that has spoken in this run spoke last."""
        heard = dict(self._heard)
        if self._scale is not None and self._samples:
            heard[self._scale.device] = self._samples[-1].at_us
        return heard

    def belt_unseen(self) -> None:
        self._belt.unseen()

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        if len(self._codes) >= PENDING_CODES:
            self._post_codes(self._codes.popleft(), None)
        self._heard[self._readers[reader].device] = at_us
        self._codes.append(_PendingCodes(self._readers[reader], at_us, codes))

    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None:
        if self._scale is None or scale != self._scale.id:
            raise ValueError(f"frame of scale {scale!r}, which this line does not have")
        self._samples.append(sample)
        if self._static is not None:
            self._finish_static()

    def wake_at(self, command: WakeAt) -> None:
        self.wakes.set(command)

    def capture(self, command: CaptureWeight | CaptureZero) -> None:
        if len(self._captures) >= CAPTURES_OPEN:
            self._answer(self._captures.popleft(), whole=False)
        self._captures.append(command)
        self._finish_captures()

    def capture_static(self, command: CaptureStatic) -> None:
        if self._static is not None:
            self._answer_static(self._static, whole=False, samples=())
        self._static = command
        self._static_from_us = self._clock.now_us()
        # A silent scale must not keep the zone: the answer comes at the limit in any case.
        self._static_limit = asyncio.get_running_loop().call_at(
            command.until_us / US_PER_S, self._finish_static
        )

    def passed_us(self, ticks: Ticks) -> MonoUs | None:
        """About when the belt was at ``ticks`` a while ago; None: it is not known any more."""
        return self._belt.passed_us(ticks)

    def close(self) -> None:
        """No timer of this belt fires any more."""
        self.wakes.close()
        if self._static_limit is not None:
            self._static_limit.cancel()

    def _join_codes(self) -> None:
        """In arrival order: a later answer never overtakes an earlier one."""
        while self._codes:
            first = self._codes[0]
            latest = MonoUs(first.at_us - first.reader.latency_min_ms * US_PER_MS)
            if not self._belt.ring_read_past(latest):
                return
            earliest = MonoUs(first.at_us - first.reader.latency_max_ms * US_PER_MS)
            self._post_codes(self._codes.popleft(), self._belt.ticks_between(earliest, latest))

    def _post_codes(self, pending: _PendingCodes, where: tuple[Ticks, Ticks] | None) -> None:
        low, high = where or (Ticks(0), ANYWHERE)
        self._events.post(
            CodesRead(
                at_us=self._clock.now_us(),
                reader=pending.reader.id,
                ticks_from=low,
                ticks_to=high,
                codes=pending.codes,
            )
        )

    def _finish_captures(self) -> None:
        while self._captures:
            capture = self._captures[0]
            if not self._belt.proved(capture.to_ticks):
                return
            spoken = self._scale_has_passed(capture.to_ticks)
            if spoken is None:
                return
            self._answer(self._captures.popleft(), whole=spoken)

    def _moment(self, sample: WeightSample) -> MonoUs:
        """When the load was what the frame says: its arrival less the device's filter."""
        assert self._scale is not None
        return MonoUs(sample.at_us - self._scale.filter_ms * US_PER_MS)

    def _scale_has_passed(self, ticks: Ticks) -> bool | None:
        """Whether a frame of a later position has come; False when the scale is silent; None: wait."""
        assert self._scale is not None
        now = self._clock.now_us()
        if self._samples:
            newest = self._samples[-1]
            moment = self._moment(newest)
            where = self._belt.ticks_between(moment, moment)
            if where is not None and where[0] >= ticks:
                return True
            if now - newest.at_us <= self._scale.stale_ms * US_PER_MS:
                return None
        return False

    def _answer(self, capture: CaptureWeight | CaptureZero, *, whole: bool) -> None:
        taken: list[WeightSample] = []
        last_us: MonoUs | None = None
        dropped = len(self._samples) == SAMPLES_KEPT
        """Frames of the window may have been dropped: none that is older is kept."""
        for sample in reversed(self._samples):
            moment = self._moment(sample)
            where = self._belt.ticks_between(moment, moment)
            if where is None or where[1] > capture.to_ticks:
                continue
            if where[0] < capture.from_ticks:
                dropped = False
                break
            if last_us is not None and last_us - sample.at_us > self._stale_us():
                whole = False
            last_us = sample.at_us
            taken.append(sample)
        kept = tuple(reversed(taken[:CAPTURE_LIMIT]))
        self._post_capture(capture, whole=whole and not dropped, samples=kept)

    def _stale_us(self) -> int:
        assert self._scale is not None
        return self._scale.stale_ms * US_PER_MS

    def _finish_static(self) -> None:
        command = self._static
        if command is None or self._scale is None:
            return
        now = self._clock.now_us()
        since = tuple(s for s in self._samples if self._moment(s) >= self._static_from_us)
        if not stable_run(self._scale, since) and now < command.until_us:
            return
        whole = bool(since) and now - since[-1].at_us <= self._stale_us()
        self._answer_static(command, whole=whole, samples=since[-CAPTURE_LIMIT:])

    def _answer_static(
        self, command: CaptureStatic, *, whole: bool, samples: tuple[WeightSample, ...]
    ) -> None:
        self._static = None
        if self._static_limit is not None:
            self._static_limit.cancel()
        self._post_capture(command, whole=whole, samples=samples)
        if samples:
            self._weighed_us = samples[-1].at_us

    def _post_capture(
        self,
        command: CaptureWeight | CaptureZero | CaptureStatic,
        *,
        whole: bool,
        samples: tuple[WeightSample, ...],
    ) -> None:
        now = self._clock.now_us()
        if isinstance(command, CaptureZero):
            self._events.post(ZeroCaptured(at_us=now, scale=command.scale, whole=whole, samples=samples))
            return
        least_g, most_g = self._extremes(command, samples)
        self._events.post(
            SamplesCaptured(
                at_us=now,
                track=command.track,
                scale=command.scale,
                whole=whole,
                samples=samples,
                least_g=least_g,
                most_g=most_g,
            )
        )

    def _extremes(
        self, command: CaptureWeight | CaptureStatic, samples: tuple[WeightSample, ...]
    ) -> tuple[Grams, Grams] | tuple[None, None]:
        """The smallest and the largest weight told since the load began to change. In motion that is no
        later than the time before the first frame in which a belt at v_max would have come from there; a
        scale that was silent then has not told it."""
        if not samples:
            return None, None
        since_us = int(self._weighed_us)
        if isinstance(command, CaptureWeight):
            way = command.from_ticks - command.on_ticks
            since_us = samples[0].at_us - way * US_PER_S * 1_000 // self._v_max
        heard: list[WeightSample] = []
        for one in reversed(self._samples):
            if one.at_us < since_us:
                break
            if one.at_us <= samples[-1].at_us:
                heard.append(one)
        silent = isinstance(command, CaptureWeight) and heard[-1].at_us - since_us > self._stale_us()
        told = [one.grams for one in heard if one.state in TELLING]
        return (min(told), max(told)) if told and not silent else (None, None)
