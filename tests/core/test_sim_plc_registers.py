"""The simulated PLC's registers: the golden table, the document, the ring, the clocks."""

import re
from pathlib import Path

import pytest

from edge.model.divert import AbortCause, CommandStatus, ConfirmReason, RingKind
from edge.model.register_map import WordOrder
from simulators.devices.plc.bank import Area, ModbusRefused, RegisterBank
from simulators.devices.plc.registers import (
    PACKERS,
    command_crc,
    decode_command,
    decode_pc_status,
    encode_identity,
    encode_slot,
    encode_status,
    unpack,
)
from simulators.devices.plc.settings import PlcSettings
from tests.clauses import clause
from tests.core import plc_golden as golden
from tests.core.plc_bench import Bench, bench_topology

CONTRACT = Path(__file__).parents[2] / "docs" / "plc-contract.md"


@clause("ID-8", "REG-1")
@pytest.mark.parametrize("row", golden.IDENTITY, ids=lambda row: row.order.value)
def test_identity_words(row: golden.IdentityRow) -> None:
    assert encode_identity(row.meaning, PACKERS[row.order]) == row.words


@clause("REG-1")
@pytest.mark.parametrize("row", golden.STATUS, ids=lambda row: row.order.value)
def test_status_words(row: golden.StatusRow) -> None:
    status, bits = row.meaning, row.meaning.bits
    words = encode_status(
        epoch=status.epoch,
        heartbeat=status.heartbeat,
        heartbeat_echo=status.heartbeat_echo,
        plc_ms=status.plc_ms,
        ticks=status.ticks,
        state=bits.state,
        exits_full=bits.exits_full,
        diverters_home=bits.diverters_home,
        zones_held=bits.zones_held,
        zones_untrusted=bits.zones_untrusted,
        eyes_occupied=status.eyes_occupied,
        gates=bits.gates,
        last_seq=status.last_seq,
        last_status=status.last_status,
        last_crc=status.last_crc,
        ring_head=status.ring_head,
        pack=PACKERS[row.order],
    )
    assert words == row.words


@clause("RING-1", "REG-1")
@pytest.mark.parametrize("row", golden.SLOTS)
def test_slot_words(row: golden.SlotRow) -> None:
    words = encode_slot(
        ring_seq=row.ring_seq,
        kind=row.kind,
        point=row.point,
        arg=row.arg,
        number=row.number,
        ticks=row.ticks,
        plc_ms=row.plc_ms,
        pack=PACKERS[row.order],
    )
    assert words == row.words


@clause("REG-1")
@pytest.mark.parametrize("row", golden.PC_STATUS, ids=lambda row: row.order.value)
def test_pc_status_meaning(row: golden.PcStatusRow) -> None:
    assert decode_pc_status(row.words, row.order) == row.meaning


@clause("CMD-1", "REG-1")
@pytest.mark.parametrize("row", golden.COMMANDS)
def test_command_meaning_and_crc(row: golden.CommandRow) -> None:
    assert decode_command(row.words) == row.meaning
    assert command_crc(row.words) == row.crc


@pytest.mark.parametrize("order", WordOrder)
def test_words_come_back_in_every_order(order: WordOrder) -> None:
    first, second = PACKERS[order](0x0A0B0C0D)
    assert unpack(first, second, order) == 0x0A0B0C0D


def layout_of_document() -> tuple[dict[str, int], dict[str, tuple[tuple[int, int, str], ...]]]:
    bases: dict[str, int] = {}
    layout: dict[str, list[tuple[int, int, str]]] = {}
    block = ""
    for line in CONTRACT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"### (\w+): base (\d+)", line):
            block = heading[1]
            bases[block] = int(heading[2])
            layout[block] = []
        elif line.startswith("## 2"):
            break
        elif row := re.match(r"\| (\d+) \| (\d+) \| (\w+) \|", line):
            layout[block].append((int(row[1]), int(row[2]), row[3]))
    return bases, {name: tuple(rows) for name, rows in layout.items()}


@clause("REG-1")
def test_the_document_and_the_golden_table_have_one_layout() -> None:
    bases, layout = layout_of_document()
    assert bases == golden.BASES
    assert layout == golden.LAYOUT
    for name, rows in layout.items():
        assert rows[-1][0] + rows[-1][1] == golden.SIZES[name]


def test_the_document_names_the_status_words_and_ring_kinds() -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    for status in CommandStatus:
        assert f"| {status.value} | {status.name} |" in text
    for kind in RingKind:
        assert f"| {kind.value} | {kind.name} |" in text
    for cause in AbortCause:
        assert f"{cause.value} {cause.name}" in text
    for reason in ConfirmReason:
        assert f"{reason.value} {reason.name}" in text


def test_the_document_lists_the_simulators_settings() -> None:
    settings = PlcSettings()
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", CONTRACT.read_text().split("## 6.")[1], re.MULTILINE)
    listed = {name: int(value) for name, value in rows}
    own = {name: getattr(settings, name) for name in PlcSettings.__dataclass_fields__}
    for start in ("epoch", "ticks", "ms"):
        assert own.pop(start) == 0
    assert listed == own


@clause("REG-1")
def test_every_field_is_where_the_layout_says() -> None:
    bench = Bench()
    identity = bench.program.read(0, 16)
    assert identity == (
        1, 3, 0xA1B2, 0xC3D4, 0x1234, 0x5678, 0x3F80, 0, 1, 256, 10, 4, 0, 1000, 32, 5,
    )  # fmt: skip
    assert bench.program.read(16, 1) == (1,)


@clause("REG-1")
@pytest.mark.parametrize(
    ("address", "count", "code"),
    [(38, 1, 2), (63, 1, 2), (37, 2, 2), (15, 2, 2), (64 + 2560, 1, 2), (4108, 1, 2), (4119, 1, 2),
     (64, 33, 3), (64, 0, 3)],
)  # fmt: skip
def test_reads_that_are_refused(address: int, count: int, code: int) -> None:
    with pytest.raises(ModbusRefused) as refused:
        Bench().program.read(address, count)
    assert refused.value.code == code


@clause("REG-1")
@pytest.mark.parametrize(("address", "count", "code"), [(0, 1, 2), (16, 1, 2), (64, 10, 2), (4107, 2, 2)])
def test_writes_that_are_refused(address: int, count: int, code: int) -> None:
    bench = Bench()
    before = bench.program.read(4096, 12)
    with pytest.raises(ModbusRefused) as refused:
        bench.program.write(address, [1] * count)
    assert refused.value.code == code
    assert bench.program.read(4096, 12) == before


def test_overlapping_areas_are_our_error() -> None:
    area = Area(base=0, size=16, words=lambda: [0] * 16)
    other = Area(base=15, size=2, words=lambda: [0] * 2)
    with pytest.raises(ValueError, match="overlap"):
        RegisterBank([area, other], 32)


@clause("REG-1")
@pytest.mark.parametrize("order", WordOrder)
def test_the_whole_program_speaks_each_word_order(order: WordOrder) -> None:
    bench = Bench(topology=bench_topology(order=order))
    words = bench.program.read(0, 16)
    assert unpack(words[4], words[5], order) == 0x12345678
    enabled, ack = PACKERS[order](0x0001_0203), PACKERS[order](0)
    bench.pc.alive = False
    bench.write(4096, 1, 0, 0, 0, *PACKERS[order](7), *enabled, *ack, 0, 0)
    assert bench.program.life.pc.status.exits_enabled == 0x0001_0203
    assert bench.program.life.pc.status.release_number == 7


@clause("REG-6", "REG-3", "LINK-9")
def test_heartbeat_and_clocks_move_and_the_pcs_is_echoed() -> None:
    bench = Bench(settings=PlcSettings(ms=0xFFFF_FF00, ticks=0xFFFF_FFF0))
    beats = set()
    for _ in range(20):
        bench.run(5)
        beats.add(bench.status("heartbeat"))
    assert len(beats) == 20
    assert 0 not in beats
    bench.run(200)
    assert bench.status("heartbeat_echo") == bench.pc.beat
    assert bench.status("plc_ms") == (0xFFFF_FF00 + 300) % 2**32
    bench.press_reset()
    bench.run(100)
    assert bench.status("ticks") == (0xFFFF_FFF0 + 100) % 2**32


@clause("REG-3")
def test_a_status_never_runs_ahead_of_the_ring() -> None:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, 300)
    ticks, head = bench.status("ticks"), bench.status("ring_head")
    entries = bench.entries()
    assert entries[-1].ticks + 300 == ticks
    assert entries[-1].seq == head


@clause("RING-1", "RING-2", "LINK-9")
def test_the_ring_wraps_and_slots_say_which_entry_they_hold() -> None:
    bench = Bench(settings=PlcSettings(ticks=0xFFFF_0000)).ready()
    seen = []
    for _ in range(140):
        parcel = bench.put(200)
        bench.run_to(parcel, 900)
        seen += bench.entries()
        bench.parcels.remove(parcel)
        bench.run(1200)
        seen += bench.entries()
    assert [entry.seq for entry in seen] == list(range(seen[0].seq, seen[0].seq + len(seen)))
    assert len(seen) > 256
    assert any(entry.ticks < 0xFFFF for entry in seen), "ticks went through 2^32"


@clause("RING-4")
def test_capacity_is_what_the_line_says() -> None:
    assert Bench().program.read(9, 1) == (256,)


@clause("RING-5", "RING-7")
def test_overwriting_unread_entries_untrusts_the_belt() -> None:
    bench = Bench().ready()
    bench.pc.ack = bench.status("ring_head")
    parcel = bench.put(200)
    bench.run_to(parcel, 2500)
    assert bench.command(1, 1) is CommandStatus.APPLIED
    ring = bench.program.life.ring
    while ring.head - ring.ack < 256:
        ring.push(RingKind.JAM, 1)
    assert bench.status("zones_untrusted") == 0
    bench.entries()
    ring.push(RingKind.JAM, 1)
    assert bench.shorts()[-1] == (RingKind.ABORTED, 1, AbortCause.UNTRUSTED.value, 1)
    assert bench.status("zones_untrusted") == 1
    bench.put(200)
    assert bench.command(2, 1) is CommandStatus.UNTRUSTED, "made while entries are lost"
    bench.pc.ack = ring.head + 5
    bench.run(100)
    assert ring.overflowed, "an acknowledge beyond the head is none"
    bench.pc.ack = ring.head
    bench.run(100)
    assert not ring.overflowed
    assert bench.command(1, 1) is CommandStatus.DROPPED


@clause("ID-1", "START-5")
def test_a_restart_has_another_epoch_and_remembers_nothing() -> None:
    bench = Bench(settings=PlcSettings(epoch=0xFFFE)).ready()
    assert bench.program.epoch == 0xFFFF
    bench.put()
    bench.run(1000)
    bench.pc.alive = False
    bench.program.restart()
    with pytest.raises(ModbusRefused):
        bench.program.read(0, 1)
    bench.out, bench.wake = bench.program.update(bench.sensors())
    assert bench.out == bench.program.off()
    assert bench.program.epoch == 1, "0 is no epoch"
    assert bench.status("ring_head") == 0
    assert bench.program.read(64, 10) == (0,) * 10
    assert bench.program.read(4096, 12) == (0,) * 12
    assert bench.status("last_seq") == 0
    assert bench.status("plc_ms") == 0
    bench.read_to = 0
    bench.pc.alive = True
    bench.parcels.clear()
    bench.ready()
    bench.put()
    bench.run(400)
    assert bench.entries()[0].number == 1


def test_where_only_time_passes_a_tick_shows_what_an_update_would() -> None:
    ticked, updated = Bench().ready(), Bench().ready()
    for bench in (ticked, updated):
        bench.put()
        bench.run(300)
        assert bench.wake is not None
        bench.now_us += 1_000
        bench.ticks += 1
        assert bench.wake > bench.now_us
    assert ticked.program.tick(ticked.now_us, ticked.ticks)
    updated.program.update(updated.sensors())
    assert ticked.program.read(16, 22) == updated.program.read(16, 22)


def test_a_tick_is_refused_where_something_is_due() -> None:
    bench = Bench().ready()
    assert bench.wake is not None
    assert not bench.program.tick(bench.wake, bench.ticks)
    bench.program.restart()
    assert not bench.program.tick(bench.now_us, bench.ticks), "it does not run"


@clause("ID-3")
def test_numbers_count_inductions() -> None:
    bench = Bench().ready()
    for _ in range(3):
        bench.put(200)
        bench.run(1000)
    inducted = [entry.number for entry in bench.entries() if entry.point == 1]
    assert inducted == [1, 2, 3]
