"""Wall time for the record; nothing is measured with it."""

import time

from edge.model.units import UtcUs


def utc_now() -> UtcUs:
    return UtcUs(time.time_ns() // 1_000)
