"""Where the belt was, is and will be, in encoder ticks, at moments of the line PC's clock.

Pure: fed with the PLC's status samples, it relates the two clocks and bounds the belt's position. All
bounds hold if the belt never runs faster than ``max_speed_mm_s`` and a sample is what ``feed`` says;
nothing is guessed but ``due_us``, which extrapolates and errs towards early.
"""

from bisect import bisect_left, bisect_right

from edge.model.ids import BootEpoch
from edge.model.units import UINT32_MAX, US_PER_MS, MonoUs, Ticks

SAMPLES_KEPT = 128
"""12.8 s at the usual cycle: longer than a reader's latency or a scale's filter and a silent PLC."""
DRIFT_PPM = 200
"""Two crystals of ±100 ppm may part so fast."""
STEADY_PERMILLE = 20
"""Two stretches whose speeds differ by no more than this are one speed."""
SCAN_MS = 5
"""Age that a status may have when it is read: one PLC scan."""
_UM_PER_M = 1_000_000


class BeltClock:
    """One line's belt. Forgets everything at a new boot epoch.

    PLC time below is the PLC's milliseconds since its start, unwrapped, in µs. The PLC counts whole
    milliseconds, so a sample of m ms was taken at m … m + 1 ms.
    """

    def __init__(self, *, ticks_per_m: int, max_speed_mm_s: int, scan_ms: int = SCAN_MS) -> None:
        """Ticks per metre and mm/s, both positive; ``scan_ms`` is the PLC's scan."""
        self._ticks_per_m = ticks_per_m
        self._speed = max_speed_mm_s
        self._scan_us = scan_ms * US_PER_MS
        self._epoch = BootEpoch(0)
        self._forget()

    def _forget(self) -> None:
        self._plc_us: list[int] = []
        """PLC time of each sample kept, strictly rising; ``_ticks`` are the positions then."""
        self._ticks: list[int] = []
        self._raw_ms = self._unwrapped_ms = 0
        self._offset = (0, 0)
        """PC time less PLC time lies in here, as of ``_offset_us``."""
        self._offset_us = 0
        self._proved_ticks = -1
        self._proved_plc_us: int | None = None
        self._running = False
        self._seen = False
        self._known_pace: tuple[int, int] | None = None
        """Of the samples kept; None: to be worked out again."""

    def feed(
        self,
        *,
        asked_us: MonoUs,
        answered_us: MonoUs,
        epoch: BootEpoch,
        plc_ms: int,
        ticks: Ticks,
        running: bool,
        ring_read: bool,
    ) -> None:
        """One status: taken no earlier than one scan before ``asked_us`` and not after ``answered_us``.

        ``plc_ms`` modulo 2³², ``ticks`` unwrapped. ``ring_read``: every ring entry older than it has
        been handed on. The same sample may come again with ``ring_read`` set.
        """
        if epoch != self._epoch:
            self._epoch = epoch
            self._forget()
        plc_us = self._unwrap(plc_ms)
        self._relate(asked_us - self._scan_us - plc_us - US_PER_MS, answered_us - plc_us, answered_us)
        self._seen = True
        if not self._plc_us or plc_us > self._plc_us[-1]:
            self._plc_us.append(plc_us)
            self._ticks.append(ticks)
            self._known_pace = None
            self._running = running
            if len(self._plc_us) > 2 * SAMPLES_KEPT:
                del self._plc_us[:SAMPLES_KEPT], self._ticks[:SAMPLES_KEPT]
        elif plc_us == self._plc_us[-1]:
            if ticks > self._ticks[-1]:
                self._ticks[-1] = ticks
                self._known_pace = None
            self._running = running
        if ring_read:
            self._proved_ticks = max(self._proved_ticks, ticks)
            before = self._proved_plc_us
            self._proved_plc_us = plc_us if before is None else max(before, plc_us)

    def unseen(self) -> None:
        """The link is down: nothing is said about positions beyond the last sample until the next."""
        self._seen = False

    def ticks_between(self, from_us: MonoUs, to_us: MonoUs) -> tuple[Ticks, Ticks] | None:
        """Smallest and largest possible position within ``from_us…to_us``; None when not known: before
        the samples kept, or after the last one while the link is down."""
        if not self._plc_us:
            return None
        early, late = self._plc_time(from_us)
        if to_us != from_us:
            late = self._plc_time(to_us)[1]
        if early < self._plc_us[0] or (late > self._plc_us[-1] and not self._seen):
            return None
        low, high = self._low(early), self._high(late)
        return Ticks(min(low, high)), Ticks(max(low, high))

    def passed_us(self, ticks: Ticks) -> MonoUs | None:
        """About when the belt was at ``ticks``, as if it had run evenly between two samples; None when that
        is not among the samples kept. For looking back, never for a decision."""
        n = bisect_left(self._ticks, ticks)
        if n == len(self._ticks) or (n == 0 and self._ticks[0] != ticks):
            return None
        plc_us = self._plc_us[n]
        if self._ticks[n] != ticks:
            advance, us = self._ticks[n] - self._ticks[n - 1], plc_us - self._plc_us[n - 1]
            plc_us -= (self._ticks[n] - ticks) * us // advance
        low, high = self._offset
        return MonoUs(plc_us + (low + high) // 2)

    def due_us(self, ticks: Ticks, now: MonoUs) -> MonoUs | None:
        """The earliest moment at which the belt, running on as now, reaches ``ticks``; ``now`` when it
        has been seen there; None while it stands or is not seen."""
        if not self._plc_us:
            return None
        if self._ticks[-1] >= ticks:
            return now
        if not self._running or not self._seen:
            return None
        if self._known_pace is None:
            self._known_pace = self._pace()
        us, advance = self._known_pace
        first_us = self._plc_us[-1] + self._offset_at(now)[0]
        return MonoUs(first_us + (ticks - self._ticks[-1]) * us // advance)

    def proved(self, ticks: Ticks) -> bool:
        """The ring has been read up to a status whose belt position lies beyond ``ticks``."""
        return self._proved_ticks > ticks

    def ring_read_past(self, at_us: MonoUs) -> bool:
        """The ring has been read up to a status that the PLC surely took after ``at_us``."""
        return self._proved_plc_us is not None and self._proved_plc_us > self._plc_time(at_us)[1]

    def _unwrap(self, plc_ms: int) -> int:
        """PLC time of a sample: a wrap, and a sample that comes again, are on the nearer side."""
        ahead = (plc_ms - self._raw_ms) & UINT32_MAX
        if ahead > UINT32_MAX // 2:
            ahead -= UINT32_MAX + 1
        self._raw_ms = plc_ms
        self._unwrapped_ms += ahead
        return self._unwrapped_ms * US_PER_MS

    def _relate(self, low: int, high: int, at_us: int) -> None:
        """Intersect what this round trip says of the clocks' offset with what was known: the shortest
        round trips bound it best. No intersection: the PLC's clock was set, begin anew."""
        known_low, known_high = self._offset_at(at_us)
        if self._plc_us and known_low <= high and low <= known_high:
            low, high = max(low, known_low), min(high, known_high)
        else:
            self._plc_us.clear()
            self._ticks.clear()
            self._proved_plc_us = None
        self._offset = (low, high)
        self._offset_us = at_us

    def _offset_at(self, at_us: int) -> tuple[int, int]:
        if at_us == self._offset_us:
            return self._offset
        drift = -(-abs(at_us - self._offset_us) * DRIFT_PPM // _UM_PER_M)
        return self._offset[0] - drift, self._offset[1] + drift

    def _plc_time(self, at_us: int) -> tuple[int, int]:
        """Earliest and latest PLC time that ``at_us`` may be."""
        low, high = self._offset_at(at_us)
        return at_us - high, at_us - low

    def _furthest(self, us: int) -> int:
        """Ticks that the belt can have made in ``us``, rounded up."""
        return -(-us * self._speed * self._ticks_per_m // (_UM_PER_M * 1_000))

    def _low(self, plc_us: int) -> int:
        """The belt has surely reached this by then; ``plc_us`` is not before the first sample."""
        n = bisect_right(self._plc_us, plc_us) - 1
        low = self._ticks[n]
        if plc_us < self._plc_us[n] + US_PER_MS:
            low -= self._furthest(self._plc_us[n] + US_PER_MS - plc_us)
        if n + 1 < len(self._plc_us):
            after = self._plc_us[n + 1] + US_PER_MS - plc_us
            low = max(low, self._ticks[n + 1] - self._furthest(after))
        return low

    def _high(self, plc_us: int) -> int:
        """The belt has surely not passed this by then."""
        n = bisect_right(self._plc_us, plc_us) - 1
        high = self._ticks[n] + self._furthest(plc_us - self._plc_us[n])
        if n + 1 < len(self._plc_us):
            high = min(high, self._ticks[n + 1])
        return high

    def _pace(self) -> tuple[int, int]:
        """(µs, ticks) at which the belt goes on: its steady speed, else the fastest it can."""
        fastest = (_UM_PER_M * 1_000, self._speed * self._ticks_per_m)
        if len(self._plc_us) < 3:
            return fastest
        first_us, middle_us, last_us = self._plc_us[-3:]
        first, middle, last = self._ticks[-3:]
        earlier, later = (middle - first) * (last_us - middle_us), (last - middle) * (middle_us - first_us)
        steady = abs(earlier - later) * 1_000 <= STEADY_PERMILLE * max(earlier, later)
        if middle <= first or last <= middle or not steady:
            return fastest
        return last_us - first_us, last - first
