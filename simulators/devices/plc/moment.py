"""Now, as one life of the PLC counts it."""


class Moment:
    """Shared by all parts of the program; set once at the start of each call.

    ``us`` is the plant's time, ``ticks`` the belt's unwrapped ticks, ``ms`` the PLC's clock.
    """

    __slots__ = ("_first_ms", "_start_ticks", "_start_us", "ms", "ticks", "us")

    def __init__(self, *, us: int, encoder_ticks: int, first_ticks: int, first_ms: int) -> None:
        self._start_us = us
        self._first_ms = first_ms
        self._start_ticks = encoder_ticks - first_ticks
        self.us = us
        self.ticks = first_ticks
        self.ms = first_ms

    def set(self, us: int, encoder_ticks: int) -> None:
        self.us = us
        self.ticks = encoder_ticks - self._start_ticks
        self.ms = (us - self._start_us) // 1000 + self._first_ms
