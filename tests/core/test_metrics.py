"""Metrics: counters follow the records, gauges the core as it is, labels come from closed sets only."""

import json
from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from edge.core.state import CoreState
from edge.model.alarm import Alarm, AlarmKind
from edge.model.divert import CommandStatus
from edge.model.ids import CommandSeq, DeviceId, ExitNo, ReaderId, TrackId
from edge.model.line import LineState
from edge.model.records import AlarmCleared, Refused, ToldTimed
from edge.model.register_map import StateBit
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.runtime.metrics import LineMetrics, line_now
from tests.core import store_kit
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO


def text(subject: LineMetrics) -> str:
    return generate_latest(subject.registry).decode()


def values(subject: LineMetrics) -> dict[str, float]:
    """Sample → value, less comments."""
    found = {}
    for line in text(subject).splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_records_are_counted_in_base_units() -> None:
    subject = LineMetrics(DEMO)
    for track in (1, 2):
        for item in store_kit.parcel_life(track, 1_000 * track)[1:]:
            subject.see(item)  # type: ignore[arg-type]
    subject.see(store_kit.exited(9, 3, "W3", shipped=False, mis_sorted=True, chute="002"))
    subject.see(store_kit.missing(10, 4, "W4", counts=False))
    subject.see(store_kit.identified(11, 4, ""))
    subject.see(
        Refused(
            at_us=MonoUs(1),
            track=TrackId(1),
            exit=ExitNo(1),
            seq=CommandSeq(1),
            status=CommandStatus.TOO_LATE,
            reason=Reason.LATE_DECISION,
        )
    )
    subject.see(ToldTimed(at_us=MonoUs(1), track=TrackId(1), decide_to_told_us=25_000, plc_wait_us=10_000))
    found = values(subject)
    assert found["beltkeeper_parcels_inducted_total"] == 2
    assert found['beltkeeper_parcels_exited_total{chute="001",reason="ok"}'] == 2
    assert found['beltkeeper_parcels_exited_total{chute="002",reason="ok"}'] == 1
    assert found["beltkeeper_parcels_mis_sorted_total"] == 1
    assert found['beltkeeper_parcels_missing_total{reason="plc_restart"}'] == 1
    assert found['beltkeeper_reads_total{quality="good"}'] == 2
    assert found['beltkeeper_reads_total{quality="no"}'] == 1
    assert found['beltkeeper_weights_total{quality="good"}'] == 2
    assert found['beltkeeper_decisions_total{reason="ok"}'] == 2
    assert found['beltkeeper_commands_refused_total{status="too_late"}'] == 1
    assert found["beltkeeper_decide_to_told_seconds_sum"] == 0.025
    assert found['beltkeeper_decide_to_told_seconds_bucket{le="0.02"}'] == 0
    assert found['beltkeeper_decide_to_told_seconds_bucket{le="0.03"}'] == 1
    assert found["beltkeeper_plc_wait_seconds_sum"] == 0.01


def test_what_is_counted_stands_at_zero_from_the_first_scrape_on() -> None:
    found = values(LineMetrics(DEMO))
    assert found['beltkeeper_decisions_total{reason="link_lost"}'] == 0
    assert found['beltkeeper_weights_total{quality="neighbour"}'] == 0
    assert found['beltkeeper_commands_refused_total{status="stale"}'] == 0
    assert 'beltkeeper_commands_refused_total{status="applied"}' not in found


def test_labels_never_carry_what_a_day_brings() -> None:
    subject = LineMetrics(DEMO)
    before = set(values(subject))
    for n in range(200):
        subject.see(store_kit.exited(n, n, f"W{n}", chute=f"chute-of-another-line-{n}"))
        subject.see(store_kit.decided(n, n, f"W{n}"))
    assert len(set(values(subject)) - before) == 1
    assert "W1" not in text(subject)


def test_gauges_tell_a_recovered_state_that_no_record_of_this_run_made() -> None:
    """Counting records would leave -1 alarms when an alarm of the run before is cleared."""
    state = CoreState(line=LineState.HELD, permitted=False)
    state.alarms["jam:"] = Alarm(kind=AlarmKind.JAM, subject="")
    state.alarms["chute_full:001"] = Alarm(kind=AlarmKind.CHUTE_FULL, subject="001")
    state.alarms["chute_full:002"] = Alarm(kind=AlarmKind.CHUTE_FULL, subject="002")
    up = {DeviceId("plc"): True, DeviceId("scanner"): False}
    subject = LineMetrics(DEMO)
    subject.watch(state, lambda: up, dict)
    found = values(subject)
    assert found['beltkeeper_alarms_standing{kind="jam"}'] == 1
    assert found['beltkeeper_alarms_standing{kind="chute_full"}'] == 2
    assert found['beltkeeper_alarms_standing{kind="plc_down"}'] == 0
    assert found['beltkeeper_line_state{state="held"}'] == 1
    assert sum(value for name, value in found.items() if name.startswith("beltkeeper_line_state")) == 1
    assert found["beltkeeper_induction_permitted"] == 0
    assert found['beltkeeper_device_up{device="plc"}'] == 1
    assert found['beltkeeper_device_up{device="scanner"}'] == 0
    del state.alarms["jam:"]
    subject.see(AlarmCleared(at_us=MonoUs(1), kind=AlarmKind.JAM, subject=""))
    up[DeviceId("scanner")] = True
    found = values(subject)
    assert found['beltkeeper_alarms_standing{kind="jam"}'] == 0
    assert found['beltkeeper_device_up{device="scanner"}'] == 1


def test_frames_of_cameras_are_counted_as_they_stand_at_the_scrape() -> None:
    frames = {ReaderId("side"): (300, 3), ReaderId("top"): (0, 0)}
    subject = LineMetrics(DEMO)
    subject.watch_cameras(lambda: frames)
    found = values(subject)
    assert found['beltkeeper_camera_frames_total{reader="side"}'] == 300
    assert found['beltkeeper_camera_frames_missed_total{reader="side"}'] == 3
    assert found['beltkeeper_camera_frames_total{reader="top"}'] == 0, "a rate needs a beginning"
    assert found['beltkeeper_camera_frames_missed_total{reader="top"}'] == 0
    frames[ReaderId("side")] = (330, 4)
    found = values(subject)
    assert found['beltkeeper_camera_frames_total{reader="side"}'] == 330
    assert found['beltkeeper_camera_frames_missed_total{reader="side"}'] == 4
    assert "# TYPE beltkeeper_camera_frames_missed_total counter" in text(subject)


def test_gauges_follow_a_core_that_runs() -> None:
    bench = CoreBench()
    subject = LineMetrics(DEMO)
    subject.watch(bench.core.state, dict, dict)
    found = values(subject)
    assert found['beltkeeper_line_state{state="execute"}'] == 1
    assert found["beltkeeper_induction_permitted"] == 1
    assert found["beltkeeper_parcels_on_belt"] == 0
    bench.parcel(1)
    bench.run(1_000)
    assert values(subject)["beltkeeper_parcels_on_belt"] == 1
    subject.gauge("beltkeeper_more", "Asked for.", lambda: 3)
    assert values(subject)["beltkeeper_more"] == 3


@pytest.mark.parametrize(
    ("attached", "bits", "runs"),
    [
        (True, StateBit.RUN | StateBit.INDUCTION, True),
        (True, StateBit.E_STOP, False),
        (False, StateBit.RUN, None),
    ],
)
def test_what_the_line_says_of_its_belt_and_its_devices_now(
    attached: bool, bits: StateBit, runs: bool | None
) -> None:
    state = CoreState()
    state.plc.attached, state.plc.bits = attached, replace(state.plc.bits, state=bits)
    up = {DeviceId("plc"): attached, DeviceId("top"): False}
    assert json.loads(line_now(state, up, {DeviceId("plc"): 12_500})) == {
        "belt_runs": runs,
        "devices": {
            "plc": {"up": attached, "heard_age_us": 12_500},
            "top": {"up": False, "heard_age_us": None},
        },
    }
