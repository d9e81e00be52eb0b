"""What a reader's codec understands, whatever the protocol."""

from dataclasses import dataclass

from edge.model.codes import Code
from edge.model.quick import quick
from edge.model.units import MonoUs


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAnswered:
    """One answer. ``at_us``: arrival of its last byte; ``codes`` empty: the reader said no-read."""

    at_us: MonoUs
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderBeat:
    """The reader's heartbeat text: it lives, and has nothing to say."""

    at_us: MonoUs


ReaderEvent = ReaderAnswered | ReaderBeat
