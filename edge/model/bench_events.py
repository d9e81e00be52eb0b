"""Core inputs from the review benches; as ``edge.model.events``, of whose union they are."""

from dataclasses import dataclass

from edge.model.ids import BenchId, InboxSeq
from edge.model.order import BenchOrder
from edge.model.quick import quick
from edge.model.review import ReviewRefusal
from edge.model.units import MonoUs


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchScanned:
    """What the scanner of a review bench said at once: slips, goods, quantities, commands."""

    at_us: MonoUs
    bench: BenchId
    texts: tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SlipFound:
    """Answer to ``LookUpSlip`` as of ``inbox_seq``. ``released``: the order, with these contents, is
    through a gate to packing already."""

    at_us: MonoUs
    bench: BenchId
    slip: str
    inbox_seq: InboxSeq
    order: BenchOrder
    released: bool
    shipped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipMissing:
    """No order can be reviewed by that slip, and ``why``."""

    at_us: MonoUs
    bench: BenchId
    slip: str
    inbox_seq: InboxSeq
    why: ReviewRefusal
