"""The ground truth: what really happened, written by the world and never read by the line.

``parcel`` is the true identity, 1… in the order of placing. ``ticks`` are the encoder's count at that
moment, as every observer could have seen it. Times are the simulation's microseconds, the same clock
as the line PC's.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TextIO

from edge.model.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Placed:
    """A parcel was put on the infeed. ``faults``: what was done to it on purpose. ``again``: it has gone
    round, and was that one on its lap before; 0: it is new."""

    at_us: int
    parcel: int
    index: int
    length_mm: int
    weight_g: int
    order_no: str
    waybill: str
    candidates: tuple[str, ...]
    faults: tuple[str, ...]
    again: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Inducted:
    """Its leading edge reached the induction eye. ``gap_mm`` to the tail before it (-1: none yet);
    ``merged``: the eye was still covered, so nobody can see a second parcel."""

    at_us: int
    parcel: int
    ticks: int
    gap_mm: int
    merged: bool


@quick
@dataclass(frozen=True, slots=True)
class OnScale:
    """It left the scale. ``whole_us``: when it was wholly on it; ``alone_from_us…alone_to_us``: wholly
    on it and nothing else touching it. -1: never."""

    at_us: int
    parcel: int
    whole_us: int
    alone_from_us: int
    alone_to_us: int


@quick
@dataclass(frozen=True, slots=True)
class Carried:
    """A diverter took it off the belt towards ``exit``. ``fire_us``: the earliest moment at which its
    firing can have begun; ``told_us``: when the arm last got a new level. ``forced``: a fault did it,
    not the line."""

    at_us: int
    parcel: int
    exit: int
    fire_us: int
    told_us: int
    forced: bool


@quick
@dataclass(frozen=True, slots=True)
class Left:
    """It entered the lane of an exit (n+1: the end of the line), seen by nobody but the world.

    ``touched_us``: the first moment at which a hand could have touched it on the belt, or -1.
    ``seen``: (eye, ticks) of each leading edge that was its own.
    """

    at_us: int
    parcel: int
    exit: int
    ticks: int
    touched_us: int
    seen: tuple[tuple[int, int], ...]


@quick
@dataclass(frozen=True, slots=True)
class Removed:
    """A person took it off the belt."""

    at_us: int
    parcel: int
    lead_mm: int
    touched_us: int
    seen: tuple[tuple[int, int], ...]


@quick
@dataclass(frozen=True, slots=True)
class Swapped:
    """Two parcels changed places by hand. ``running``: the belt ran, so nobody can have seen it."""

    at_us: int
    parcel: int
    other: int
    running: bool


@quick
@dataclass(frozen=True, slots=True)
class Moved:
    """A parcel ``slipped``, was ``turned`` or ``inserted`` on the running belt: from now on its leading
    edge is at ``lead_mm`` from the induction eye."""

    at_us: int
    parcel: int
    how: str
    lead_mm: int
    length_mm: int


@quick
@dataclass(frozen=True, slots=True)
class BeltSwitched:
    """The belt began to stop (``running`` False) or to run; ``cause``: ``plc``, ``e_stop``, ``power``."""

    at_us: int
    running: bool
    cause: str


@quick
@dataclass(frozen=True, slots=True)
class LaneFull:
    """The full-eye of an exit's lane became blocked or clear."""

    at_us: int
    exit: int
    full: bool


@quick
@dataclass(frozen=True, slots=True)
class LaneEmptied:
    at_us: int
    exit: int
    parcels: int


@quick
@dataclass(frozen=True, slots=True)
class PlcStarted:
    """The PLC runs under a new boot epoch. ``shift``: encoder ticks less its own (modulo 2³²)."""

    at_us: int
    epoch: int
    shift: int


@quick
@dataclass(frozen=True, slots=True)
class PlcStopped:
    """The PLC has lost its power: nobody counts, nobody drives."""

    at_us: int


@quick
@dataclass(frozen=True, slots=True)
class HeartbeatMoved:
    """The PC's heartbeat word changed to another fresh value, as the PLC saw it."""

    at_us: int


@quick
@dataclass(frozen=True, slots=True)
class CommandWritten:
    """A command block reached the PLC, whatever it made of it."""

    at_us: int
    epoch: int
    number: int
    exit: int
    revoke: bool
    seq: int
    crc: int


@quick
@dataclass(frozen=True, slots=True)
class CommandJudged:
    """The PLC's answer to the block written last (``edge.model.divert.CommandStatus``)."""

    at_us: int
    epoch: int
    number: int
    exit: int
    revoke: bool
    seq: int
    status: int


@quick
@dataclass(frozen=True, slots=True)
class PlcAway:
    """The PLC answers nobody in ``at_us…until_us`` (silent, restarting, cable out)."""

    at_us: int
    until_us: int
    cause: str


@quick
@dataclass(frozen=True, slots=True)
class EncoderLied:
    """The encoder does not count the belt in ``at_us…until_us``: whatever hangs on ticks is wrong."""

    at_us: int
    until_us: int


@quick
@dataclass(frozen=True, slots=True)
class WorkMoved:
    """Work of an order went through a bench's gate (``lane``: ``edge.model.review.GateLane``), the end of
    its review scanned at ``ended_us``. ``wanted``: (sku, pieces) of its order; ``lay``: (sku, barcode,
    pieces) of what lay on the bench."""

    at_us: int
    bench: str
    order_no: str
    ended_us: int
    lane: int
    wanted: tuple[tuple[str, int], ...]
    lay: tuple[tuple[str, str, int], ...]


@quick
@dataclass(frozen=True, slots=True)
class FaultInjected:
    """A timed fault of the line was done. ``subject``: exit, eye or seconds, as the kind has it."""

    at_us: int
    kind: str
    subject: str


Truth = (
    Placed
    | Inducted
    | OnScale
    | Carried
    | Left
    | Removed
    | Swapped
    | Moved
    | BeltSwitched
    | LaneFull
    | LaneEmptied
    | PlcStarted
    | PlcStopped
    | HeartbeatMoved
    | CommandWritten
    | CommandJudged
    | PlcAway
    | EncoderLied
    | WorkMoved
    | FaultInjected
)

TruthSink = Callable[[Truth], None]

TRUTH_KINDS: dict[str, type[Truth]] = {
    kind.__name__: kind
    for kind in (
        Placed,
        Inducted,
        OnScale,
        Carried,
        Left,
        Removed,
        Swapped,
        Moved,
        BeltSwitched,
        LaneFull,
        LaneEmptied,
        PlcStarted,
        PlcStopped,
        HeartbeatMoved,
        CommandWritten,
        CommandJudged,
        PlcAway,
        EncoderLied,
        WorkMoved,
        FaultInjected,
    )
}


def to_json_line(fact: Truth) -> str:
    """One line without its newline: ``{"fact": name, fields…}``."""
    row: dict[str, object] = {"fact": type(fact).__name__}
    for one in fields(fact):
        row[one.name] = getattr(fact, one.name)
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def from_json_line(line: str) -> Truth:
    """The inverse of ``to_json_line``; raises ``ValueError`` for anything else."""
    row = json.loads(line)
    if not isinstance(row, dict) or row.get("fact") not in TRUTH_KINDS:
        raise ValueError(f"not a line of the truth log: {line[:80]!r}")
    kind = TRUTH_KINDS[row.pop("fact")]
    if set(row) != {one.name for one in fields(kind)}:
        raise ValueError(f"fields of {kind.__name__} differ: {sorted(row)}")
    make: Callable[..., Truth] = kind
    return make(**{name: _frozen(value) for name, value in row.items()})


def _frozen(value: object) -> object:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


class TruthFile:
    """Writes the log as JSON lines, each flushed, so that another process can follow it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, fact: Truth) -> None:
        self._stream.write(to_json_line(fact) + "\n")
        self._stream.flush()
