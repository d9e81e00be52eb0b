"""Several readers and codes: who is chosen, what contradicts it, and what the record says of each code."""

from dataclasses import replace

import pytest

from edge.core.layout import Layout
from edge.model.alarm import AlarmKind
from edge.model.codes import CodeStanding, ReadProof, ReadQuality, ReadRule, Symbology
from edge.model.coding import CodingOutcome
from edge.model.commands import LookUp, Revoke
from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import DeviceId, ReaderId
from edge.model.records import ChoiceChanged, Exited, Identified
from edge.model.topology import Reader, ReadingPoint, Topology
from edge.model.units import Mm
from edge.model.verdict import Reason
from line_config.reading import proof_texts, reading_texts
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, Body, order, waybill

FOREIGN = "DPK202013661919"
TOP = DEMO.readers[0]


def reader(name: str, position_mm: int, *, needed: bool = True) -> Reader:
    return replace(TOP, id=ReaderId(name), device=DeviceId(name), position_mm=Mm(position_mm), needed=needed)


SIDE, SECOND, CHECK = reader("side", 760), reader("second", 1_000), reader("check", 3_200, needed=False)
"""One that looks at the same spot from the side, one after it, and one behind the decision."""
LINE: Topology = replace(DEMO, readers=(TOP, SIDE, SECOND, CHECK))


def bench_of(**shown: tuple[str, ...]) -> CoreBench:
    """One parcel of waybill 1, shown to the readers named; the others see nothing of it."""
    bench = CoreBench(LINE)
    bench.orders[waybill(2)] = order(waybill(2), routing="2")
    bench.orders["OLD-7"] = order("OLD-7", routing="3")
    bench.orders["OLD-8"] = order("OLD-8", routing="4")
    if "known" in shown:
        bench.orders[FOREIGN] = order(FOREIGN, routing="5")
    everywhere = {one.id: shown.get(one.id, ()) for one in LINE.readers}
    bench.parcel(1, codes=(), shown=everywhere)
    bench.run(12_000)
    return bench


def standings(row: Identified | ChoiceChanged) -> dict[str, tuple[CodeStanding, tuple[str, ...]]]:
    return {code.text: (code.standing, code.readers) for code in row.codes}


def test_readers_whose_fields_touch_are_one_reading_point() -> None:
    points = Layout(LINE).point_of
    assert points == {"top": 0, "side": 0, "second": 1, "check": 2}
    point = ReadingPoint(id="tunnel", readers=(SIDE.id, SECOND.id), at_least=1)
    joined = Layout(replace(LINE, reading_points=(point,))).point_of
    assert joined == {"top": 0, "side": 0, "second": 0, "check": 2}, "as the line describes it, too"


OWN, OTHER = waybill(1), waybill(2)
TABLE: list[tuple[dict[str, tuple[str, ...]], ReadQuality, ReadRule, Reason]] = [
    ({"top": (OWN,)}, ReadQuality.GOOD, ReadRule.ONE_FITS, Reason.OK),
    ({"second": (OWN,)}, ReadQuality.GOOD, ReadRule.ONE_FITS, Reason.OK),
    ({"top": (OWN,), "second": (OWN,), "check": (OWN,)}, ReadQuality.GOOD, ReadRule.ONE_FITS, Reason.OK),
    ({"top": (OWN,), "side": (OTHER,)}, ReadQuality.MULTI, ReadRule.TWO_CANDIDATES, Reason.MULTI_READ),
    ({"side": (OWN, OTHER)}, ReadQuality.MULTI, ReadRule.TWO_CANDIDATES, Reason.MULTI_READ),
    ({"top": (OWN,), "second": (OTHER,)}, ReadQuality.MULTI, ReadRule.POINTS_DIFFER, Reason.CODE_CHANGED),
    (
        {"top": (OWN,), "second": (OWN, OTHER)},
        ReadQuality.MULTI,
        ReadRule.TWO_CANDIDATES,
        Reason.MULTI_READ,
    ),
    ({"top": (OWN,), "second": (FOREIGN,)}, ReadQuality.MULTI, ReadRule.POINTS_DIFFER, Reason.CODE_CHANGED),
    ({"top": (OWN, FOREIGN)}, ReadQuality.MULTI, ReadRule.TWO_CANDIDATES, Reason.MULTI_READ),
    ({"top": (FOREIGN,)}, ReadQuality.PARTIAL, ReadRule.ONLY_FOREIGN, Reason.FOREIGN_LABEL),
    ({"top": (FOREIGN, "HZ-3")}, ReadQuality.PARTIAL, ReadRule.ONLY_FOREIGN, Reason.FOREIGN_LABEL),
    ({"top": (FOREIGN,), "known": ()}, ReadQuality.PARTIAL, ReadRule.ONLY_FOREIGN, Reason.OK),
    ({"top": ("HZ-3",)}, ReadQuality.PARTIAL, ReadRule.NONE_FITS, Reason.NO_READ),
    ({"top": ("OLD-7", "HZ-3")}, ReadQuality.PARTIAL, ReadRule.NONE_FITS, Reason.OK),
    ({"top": ("OLD-7", "OLD-8")}, ReadQuality.PARTIAL, ReadRule.NONE_FITS, Reason.MULTI_READ),
    (
        {"top": ("OLD-7",), "second": ("OLD-8",)},
        ReadQuality.PARTIAL,
        ReadRule.NONE_FITS,
        Reason.CODE_CHANGED,
    ),
    ({"top": (OWN,), "second": ("OLD-7",)}, ReadQuality.GOOD, ReadRule.ONE_FITS, Reason.CODE_CHANGED),
    ({}, ReadQuality.NO, ReadRule.NOTHING_READ, Reason.NO_READ),
    ({"top": ("?",)}, ReadQuality.NO, ReadRule.NOTHING_READ, Reason.NO_READ),
    ({"top": ("a", "b", "c"), "second": ("d", "e")}, ReadQuality.MULTI, ReadRule.TOO_MANY, Reason.MULTI_READ),
]


@pytest.mark.parametrize(("shown", "quality", "rule", "reason"), TABLE)
def test_how_several_readers_make_one_read(
    shown: dict[str, tuple[str, ...]], quality: ReadQuality, rule: ReadRule, reason: Reason
) -> None:
    bench = bench_of(**shown)
    row = bench.the(Identified)
    assert (row.quality, row.why, row.by_deadline) == (quality, rule, False)
    end = bench.the(Exited)
    assert (end.reason, end.shipped) == (reason, reason is Reason.OK)


def test_the_record_says_of_each_code_who_saw_it_and_what_became_of_it() -> None:
    bench = bench_of(top=(OWN, "NoRead", "HZ-3"), side=(OWN,), second=("OLD-7",))
    assert standings(bench.the(Identified)) == {
        OWN: (CodeStanding.CHOSEN, ("top", "side")),
        "NoRead": (CodeStanding.NO_READ_TEXT, ("top",)),
        "HZ-3": (CodeStanding.ASKED, ("top",)),
        "OLD-7": (CodeStanding.ASKED, ("second",)),
    }
    changed = bench.the(ChoiceChanged)
    assert (changed.why, changed.quality) == (ReadRule.POINTS_DIFFER, ReadQuality.MULTI)
    assert standings(changed) == {
        OWN: (CodeStanding.CHOSEN, ("top", "side")),
        "NoRead": (CodeStanding.NO_READ_TEXT, ("top",)),
        "HZ-3": (CodeStanding.NO_WAYBILL, ("top",)),
        "OLD-7": (CodeStanding.KNOWN, ("second",)),
    }


def test_why_the_others_were_not_chosen() -> None:
    rejected = bench_of(top=(OWN, FOREIGN)).the(Identified)
    assert standings(rejected) == {
        OWN: (CodeStanding.CANDIDATE, ("top",)),
        FOREIGN: (CodeStanding.FOREIGN, ("top",)),
    }
    bench = CoreBench(LINE)
    bench.parcel(1, symbology=Symbology.EAN13)
    bench.run(12_000)
    assert [code.standing for code in bench.the(Identified).codes] == [CodeStanding.SYMBOLOGY]


def test_goods_codes_are_never_waybills_whatever_a_line_says() -> None:
    line = replace(DEMO, read=replace(DEMO.read, symbologies=(Symbology.EAN13, Symbology.CODE128)))
    bench = CoreBench(line)
    bench.parcel(1, symbology=Symbology.EAN13)
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.NO_READ


@pytest.mark.parametrize(
    ("shown", "changes"),
    [
        ({"top": ("OLD-7",)}, [ReadRule.ONE_KNOWN]),
        ({"top": ("HZ-3",)}, [ReadRule.NONE_KNOWN]),
        ({"top": (FOREIGN,)}, [ReadRule.FOREIGN]),
        ({"top": ("OLD-7", "OLD-8")}, [ReadRule.ONE_KNOWN, ReadRule.TWO_CANDIDATES]),
        ({"top": (OWN, "HZ-3")}, []),
    ],
)
def test_what_the_look_up_makes_of_the_choice_is_on_record(
    shown: dict[str, tuple[str, ...]], changes: list[ReadRule]
) -> None:
    assert [row.why for row in bench_of(**shown).records(ChoiceChanged)] == changes


def test_a_reader_behind_the_decision_takes_back_what_was_told() -> None:
    bench = bench_of(top=(OWN,), check=(OTHER,))
    assert len(bench.commands(Revoke)) == 1
    assert bench.the(ChoiceChanged).why is ReadRule.POINTS_DIFFER
    assert bench.the(Exited).reason is Reason.CODE_CHANGED


def test_a_reader_behind_the_decision_identifies_nobody() -> None:
    bench = bench_of(check=(OWN,))
    assert bench.commands(LookUp) == []
    assert bench.the(Exited).reason is Reason.NO_READ


@pytest.mark.parametrize(("name", "reason"), [("second", Reason.POSITION_UNKNOWN), ("check", Reason.OK)])
def test_only_a_reader_that_is_waited_for_is_missed(name: str, reason: Reason) -> None:
    bench = CoreBench(LINE)
    bench.parcel(1)
    bench.post(DeviceWentDown(at_us=bench.at_us, device=DeviceId(name), why="cable"))
    bench.run(12_000)
    assert bench.the(Exited).reason is reason
    away = reason is not Reason.OK
    assert (bench.the(Identified).why is ReadRule.READER_AWAY) is away


def tunnel(at_least: int) -> Topology:
    """The first reader and the second, which stands farther on, as one reading point."""
    point = ReadingPoint(id="tunnel", readers=(TOP.id, SECOND.id), at_least=at_least)
    return replace(DEMO, readers=(TOP, SECOND), reading_points=(point,))


def through_tunnel(away: tuple[str, ...], at_least: int = 1, **shown: tuple[str, ...]) -> CoreBench:
    """Parcel 1 goes through it; the readers of ``away`` are not there."""
    bench = CoreBench(tunnel(at_least))
    bench.orders[OTHER] = order(OTHER, routing="2")
    for name in away:
        bench.post(DeviceWentDown(at_us=bench.at_us, device=DeviceId(name), why="cable"))
    seen = {ReaderId(name): () if name in away else shown.get(name, ()) for name in ("top", "second")}
    bench.parcel(1, codes=(), shown=seen)
    bench.run(12_000)
    return bench


BOTH = ("top", "second")
FUSED: list[tuple[tuple[str, ...], int, dict[str, tuple[str, ...]], ReadRule, Reason]] = [
    ((), 1, {"top": (OWN,), "second": (OWN,)}, ReadRule.ONE_FITS, Reason.OK),
    ((), 2, {"second": (OWN,)}, ReadRule.ONE_FITS, Reason.OK),
    ((), 1, {"top": (OWN,), "second": (OTHER,)}, ReadRule.TWO_CANDIDATES, Reason.MULTI_READ),
    ((), 1, {}, ReadRule.NOTHING_READ, Reason.NO_READ),
    (("second",), 1, {"top": (OWN,)}, ReadRule.ONE_FITS, Reason.OK),
    (("top",), 1, {"second": (OWN,)}, ReadRule.ONE_FITS, Reason.OK),
    (("top",), 2, {"second": (OWN,)}, ReadRule.READER_AWAY, Reason.POSITION_UNKNOWN),
    (("top",), 1, {"second": (OWN, OTHER)}, ReadRule.TWO_CANDIDATES, Reason.MULTI_READ),
    (("second",), 1, {"second": (OWN,)}, ReadRule.NOTHING_READ, Reason.NO_READ),
    (BOTH, 1, {"top": (OWN,)}, ReadRule.NOTHING_READ, Reason.NO_READ),
]


@pytest.mark.parametrize(("away", "at_least", "shown", "rule", "reason"), FUSED)
def test_readers_of_one_point_are_one_read_and_stand_in_for_each_other(
    away: tuple[str, ...],
    at_least: int,
    shown: dict[str, tuple[str, ...]],
    rule: ReadRule,
    reason: Reason,
) -> None:
    bench = through_tunnel(away, at_least, **shown)
    row = bench.the(Identified)
    assert (row.why, row.away) == (rule, away)
    assert bench.the(Exited).reason is reason
    standing = bench.core.state.alarms.values()
    assert sorted(one.subject for one in standing if one.kind is AlarmKind.READER_DOWN) == sorted(away)


def test_the_record_says_which_reader_of_a_point_saw_which_code() -> None:
    row = through_tunnel((), top=(OWN, "HZ-3"), second=(OWN,)).the(Identified)
    assert standings(row)[OWN] == (CodeStanding.CHOSEN, BOTH)
    assert standings(row)["HZ-3"][1] == ("top",)


def test_one_that_came_back_as_the_parcel_was_before_it_was_away() -> None:
    bench = CoreBench(tunnel(1))
    bench.post(DeviceWentDown(at_us=bench.at_us, device=DeviceId("second"), why="cable"))
    bench.parcel(1)
    bench.run(1_000)
    bench.post(DeviceWentUp(at_us=bench.at_us, device=DeviceId("second")))
    bench.parcel(2)
    bench.run(12_000)
    assert [row.away for row in bench.records(Identified)] == [("second",), ()]


def late(bench: CoreBench, body: Body, *codes: str) -> None:
    other = Body(number=body.number, at=body.at, codes=codes)
    bench.read(other, body.at + bench.ticks(800))


def test_a_first_code_that_comes_late_but_before_the_decision_is_chosen() -> None:
    bench = CoreBench()
    body = bench.parcel(1, codes=())
    bench.run(2_000)
    assert bench.the(Identified).why is ReadRule.NOTHING_READ
    late(bench, body, OWN)
    late(bench, body, OWN)
    bench.run(12_000)
    assert (bench.the(ChoiceChanged).why, bench.the(ChoiceChanged).waybill) == (ReadRule.ONE_FITS, OWN)
    assert len(bench.commands(LookUp)) == 1
    assert bench.the(Exited).shipped


def test_a_late_code_beside_an_open_look_up_is_chosen_and_asked_for() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    body = bench.parcel(1, codes=("HZ-3",))
    bench.run(2_000)
    late(bench, body, OWN)
    assert [one.waybill for one in bench.commands(LookUp)] == ["HZ-3", OWN]
    for asked in bench.commands(LookUp):
        bench.look_up(asked)
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_late_code_of_no_pattern_changes_nothing() -> None:
    bench = CoreBench()
    body = bench.parcel(1, codes=())
    bench.run(2_000)
    late(bench, body, "HZ-3")
    bench.run(12_000)
    assert bench.records(ChoiceChanged) == []
    assert bench.the(Exited).reason is Reason.NO_READ


def test_a_late_code_of_a_parcel_with_a_flaw_is_not_chosen() -> None:
    bench = CoreBench()
    body = bench.parcel(1, codes=(), length_mm=440)
    bench.run(2_300)
    late(bench, body, OWN)
    bench.run(12_000)
    assert bench.records(ChoiceChanged) == []
    assert bench.the(Exited).reason is Reason.OVERSIZE


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_rule_and_every_standing_has_its_words(language: str) -> None:
    rules, standing, outcomes = reading_texts(language)
    assert set(outcomes) == set(CodingOutcome)
    assert set(rules) == set(ReadRule)
    assert set(standing) == set(CodeStanding)
    assert set(proof_texts(language)) == set(ReadProof)
    assert all(any(ord(letter) > 0x2E80 for letter in text) is (language == "zh") for text in rules.values())
