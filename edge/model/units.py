"""Units. Integers only: a sum of them is exact on every machine."""

from typing import NewType

MonoUs = NewType("MonoUs", int)
"""Microseconds of the line PC's monotonic clock."""
UtcUs = NewType("UtcUs", int)
"""Microseconds since 1970-01-01T00:00Z."""
Ticks = NewType("Ticks", int)
"""Encoder ticks of the belt, unwrapped (never modulo 2³²), monotone within a boot epoch."""
Mm = NewType("Mm", int)
Grams = NewType("Grams", int)

US_PER_MS = 1_000
US_PER_S = 1_000_000
UINT16_MAX = 0xFFFF
UINT32_MAX = 0xFFFF_FFFF
