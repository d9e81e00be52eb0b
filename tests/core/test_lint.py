"""The proof of the three lines: the figures that docs/line-configuration.md promises."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.topology import ScaleKind
from edge.model.units import Mm
from edge.model.verdict import Reason
from line_config import LineDescription, load_line, proof
from line_config.lint import findings, lint
from line_config.packaged import packaged
from line_config.problems import LineConfigError
from line_config.reachable import reachable
from line_config.report import render_report
from line_config.topology_lint import belt_graph
from tests.clauses import clause


@pytest.fixture(scope="module")
def demo() -> LineDescription:
    return load_line("demo")


@pytest.mark.parametrize("name", ["demo", "camera", "small", "fast", "loop", "tunnel"])
def test_the_packaged_lines_hold(name: str) -> None:
    report = lint(load_line(name))
    assert report.findings == ()
    assert report.possible_per_h >= report.nominal_per_h
    assert all(one.slack_mm >= 0 for one in report.exits)


@clause("CMD-16")
@pytest.mark.parametrize(
    ("name", "commit", "deadline"), [("demo", 256, 428), ("small", 180, 267), ("fast", 156, 348)]
)
def test_commit_point_and_deadline_of_every_exit(name: str, commit: int, deadline: int) -> None:
    for one in lint(load_line(name)).exits:
        assert one.position_mm - one.commit_mm == commit
        assert one.position_mm - one.deadline_mm == deadline


@clause("LINK-7")
@pytest.mark.parametrize(("name", "largest"), [("demo", 41), ("small", 200), ("fast", 26)])
def test_slowest_plc_that_each_line_bears(name: str, largest: int) -> None:
    line = load_line(name)
    assert lint(line).link.largest_turnaround_ms == largest
    assert proof.bears(line, largest)
    assert not proof.bears(line, largest + 1) or largest == 200


@pytest.mark.parametrize(("name", "largest"), [("demo", 41), ("fast", 26)])
def test_the_slowest_plc_loads_and_a_slower_one_is_refused(name: str, largest: int) -> None:
    def problems(turnaround: int) -> list[str]:
        settings = (f"plc.turnaround_ms={turnaround}", "plc.heartbeat_ms=2000")
        return [problem.path for problem in findings(load_line(name, settings, proved=False))]

    assert problems(largest) == []
    assert problems(largest + 1) == ["plc.turnaround_ms"]


def test_the_small_line_runs_with_a_plc_of_200_ms_when_it_says_its_time_out() -> None:
    settings = ["plc.turnaround_ms=200", "plc.timeout_ms=600", "plc.heartbeat_ms=1800"]
    line = load_line("small", settings)
    assert (line.plc.timeout_ms, line.plc.cycle_ms) == (600, 600)
    assert lint(line).possible_per_h == 467


@clause("LINK-6")
def test_heartbeat_limit_is_shown_in_millimetres(demo: LineDescription) -> None:
    link = lint(demo).link
    assert (link.heartbeat_ms, link.heartbeat_needed_ms, link.heartbeat_mm) == (450, 310, 851)


@clause("DIV-8")
@pytest.mark.parametrize(
    ("name", "needed", "gap"), [("demo", 577, 700), ("small", 815, 2200), ("fast", 286, 300)]
)
def test_every_diverter_has_the_gap_to_change_sides(name: str, needed: int, gap: int) -> None:
    report = lint(load_line(name))
    assert {(one.gap_needed_mm, one.gap_mm) for one in report.diverters} == {(needed, gap)}
    assert "needs a gap of" in render_report(report)


@clause("LINK-12")
@pytest.mark.parametrize(
    ("name", "uncertainty", "needed"), [("demo", 86, 412), ("small", 40, 300), ("fast", 42, 184)]
)
def test_the_gap_is_larger_than_a_codes_uncertainty(name: str, uncertainty: int, needed: int) -> None:
    (reader,) = lint(load_line(name)).readers
    assert (reader.uncertainty_mm, reader.gap_needed_mm) == (uncertainty, needed)
    assert reader.gap_mm > reader.gap_needed_mm


def test_weighing_of_the_three_lines() -> None:
    belt = lint(load_line("demo")).weighing
    assert belt is not None
    assert (belt.kind, belt.time_ms, belt.length_min_mm, belt.length_mm, belt.length_max_mm) == (
        ScaleKind.BELT,
        280,
        904,
        960,
        1096,
    )
    assert (belt.samples, belt.samples_needed) == (6, 5)
    static = lint(load_line("small")).weighing
    assert static is not None
    assert (static.kind, static.time_ms, static.length_mm) == (ScaleKind.STATIC, 1100, 800)
    assert lint(load_line("fast")).weighing is None


@clause("ZONE-6")
def test_a_static_scale_limits_the_flow() -> None:
    line = load_line("small", ["line.nominal_per_h=540"], proved=False)
    (problem,) = findings(line)
    assert problem.path == "line.nominal_per_h"
    assert "holds each parcel 1100 ms let 537 parcels/h through" in problem.what


def test_a_static_scale_needs_a_gap_in_which_it_returns_to_zero() -> None:
    """800 mm of scale, and 525 mm/s for 1100 ms of hold, 400 ms of settling and filter, two readings."""
    assert proof.clear_gap_mm(load_line("small").topology) == 1_640
    (problem,) = findings(load_line("small", ["line.gap_min_mm=1639"], proved=False))
    assert problem.path == "line.gap_min_mm"
    assert "need 1640 mm" in problem.what
    assert findings(load_line("small", ["line.gap_min_mm=1640"], proved=False)) == []
    assert proof.clear_gap_mm(load_line("demo").topology) == 0


def test_a_static_scale_needs_frames_that_say_when_it_stands_still() -> None:
    (problem,) = findings(load_line("small", ["scale.device=yaohua_xk3190_a9"], proved=False))
    assert problem.path == "scale.device"
    assert "do not say when the weight stands still" in problem.what


def test_what_a_scale_is_checked_with_is_something_that_it_weighs() -> None:
    wrong = ["scale.zero_g=4", "scale.checks.check-2kg.weight_g=20"]
    found = findings(load_line("small", wrong, proved=False))
    assert [one.path for one in found] == ["scale.checks.check-2kg.weight_g", "scale.zero_g"]


@clause("END-2", "FULL-4")
def test_chutes_and_the_end_have_room_for_what_is_under_way(demo: LineDescription) -> None:
    chutes = {chute.id: chute for chute in demo.topology.chutes}
    assert proof.reserve_needed(demo.topology, chutes["008"], 2000) == 9  # type: ignore[index]
    assert proof.reserve_needed(demo.topology, chutes["END"], 2000) == 11  # type: ignore[index]
    tight = load_line("demo", ["chutes.008.reserve=8", "chutes.END.reserve=10"], proved=False)
    assert [problem.path for problem in findings(tight)] == ["chutes.008.reserve", "chutes.END.reserve"]


def test_invariants_that_a_line_cannot_have() -> None:
    assert [one.invariant for one in lint(load_line("fast")).not_applicable] == [2, 3]
    assert lint(load_line("demo")).not_applicable == ()


def test_a_faster_timing_never_fails_where_a_slower_one_holds(demo: LineDescription) -> None:
    held = [proof.bears(demo, turnaround) for turnaround in range(1, 201)]
    assert held == sorted(held, reverse=True)


def test_two_transactions_a_cycle_where_the_plc_does_not_answer_fc23(demo: LineDescription) -> None:
    registers = replace(demo.plc.registers, read_write=False)
    slower = replace(demo.topology, plc=replace(demo.plc, registers=registers))
    assert proof.link_load(slower) - proof.link_load(demo.topology) == 50


def test_the_graph_reaches_every_chute_and_the_end_without_a_diverter(demo: LineDescription) -> None:
    graph = belt_graph(demo.file)
    assert graph.has_edge("end", "chute END")
    assert graph.has_edge("diverter d4", "exit x8")
    assert not [node for node in graph if node != "induction" and graph.in_degree(node) == 0]


def test_a_broken_line_still_gets_its_report() -> None:
    line = load_line("demo", ["scale.infeed_eye=scale_out", "eyes.end.role=tracking"], proved=False)
    report = lint(line)
    assert len(report.findings) >= 3
    text = render_report(report)
    assert f"{len(report.findings)} findings" in text
    assert all(str(problem) in text for problem in report.findings)


def test_the_demo_report() -> None:
    text = render_report(load_line("demo")).splitlines()
    assert text[0].startswith("line demo (")
    assert text[1:7] == [
        "  PLC map version 1, hash 0x02D902A9",
        "  belt 1800 mm/s, proved for v_max 1890 mm/s",
        "  parcels/h: nominal 6400, possible 6480",
        "  everything known by 2480 mm, decision at 3000 mm",
        "  exits (mm):",
        "    no  id        position   commit  deadline     slack  chutes",
    ]
    assert text[7] == "     1  x1            4000     3744      3572       572  001"
    assert text[-1] == "the line holds"
    assert "  link: PLC answers in 5 ms, may take 41 ms at most" in text
    assert "  not applicable: invariant 2, alone_on_scale: the line has no scale" in render_report(
        load_line("fast")
    )


def test_reasons_are_worked_out_of_the_description() -> None:
    demo, fast = load_line("demo").topology, load_line("fast").topology
    weight = {
        Reason.WEIGHT_INVALID,
        Reason.WEIGHT_MISMATCH,
        Reason.OVERWEIGHT,
        Reason.SCALE_CHECK_PARCEL,
    }
    review = {Reason.NOT_REVIEWED, Reason.SKU_MISSING, Reason.SKU_EXTRA}
    assert set(reachable(demo)) - set(reachable(fast)) == weight | review
    assert Reason.OVERSIZE not in reachable(replace(demo, length_mean_mm=Mm(210)))
    assert list(reachable(demo)) == [reason for reason in Reason if reason in reachable(demo)]
    count = len(reachable(fast))
    assert f"  {count} exit reasons can be reached: ok, no_read" in render_report(load_line("fast"))


LOOP_TEXT = packaged("lines", "loop.yaml").read_text("utf-8")
SECTION = "recirculation: {chute: LOOP, limit: 3, back_mm: 12000}\n"


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        (SECTION, "", "chutes.LOOP.kind", "nothing says when"),
        ("kind: recirculation", "kind: reject", "recirculation.chute", "is not of kind recirculation"),
        (
            SECTION,
            SECTION + "reasons: [{reason: no_read, chute: LOOP}]\n",
            "reasons[0].chute",
            "circulate for ever",
        ),
        ("chute: END", "chute: LOOP", "default_exception_chute", "circulate for ever"),
    ],
)
def test_a_loop_that_would_not_hold(tmp_path: Path, old: str, new: str, path: str, what: str) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(LOOP_TEXT.replace(old, new), "utf-8")
    found = findings(load_line(str(file), proved=False))
    assert [(one.path, what in one.what) for one in found] == [(path, True)]


@pytest.mark.parametrize("reason", ["cancelled", "gap_too_small", "ok"])
def test_what_does_not_heal_by_itself_cannot_go_round(tmp_path: Path, reason: str) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(LOOP_TEXT.replace("back_mm: 12000", f"back_mm: 12000, reasons: [{reason}]"), "utf-8")
    with pytest.raises(LineConfigError) as raised:
        load_line(str(file))
    assert "recirculation.reasons" in str(raised.value)


def test_a_loop_keeps_apart_what_nobody_can_count() -> None:
    loop = load_line("loop").topology.recirculation
    assert loop is not None
    assert (loop.chute, loop.limit, loop.back_mm) == ("LOOP", 3, 12_000)
    assert loop.apart == (7_000 + 750 + 12_000) // (200 + 700) + 12 + 1
    assert Reason.NO_READ in loop.reasons
    assert Reason.MAX_RECIRCULATION in reachable(load_line("loop").topology)
    assert Reason.MAX_RECIRCULATION not in reachable(load_line("demo").topology)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("from_mm: 2500", "from_mm: 2600", "guard_zones.sorter.from_mm"),
        ("to_mm: 8000", "to_mm: 7900", "guard_zones.sorter.to_mm"),
        ("from_mm: 0, to_mm: 2500", "from_mm: 100, to_mm: 2500", "guard_zones.placing.from_mm"),
    ],
)
def test_guard_zones_cover_the_belt(tmp_path: Path, old: str, new: str, path: str) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(LOOP_TEXT.replace(old, new), "utf-8")
    assert [one.path for one in findings(load_line(str(file), proved=False))] == [path]


def test_guard_zones_are_part_of_what_the_plc_must_agree_on() -> None:
    open_, shut = (
        load_line("loop", [f"guard_zones.placing.guarded={word}"], proved=False) for word in ("false", "true")
    )
    assert [one.guarded for one in open_.topology.guard_zones] == [False, True]
    assert open_.topology.map_hash != shut.topology.map_hash
