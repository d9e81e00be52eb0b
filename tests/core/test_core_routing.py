"""Sort plans and chutes: the most specific rule, the first chute that takes it, what people switch."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.routing import Routes
from edge.model.alarm import AlarmKind
from edge.model.commands import CaptureWeight, EnableExits, LookUp
from edge.model.events import LineStarted
from edge.model.ids import ChuteId, PlanId
from edge.model.line import OperatorAction
from edge.model.order import BeltOrder, Region
from edge.model.records import ChuteSwitched, Decided, Exited, PlanTaken
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench, activate, operator
from tests.core.core_line import DEMO, READY, bits, order, waybill

PART = st.sampled_from(["", "1", "2"])
CODE = st.sampled_from(["", "5", "57", "571", "6", "60"])


def find_slowly(rules: tuple[SortRule, ...], one: BeltOrder) -> SortRule | None:
    """The precedence of ``SortRule``, read literally."""
    matching = [
        (len(r.routing_code), bool(r.district), bool(r.city), bool(r.province), bool(r.carrier), -n)
        for n, r in enumerate(rules)
        if one.routing_code.startswith(r.routing_code)
        and r.carrier in ("", one.carrier)
        and r.province in ("", one.region.province)
        and r.city in ("", one.region.city)
        and r.district in ("", one.region.district)
    ]
    return rules[-max(matching)[-1]] if matching else None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(CODE, PART, PART, PART, PART), max_size=12),
    st.tuples(st.sampled_from(["", "57", "5712", "600", "7"]), PART, PART, PART, PART),
)
def test_the_index_finds_what_the_precedence_says(
    named: list[tuple[str, str, str, str, str]], where: tuple[str, str, str, str, str]
) -> None:
    rules = tuple(
        SortRule(id=str(n), routing_code=c, carrier=a, province=p, city=t, district=d)
        for n, (c, a, p, t, d) in enumerate(named)
    )
    code, carrier, province, city, district = where
    region = Region(province=province, city=city, district=district)
    one = order("SF1", routing=code, carrier=carrier, region=region)
    plan = SortPlan(id=PlanId("P"), version=1, rules=rules, blind_spots=())
    assert Routes(plan).find(one).rule == find_slowly(rules, one)


def test_blind_spots_go_before_rules_and_hold_for_everything_below() -> None:
    spots = (
        BlindSpot(carrier="sf", province="33"),
        BlindSpot(carrier="jd", province="44", city="4401"),
        BlindSpot(carrier="yto", province="55", city="5501", district="550102"),
    )
    rules = (SortRule(id="all", chutes=(ChuteId("001"),)),)
    routes = Routes(SortPlan(id=PlanId("P"), version=1, rules=rules, blind_spots=spots))

    def blind(carrier: str, province: str, city: str, district: str) -> bool:
        region = Region(province=province, city=city, district=district)
        return routes.find(order("SF1", carrier=carrier, region=region)).blind_spot

    assert blind("sf", "33", "3301", "330106")
    assert blind("jd", "44", "4401", "x")
    assert not blind("jd", "44", "4402", "x")
    assert blind("yto", "55", "5501", "550102")
    assert not blind("yto", "55", "5501", "550103")
    assert not blind("zto", "33", "3301", "330106")


def test_without_a_plan_nothing_matches() -> None:
    assert Routes(None).find(order("SF1")).rule is None
    bench = CoreBench(planned=False)
    bench.parcel(1)
    bench.run(12_000)
    assert (bench.the(Exited).reason, bench.the(Decided).plan) == (Reason.NO_RULE, "")


def test_a_plan_takes_effect_for_every_parcel_not_yet_decided() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.parcel(2, at_mm=1_500)
    bench.run(3_050)
    activate(bench, SortRule(id="all", chutes=(ChuteId("007"),)))
    bench.run(12_000)
    assert [(row.rule, row.chute) for row in bench.records(Decided)] == [("r1", "001"), ("all", "007")]
    assert [row.plan for row in bench.records(PlanTaken)] == ["P", "Q"]


def test_an_older_plan_does_not_come_back() -> None:
    bench = CoreBench()
    activate(bench, SortRule(id="all", chutes=(ChuteId("007"),)))
    bench.inbox -= 2
    activate(bench, SortRule(id="old", chutes=(ChuteId("006"),)))
    bench.parcel(1)
    bench.run(12_000)
    assert bench.the(Decided).rule == "all"


def test_a_full_first_candidate_gives_way_to_the_second() -> None:
    bench = CoreBench()
    bench.status(bits(READY, exits_full=0b1))
    assert [(row.chute, row.full) for row in bench.records(ChuteSwitched)] == [("001", True)]
    assert [alarm.kind for alarm in bench.core.state.alarms.values()] == [AlarmKind.CHUTE_FULL]
    bench.parcel(1)
    bench.run(12_000)
    assert bench.the(Exited).chute == "002"
    bench.status(bits())
    assert bench.records(ChuteSwitched)[-1].full is False
    assert bench.core.state.alarms == {}


@clause("FULL-2")
@pytest.mark.parametrize(
    ("lost", "reasons"),
    [
        (False, [Reason.OK, Reason.OK, Reason.CHUTE_FULL, Reason.CHUTE_FULL, Reason.OK]),
        (True, [Reason.OK, Reason.OK, Reason.OK, Reason.CHUTE_FULL, Reason.CHUTE_FULL]),
    ],
)
def test_a_chute_takes_no_more_than_its_reserve(lost: bool, reasons: list[Reason]) -> None:
    """Two places after the full signal: told and not confirmed count, a lost one frees its place."""
    chutes = tuple(replace(chute, reserve=2) if chute.id == "008" else chute for chute in DEMO.chutes)
    bench = CoreBench(replace(DEMO, chutes=chutes))
    activate(bench, SortRule(id="all", chutes=(ChuteId("008"),)))
    for n in range(1, 6):
        bench.parcel(n, at_mm=n * 1_150, taken_mm=4_000 if lost and n == 1 else 10**9)
    bench.run(20_000)
    assert [row.reason for row in bench.records(Decided)] == reasons


def test_an_exit_is_enabled_while_one_of_its_chutes_is() -> None:
    bench = CoreBench()
    everything = (1 << 9) - 1
    assert bench.commands(EnableExits)[-1].bits == everything
    operator(bench, OperatorAction.DISABLE_CHUTE, "003")
    assert bench.commands(EnableExits)[-1].bits == everything & ~0b100
    count = len(bench.commands(EnableExits))
    operator(bench, OperatorAction.DISABLE_CHUTE, "003")
    operator(bench, OperatorAction.DISABLE_CHUTE, "nowhere")
    operator(bench, OperatorAction.DISABLE_CHUTE, "END")
    assert len(bench.commands(EnableExits)) == count
    operator(bench, OperatorAction.ENABLE_CHUTE, "003")
    assert bench.commands(EnableExits)[-1].bits == everything
    assert [(row.chute, row.enabled) for row in bench.records(ChuteSwitched)] == [
        ("003", False),
        ("003", True),
    ]


def test_what_people_disabled_stays_disabled_over_a_restart() -> None:
    bench = CoreBench()
    operator(bench, OperatorAction.DISABLE_CHUTE, "003")
    closed = (ChuteId("005"), ChuteId("nowhere"), ChuteId("003"))
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=closed))
    assert bench.core.state.disabled == ["003", "005"]
    assert bench.commands(EnableExits)[-1].bits == (1 << 9) - 1 & ~0b10100


def test_the_deadline_is_that_of_the_parcels_own_exit_once_its_order_is_known() -> None:
    """The weight is missing: decided at the deadline of exit 1, not at the reject lane's."""
    bench = CoreBench()
    bench.mute.add(CaptureWeight)
    body = bench.parcel(1)
    bench.run(3_570)
    assert bench.records(Decided) == []
    bench.run(10)
    decided = bench.the(Decided)
    assert (decided.reason, decided.exit) == (Reason.WEIGHT_INVALID, 9)
    assert bench.core.state.tracks[decided.track].origin == body.at


def test_without_an_answer_it_waits_until_the_reject_lane_needs_it() -> None:
    bench = CoreBench()
    bench.orders[waybill(1)] = order(waybill(1))
    bench.mute.add(LookUp)
    bench.parcel(1)
    bench.run(7_560)
    assert bench.records(Decided) == []
    bench.run(15)
    assert bench.the(Decided).reason is Reason.UPSTREAM_TIMEOUT
