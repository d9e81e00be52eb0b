"""What the checker's summary counts of a spoiled run, and what it lets pass: what the line cannot know is not
held against it."""

from dataclasses import replace
from pathlib import Path

from simulators.world.checker import Report
from simulators.world.truth import EncoderLied, Left, OnScale, PlcStarted, PlcStopped, Swapped
from tests.core.checker_kit import Story, clean
from tests.core.checker_planted import (
    accepted_after_it_shipped,
    accepted_and_shipped,
    decided_for_another_chute,
    never_tracked,
    undecided,
)


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


def test_one_that_slips_back_onto_the_scale_was_weighed_the_first_time(tmp_path: Path) -> None:
    run = clean(tmp_path)
    story = run.stories[0]
    t = story.t + 1_800_000
    run.facts.append(OnScale(t + 300_000, 1, t, t, t + 200_000))
    assert run.check().violated == {}
    story.fact("on_scale", alone_to_us=story.t + 1_000_000)
    assert set(run.check().violated) == {"alone_on_scale"}


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
