"""How often a simulation looks for cycles: seldom."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 2_000_000
"""New objects, less those that have gone, between two looks for cycles: those of some 11,000 parcels, each of
which leaves eight objects in cycles. At 50,000 the looks were a fortieth of a run."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """A run makes millions of objects and next to no cycles: looking for them as often as usual, among
    all that is loaded, takes an eighth of its time."""
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    if not frozen:
        gc.collect()
        gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        if not frozen:
            gc.unfreeze()
