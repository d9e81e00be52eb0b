"""Planted violations: what is done to a clean run of the checker's kit, and which invariant must catch it."""

from collections.abc import Callable
from dataclasses import replace

from edge.model.divert import CommandStatus
from simulators.world.truth import (
    Carried,
    CommandJudged,
    CommandWritten,
    HeartbeatMoved,
    LaneFull,
    PlcStarted,
    PlcStopped,
)
from tests.core.checker_kit import Run, S, Story, cancel, looping


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
