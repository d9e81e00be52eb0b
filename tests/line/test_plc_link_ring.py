"""The ring reader against a PLC that writes while it reads: what it hands on is true, or it says overflow."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.codecs.plc import WrongBlock
from drivers.links.plc.agreement import disagreement
from drivers.links.plc.ring_reader import RingReader, SlotRun
from edge.model.ids import BootEpoch, RingSeq
from edge.model.register_map import PlcIdentity, WordOrder
from tests.clauses import clause
from tests.line.plc_link_bank import words_of
from tests.lines_for_tests import small_topology

CAPACITY = 12


class Writer:
    """Writes an entry word by word, the head last; the number of an entry is 1000 + its sequence."""

    def __init__(self) -> None:
        self.slots: dict[int, list[int]] = {}
        self.head = RingSeq(0)
        self._half: list[tuple[int, int]] = []

    def write(self, words: int) -> None:
        """So many words of the next entry; a full slot moves the head."""
        seq = self.head + 1
        if not self._half:
            new = words_of("ring", {"ring_seq": seq, "kind_point": 0x0102, "number": 1000 + seq})
            order = [2, 3, 4, 5, 6, 7, 8, 9, 0, 1] if seq % 2 else list(range(10))
            self._half = [(at, new[at]) for at in order]
        slot = self.slots.setdefault((seq - 1) % CAPACITY, [0] * 10)
        for _ in range(min(words, len(self._half))):
            at, word = self._half.pop(0)
            slot[at] = word
        if not self._half:
            self.head = RingSeq(seq)

    def read(self, run: SlotRun) -> tuple[int, ...]:
        return tuple(word for n in range(run.slots) for word in self.slots.get(run.index + n, [0] * 10))


def reader(ring_next: int = 1) -> RingReader:
    return RingReader(order=WordOrder.ABCD, max_block=32, capacity=CAPACITY, ring_next=RingSeq(ring_next))


@clause("RING-1", "RING-3", "RING-6")
@given(st.lists(st.tuples(st.sampled_from("wwwwrh"), st.integers(1, 30)), max_size=120))
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_meanwhile_only_true_entries_are_handed_on_in_order(
    steps: list[tuple[str, int]],
) -> None:
    plc, ring, head = Writer(), reader(), RingSeq(0)
    expected = 1
    for step, words in [*steps, ("r", 1), ("h", 1)]:
        if step == "w":
            for _ in range(-(-words // 10)):
                plc.write(min(words, 10))
        elif step == "r":
            run = ring.wanted(head)
            if run is not None:
                ring.take(run, plc.read(run))
        else:
            head = plc.head
            slots, overflowed = ring.prove(head)
            if overflowed:
                assert ring.next > expected
                expected = ring.next
            for slot in slots:
                assert (slot.ring_seq, slot.number) == (expected, 1000 + expected)
                expected += 1
            assert ring.next == expected


def test_a_quiet_plc_is_read_to_its_end_and_nothing_overflows() -> None:
    plc, ring = Writer(), reader()
    for _ in range(100):
        plc.write(10)
        while (run := ring.wanted(plc.head)) is not None:
            ring.take(run, plc.read(run))
        slots, overflowed = ring.prove(plc.head)
        assert not overflowed
        assert [slot.ring_seq for slot in slots] == [plc.head]


def test_a_head_that_goes_back_is_wrong() -> None:
    plc, ring = Writer(), reader()
    for _ in range(3):
        plc.write(10)
    run = ring.wanted(plc.head)
    assert run is not None
    ring.take(run, plc.read(run))
    with pytest.raises(WrongBlock, match="went back"):
        ring.prove(RingSeq(2))


@pytest.mark.parametrize(("max_block", "slots"), [(32, 3), (29, 2), (22, 2), (125, 3)])
@clause("REG-2")
def test_no_read_is_larger_than_the_device_takes(max_block: int, slots: int) -> None:
    ring = RingReader(order=WordOrder.ABCD, max_block=max_block, capacity=CAPACITY, ring_next=RingSeq(1))
    run = ring.wanted(RingSeq(9))
    assert run is not None
    assert run.slots == slots


@clause("ID-7")
def test_a_ring_smaller_than_the_line_needs_is_a_disagreement() -> None:
    identity = PlcIdentity(
        contract=1,
        map_version=3,
        map_hash=0xA1B2_C3D4,
        epoch=BootEpoch(1),
        ring_capacity=256,
        slot_size=10,
        exits=3,
        ticks_per_m=10_000,
        max_block=32,
        scan_ms=5,
    )
    topology = small_topology()
    assert disagreement(identity, topology) == ""
    larger = replace(topology, plc=replace(topology.plc, ring_capacity=512))
    assert disagreement(identity, larger) == "ring has 256 slots, the line needs 512"
