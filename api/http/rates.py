"""How fast one key may ask: a bucket of tokens that fills at an even rate."""

from collections.abc import Callable


class Rates:
    """One bucket a key, made when it first asks; keys are few (``KEYS_MAX``). ``now_s``: monotonic."""

    def __init__(self, *, per_s: int, burst: int, now_s: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now_s = now_s
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, key: str) -> float:
        """Takes one token: 0, or how long until there will be one (nothing is taken then)."""
        now = self._now_s()
        tokens, at = self._buckets.get(key, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._per_s)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            return (1 - tokens) / self._per_s
        self._buckets[key] = (tokens - 1, now)
        return 0.0
