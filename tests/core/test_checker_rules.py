"""The checker's net: a clean run passes, and each planted violation is caught by its invariant."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.divert import CommandStatus
from edge.model.topology import ChuteKind, Recirculation
from edge.model.units import Mm
from edge.model.verdict import Reason
from line_config.reachable import reachable
from simulators.world.checker import Report
from simulators.world.findings import INVARIANTS
from simulators.world.truth import (
    Carried,
    CommandJudged,
    CommandWritten,
    EncoderLied,
    HeartbeatMoved,
    LaneFull,
    Left,
    PlcAway,
    PlcStarted,
    PlcStopped,
    Removed,
    Swapped,
)
from tests.core.checker_kit import Body, Run, S, Story, bench_line


def cancel(n: int, at_us: int, outcome: str, *, final: bool = True) -> tuple[str, Body]:
    body = {
        "at_us": at_us,
        "inbox_seq": n,
        "message_id": f"m{n}",
        "order_no": f"o{n}",
        "outcome": outcome,
        "track": n,
        "place": "",
        "final": final,
    }
    return "CancelAnswered", body


def fact_of(story: Story, name: str) -> int:
    return story.facts[name].at_us


def clean(folder: Path) -> Run:
    """Three parcels that ship, one rejected, one taken off, a cancel of each outcome."""
    gone = Story(5).to_the_end("lost").without("left", "exited")
    gone.facts["removed"] = Removed(gone.t + 2_000_000, 5, 3000, -1, ())
    gone.rows["missing"] = (
        "Missing",
        {
            "track": 5,
            "at_us": gone.t + 4_000_000,
            "waybill": "W5",
            "reason": "lost",
            "last_eye": 3,
            "counts_as_shipped": False,
        },
    )
    rejected = Story(4).to_the_end("cancelled")
    run = Run(folder, Story(1), Story(2), Story(3), rejected, gone)
    first = run.stories[0]
    run.rows.append(cancel(1, first.t + 5 * S, "too_late"))
    run.rows.append(cancel(4, rejected.t + 100_000, "accepted"))
    run.rows.append(cancel(3, rejected.t + 200_000, "pending", final=False))
    return run


def test_a_clean_run_passes_and_evaluates_everything_it_can(tmp_path: Path) -> None:
    report = clean(tmp_path).check()
    assert report.violations == ()
    assert report.violated == {}
    silent = {name for name, n in report.checked.items() if not n}
    assert silent == {"clock_free", "access", "gap", "one_label", "recirculation"}
    assert report.checked["recirculation"] is None, "this line has no loop"
    assert report.checked["clock_free"] == 0, "a simulation that did not replay has to fail for it"
    assert set(report.checked) == set(INVARIANTS)


def test_the_summary_counts_the_world(tmp_path: Path) -> None:
    run = clean(tmp_path)
    run.facts.append(PlcAway(run.stories[1].t + 1_710_000, run.stories[1].t + 1_715_000, "silent"))
    run.stories[2].row("timed", decide_to_told_us=20_000, plc_wait_us=9_000)
    summary = run.check().summary
    assert summary == {
        "parcels": 5,
        "inserted": 0,
        "recirculated": 0,
        "exited": 4,
        "mis_sorted": 0,
        "lost": 0,
        "unverified_shipped": 0,
        "cancelled_shipped": 0,
        "undetectable": 0,
        "forced_mis_sorts": 0,
        "reviewed": 5,
        "review_rejected": 0,
        "read_rate": 1.0,
        "by_reason": {"cancelled": 1, "lost": 1, "ok": 3},
        "never_reached": [one for one in reachable(bench_line()) if one not in ("cancelled", "lost", "ok")],
        "by_chute": {"001": 3, "end": 1},
        "decide_to_told_ms": {"p50": 12.0, "p99": 20.0, "max": 20.0},
        "plc_wait_ms": {"p50": 7.0, "p99": 9.0, "max": 9.0},
        "told_while_down": {"n": 1, "max_ms": 12.0},
    }


def test_laps_are_counted_and_one_that_nobody_counts_may_lie_between_two(tmp_path: Path) -> None:
    run = clean(tmp_path)
    looping(run, 3)
    report = run.check()
    assert report.violated == {}
    assert report.checked["recirculation"] == 3
    counts = [report.summary[name] for name in ("parcels", "recirculated", "exited")]
    assert counts == [6, 2, 4]


def test_judging_on_the_way_gives_the_same_report(tmp_path: Path) -> None:
    once, stepwise = clean(tmp_path), clean(tmp_path)
    stepwise.steps = True
    assert once.check() == stepwise.check()


# --- planted violations: what is done to the clean run, and which invariant must catch it -----------------


def unreviewed(run: Run) -> None:
    run.stories[0].without("work_left")


def reviewed_too_late(run: Run) -> None:
    story = run.stories[0]
    story.row("work_left", at_us=story.t + 1_650_000)


def reopened(run: Run) -> None:
    story = run.stories[0]
    run.rows.append(("ReviewReopened", {"at_us": story.t - S, "inbox_seq": 1, "order_no": "o1", "by": "Li"}))


def passed_with_one_short(run: Run) -> None:
    run.stories[1].fact("moved", lay=(("A", "690A", 1),))


def failed_though_right(run: Run) -> None:
    lacks = [{"sku": "A", "code": "", "qty": 1}]
    run.stories[1].row("reviewed", reason="sku_missing", missing=lacks)


def told_the_wrong_piece(run: Run) -> None:
    extra = [{"sku": "", "code": "690X", "qty": 1}]
    story = run.stories[1].row("reviewed", reason="sku_extra", extra=extra)
    story.fact("moved", lay=(("A", "690A", 2), ("B", "690B", 1)))


def judged_where_nothing_lay(run: Run) -> None:
    run.stories[1].without("moved")


def undecided(run: Run) -> None:
    run.stories[0].without("decided")


def decided_for_another_chute(run: Run) -> None:
    run.stories[0].row("decided", exit=2, chute="002")


def recorded_shipped_elsewhere(run: Run) -> None:
    run.stories[0].row("exited", chute="002")


def neighbour_on_scale(run: Run) -> None:
    story = run.stories[0]
    story.fact("on_scale", alone_to_us=story.t + 1_000_000)


def never_on_scale(run: Run) -> None:
    run.stories[0].without("on_scale")


def weight_of_another(run: Run) -> None:
    run.stories[0].row("weighed", reading={"grams": 1_200, "quality": "good", "spread_g": 1, "samples": 9})


def ended_twice(run: Run) -> None:
    story = run.stories[0]
    kind, body = story.rows["exited"]
    story.rows["again"] = (kind, {**body, "at_us": body["at_us"] + S})


def code_of_another(run: Run) -> None:
    run.stories[0].row("decided", waybill="W2")


def never_tracked(run: Run) -> None:
    story = run.stories[0]
    story.to_the_end("ok")
    story.rows.clear()


def phantom_induction(run: Run) -> None:
    story = run.stories[0]
    story.row("opened", ticks=story.ticks + 500)


def recorded_at_another_place(run: Run) -> None:
    run.stories[3].fact("left", exit=4)
    story = run.stories[3]
    story.facts["written"] = CommandWritten(story.t + 1, 1, 4, 4, False, 4, 1)
    story.facts["judged"] = CommandJudged(story.t + 2, 1, 4, 4, False, 4, CommandStatus.APPLIED)


def open_for_ever(run: Run) -> None:
    run.stories[0].without("exited")


def decided_twice(run: Run) -> None:
    story = run.stories[0]
    kind, body = story.rows["decided"]
    story.rows["redecided"] = (kind, {**body, "at_us": body["at_us"] + 10_000, "exit": 1})


def told_before_commit(run: Run) -> None:
    story = run.stories[0]
    story.fact("written", at_us=story.rows["decided"][1]["at_us"] + 100)


def command_without_track(run: Run) -> None:
    run.facts.append(CommandWritten(20 * S, 1, 99, 1, False, 99, 1))


def revoke_without_record(run: Run) -> None:
    story = run.stories[0]
    story.facts["revoke"] = CommandWritten(story.t + 1_800_000, 1, 1, 5, True, 50, 1)


def told_and_never_accepted(run: Run) -> None:
    run.stories[0].without("judged").to_the_end("ok")
    run.stories[0].rows.update(Story(1).rows)


def told_another_exit(run: Run) -> None:
    run.stories[0].row("told", exit=3)


def carried_twice(run: Run) -> None:
    story = run.stories[0]
    carried = story.facts["carried"]
    assert isinstance(carried, Carried)
    story.facts["again"] = replace(carried, at_us=carried.at_us + 1)


def applied_for_two_exits(run: Run) -> None:
    story = run.stories[0]
    story.facts["second"] = CommandJudged(story.t + 1_800_000, 1, 1, 2, False, 60, CommandStatus.APPLIED)


def fired_twice(run: Run) -> None:
    story = run.stories[0]
    kind, body = story.rows["fired"]
    story.rows["fired again"] = (kind, {**body, "at_us": body["at_us"] + 1})


def row_changed(run: Run) -> None:
    run.spoil_file = lambda file: file.execute(
        "UPDATE event SET body = replace(body, '001', '002') WHERE kind = 'Decided' AND track = 1"
    )


def row_dropped(run: Run) -> None:
    run.spoil_file = lambda file: file.execute("DELETE FROM event WHERE kind = 'ToldTimed' AND track = 2")


def a_frame_of_the_parcel_before(run: Run) -> None:
    story = run.stories[1]
    story.row("samples", samples=[{"at_us": story.t + 400_000, "grams": 1_000, "state": "ok"}])


def frames_with_a_gap(run: Run) -> None:
    story = run.stories[1]
    samples = [{"at_us": story.t + us, "grams": 1_000, "state": "ok"} for us in (980_000, 1_200_000)]
    story.row("samples", samples=samples)


def a_zero_that_was_never_seen(run: Run) -> None:
    run.rows = [row for row in run.rows if row[0] != "ScaleZeroed"]


def a_zero_of_yesterday(run: Run) -> None:
    run.rows.append(("ScaleZeroed", {"at_us": 400_000 - 700 * S, "good": True}))
    run.rows = [row for row in run.rows if row != ("ScaleZeroed", {"at_us": 400_000, "good": True})]


def an_order_of_an_earlier_track(run: Run) -> None:
    story = run.stories[1]
    story.row("found", at_us=story.t + 200_000)


def accepted_and_shipped(run: Run) -> None:
    run.rows.append(cancel(2, run.stories[1].t + 1_650_000, "accepted"))


def accepted_after_it_shipped(run: Run) -> None:
    run.rows.append(cancel(2, run.stories[1].t + 4 * S, "accepted"))


def too_late_for_nothing(run: Run) -> None:
    run.rows.append(cancel(3, run.stories[2].t + 1_000_000, "too_late"))
    run.stories[2].to_the_end("ok")


def same_waybill_twice(run: Run) -> None:
    for story in run.stories[:2]:
        story.fact("placed", waybill="W1", candidates=("W1",))
        story.row("decided", waybill="W1")


def dead_heartbeat(run: Run) -> None:
    story = run.stories[0]
    dead = range(story.t + 1_000_000, story.t + 5_000_000)
    run.facts = [one for one in run.facts if type(one) is not HeartbeatMoved or one.at_us not in dead]


def diverted_into_a_full_lane(run: Run) -> None:
    run.facts.append(LaneFull(run.stories[0].t - S, 1, True))


def overfilled_lane(run: Run) -> None:
    story = run.stories[0]
    run.facts.append(LaneFull(story.t + 1_000_000, 1, True))
    carried = story.facts["carried"]
    assert isinstance(carried, Carried)
    run.facts += [replace(carried, at_us=carried.at_us + n) for n in range(1, 13)]


def shipped_in_another_epoch(run: Run) -> None:
    at = run.stories[0].t + 1_800_000
    run.facts += [PlcStopped(at), PlcStarted(at + 1_000, 2, 0)]


def shipped_after_a_touch(run: Run) -> None:
    story = run.stories[0]
    story.fact("left", touched_us=story.t + 500_000)


def too_close_and_shipped(run: Run) -> None:
    run.stories[1].fact("inducted", gap_mm=300)
    run.stories[1].to_the_end("gap_too_small")


def two_labels_and_shipped(run: Run) -> None:
    run.stories[0].fact("placed", candidates=("W1", "unknown"))


def diverted_without_a_command(run: Run) -> None:
    run.stories[0].without("written", "judged", "told")


def diverted_after_a_revoke(run: Run) -> None:
    story = run.stories[0]
    story.rows["ordered"] = ("RevokeOrdered", {"track": 1, "at_us": story.t + 1_750_000, "inbox_seq": 1})
    story.facts["revoke"] = CommandWritten(story.t + 1_800_000, 1, 1, 5, True, 50, 1)
    story.facts["revoked"] = CommandJudged(story.t + 1_801_000, 1, 1, 5, True, 50, CommandStatus.APPLIED)


def looping(run: Run, laps: int) -> None:
    """One more parcel, which goes so often into the lane of exit 4, that leads back on this line."""
    chutes = tuple(
        replace(one, kind=ChuteKind.RECIRCULATION) if one.exit == 4 else one for one in run.topology.chutes
    )
    loop = Recirculation(chute=chutes[3].id, limit=1, back_mm=Mm(5_000), apart=20, reasons=(Reason.NO_READ,))
    run.topology = replace(run.topology, chutes=chutes, recirculation=loop)
    again = 0
    for n in range(6, 6 + 2 * laps, 2):
        story = Story(n).fact("placed", again=again)
        for name in ("written", "judged", "carried", "left"):
            story.fact(name, exit=4)
        for name in ("decided", "told", "fired", "exited"):
            story.row(name, exit=4)
        story.row("decided", reason="no_read", waybill="")
        story.row("exited", reason="no_read", shipped=False, counts_as_shipped=False)
        run.stories.append(story)
        again = n


def circulates_for_ever(run: Run) -> None:
    looping(run, 4)


PLANTED: list[tuple[Callable[[Run], None], str]] = [
    (unreviewed, "verified_only"),
    (reviewed_too_late, "verified_only"),
    (reopened, "verified_only"),
    (passed_with_one_short, "true_review"),
    (failed_though_right, "true_review"),
    (told_the_wrong_piece, "true_review"),
    (judged_where_nothing_lay, "true_review"),
    (undecided, "verified_only"),
    (decided_for_another_chute, "verified_only"),
    (recorded_shipped_elsewhere, "verified_only"),
    (neighbour_on_scale, "alone_on_scale"),
    (never_on_scale, "alone_on_scale"),
    (weight_of_another, "true_weight"),
    (ended_twice, "one_end"),
    (code_of_another, "true_identity"),
    (never_tracked, "conservation"),
    (phantom_induction, "conservation"),
    (recorded_at_another_place, "conservation"),
    (open_for_ever, "conservation"),
    (decided_twice, "decide_once"),
    (told_before_commit, "write_ahead"),
    (command_without_track, "write_ahead"),
    (revoke_without_record, "write_ahead"),
    (told_and_never_accepted, "told_matches"),
    (told_another_exit, "told_matches"),
    (carried_twice, "act_once"),
    (applied_for_two_exits, "act_once"),
    (fired_twice, "act_once"),
    (row_changed, "chain"),
    (row_dropped, "chain"),
    (accepted_and_shipped, "cancel"),
    (accepted_after_it_shipped, "cancel"),
    (too_late_for_nothing, "cancel"),
    (same_waybill_twice, "ship_once"),
    (dead_heartbeat, "dead_man"),
    (a_frame_of_the_parcel_before, "fresh_inputs"),
    (frames_with_a_gap, "fresh_inputs"),
    (a_zero_that_was_never_seen, "fresh_inputs"),
    (a_zero_of_yesterday, "fresh_inputs"),
    (an_order_of_an_earlier_track, "fresh_inputs"),
    (diverted_into_a_full_lane, "chute_full"),
    (overfilled_lane, "chute_full"),
    (shipped_in_another_epoch, "plc_epoch"),
    (shipped_after_a_touch, "access"),
    (too_close_and_shipped, "gap"),
    (two_labels_and_shipped, "one_label"),
    (diverted_without_a_command, "default_reject"),
    (diverted_after_a_revoke, "default_reject"),
    (circulates_for_ever, "recirculation"),
]


@pytest.mark.parametrize(("plant", "invariant"), PLANTED, ids=lambda one: getattr(one, "__name__", one))
def test_a_planted_violation_is_caught(tmp_path: Path, plant: Callable[[Run], None], invariant: str) -> None:
    run = clean(tmp_path)
    plant(run)
    report = run.check()
    assert report.violated.get(invariant, 0) > 0, report.violated
    assert any(one.invariant == invariant and one.seed == 9 and one.what for one in report.violations)


def test_every_invariant_has_its_planted_violation() -> None:
    assert {invariant for _, invariant in PLANTED} | {"clock_free"} == set(INVARIANTS)


# --- counters ---------------------------------------------------------------------------------------


def counted(report: Report) -> dict[str, object]:
    names = (
        "mis_sorted",
        "lost",
        "unverified_shipped",
        "cancelled_shipped",
        "undetectable",
        "forced_mis_sorts",
    )
    return {name: report.summary[name] for name in names if report.summary[name]}


def test_a_mis_sort_is_counted_as_such(tmp_path: Path) -> None:
    run = clean(tmp_path)
    decided_for_another_chute(run)
    assert counted(run.check()) == {"mis_sorted": 1, "unverified_shipped": 1}


def test_an_undecided_parcel_that_ships_is_unverified(tmp_path: Path) -> None:
    run = clean(tmp_path)
    undecided(run)
    assert counted(run.check()) == {"unverified_shipped": 1}


def test_a_parcel_without_a_terminal_record_is_lost_and_missing_is_a_record(tmp_path: Path) -> None:
    run = clean(tmp_path)
    run.stories[4].without("missing")
    assert counted(run.check()) == {"lost": 1}
    run = clean(tmp_path)
    never_tracked(run)
    assert counted(run.check()) == {"lost": 1}


def test_a_cancelled_parcel_that_ships_is_counted_once(tmp_path: Path) -> None:
    for plant in (accepted_and_shipped, accepted_after_it_shipped):
        run = clean(tmp_path)
        plant(run)
        assert counted(run.check()) == {"cancelled_shipped": 1}


def test_a_forced_mis_sort_is_counted_apart_and_is_no_violation(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = run.stories[0]
    story.fact("carried", exit=2, forced=True).fact("left", exit=2)
    story.row("exited", exit=2, chute="002", shipped=False, mis_sorted=True)
    report = run.check()
    assert report.violated == {}
    assert counted(report) == {"forced_mis_sorts": 1}


def test_a_swap_on_the_running_belt_is_undetectable_and_nobodys_fault(tmp_path: Path) -> None:
    run = clean(tmp_path)
    first, second = run.stories[0], run.stories[1]
    run.facts.append(Swapped(second.t, 1, 2, True))
    first.fact("placed", waybill="W2", candidates=("W2",))
    second.fact("placed", waybill="W1", candidates=("W1",))
    report = run.check()
    assert report.violated == {}
    assert counted(report) == {"undetectable": 1}


def test_a_swap_on_a_standing_belt_is_judged(tmp_path: Path) -> None:
    run = clean(tmp_path)
    run.facts.append(Swapped(run.stories[1].t, 1, 2, False))
    run.stories[0].fact("placed", candidates=("W2",))
    assert "true_identity" in run.check().violated


# --- what the line cannot know is not held against it ----------------------------------------------------


def test_a_passage_that_died_with_the_plc_is_not_lost_but_must_not_ship(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = Story(6).to_the_end("ok")
    story.rows.clear()
    run.stories.append(story)
    run.facts += [PlcStopped(story.t + 200_000), PlcStarted(story.t + 900_000, 2, 0)]
    report = run.check()
    assert report.violated == {}
    assert counted(report) == {}
    story.fact("left", exit=1)
    assert set(run.check().violated) == {"verified_only", "default_reject"}


def test_a_passage_that_the_plc_had_read_out_before_it_died_must_be_tracked(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = Story(6).to_the_end("ok")
    story.rows.clear()
    run.stories.append(story)
    entry = {"at_us": story.t + 500_000, "epoch": 1, "number": 5, "eye": 6, "ticks": story.ticks + 900}
    run.rows.append(("ParcelLost", entry))
    run.facts += [PlcStopped(story.t + 600_000), PlcStarted(story.t + 900_000, 2, 0)]
    assert counted(run.check()) == {"lost": 1}


def test_a_passage_without_a_number_is_on_record(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = Story(6).to_the_end("ok")
    story.rows.clear()
    body = {"at_us": story.t, "epoch": 1, "number": 0, "eye": 1, "ticks": story.ticks, "length_mm": 300}
    story.rows["passed"] = ("EyePassed", body)
    run.stories.append(story)
    report = run.check()
    assert report.violated == {}
    assert counted(report) == {}


def test_touching_parcels_are_one_track_and_both_stay(tmp_path: Path) -> None:
    run = clean(tmp_path)
    first, second = Story(6).to_the_end("two_on_one"), Story(7).to_the_end("two_on_one")
    first.row("weighed", reading={"grams": 2_000, "quality": "good", "spread_g": 5, "samples": 9})
    second.fact("inducted", merged=True, gap_mm=0).fact("left", seen=())
    second.rows.clear()
    run.stories += [first, second]
    report = run.check()
    assert report.violated == {}
    assert report.checked["gap"] == 2
    left = second.facts["left"]
    assert isinstance(left, Left)
    second.facts["left"] = replace(left, exit=3)
    assert "gap" in run.check().violated


def test_what_was_tracked_by_a_lying_encoder_is_excused_only_where_it_does_not_ship(tmp_path: Path) -> None:
    run = clean(tmp_path)
    first, rejected = run.stories[0], run.stories[3]
    rejected.row("decided", waybill="W3")
    run.facts.append(EncoderLied(rejected.t + 500_000, rejected.t + 900_000))
    assert run.check().violated == {}
    first.row("decided", waybill="W3").row("found", waybill="W3")
    run.facts.append(EncoderLied(first.t + 500_000, first.t + 900_000))
    assert set(run.check().violated) == {"true_identity"}


def test_a_neighbour_may_pass_for_what_a_lying_encoder_lost_but_not_as_shipped(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = run.stories[3]
    story.row("exited", exit=4, chute="004", mis_sorted=True)
    assert set(run.check().violated) == {"conservation"}
    run.facts.append(EncoderLied(story.t + 500_000, story.t + 900_000))
    assert run.check().violated == {}
    story.row("exited", shipped=True, reason="ok")
    assert "conservation" in run.check().violated


def test_a_failed_review_that_is_right_breaks_nothing_and_is_counted(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = run.stories[3]
    extra = [{"sku": "", "code": "690B", "qty": 1}, {"sku": "A", "code": "", "qty": 1}]
    story.row("reviewed", reason="sku_extra", extra=extra)
    story.fact("moved", lay=(("A", "690A", 3), ("B", "690B", 1)), lane=2).without("work_left")
    report = run.check()
    assert report.violations == ()
    assert (report.summary["reviewed"], report.summary["review_rejected"]) == (5, 1)
    never = report.summary["never_reached"]
    assert isinstance(never, list)
    assert "sku_extra" not in never
    assert "sku_missing" in never
