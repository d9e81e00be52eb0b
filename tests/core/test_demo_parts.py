"""The demo's parts without their processes: messages, repeats, logs that grow, texts and verdicts."""

import asyncio
import json
import sqlite3
import string
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.http import mapping
from api.http.schemas import BlindSpotIn, GoodsItem, OrderIn, PlanIn, RuleIn
from edge.model.ids import MessageId, OrderNo
from line_config.load import load_line
from simulators.demo.cast import free_ports, overrides_of
from simulators.demo.erp_client import CancelTally, HttpErp
from simulators.demo.messages import goods_json, order_json, plan_json, wire_id
from simulators.demo.processes import DemoFailed
from simulators.demo.summary import Ended
from simulators.demo.tails import TruthTail, contradicted
from simulators.demo.texts import TEXTS
from simulators.demo.watch import Watch
from simulators.orders import DrawnOrders
from simulators.plans import plan_of
from simulators.world.checker import Checker, Report
from simulators.world.truth import FaultInjected, Inducted, Left, Placed, Truth, to_json_line
from tests.patience import PATIENCE_S

PENDING = {"type": "urn:beltkeeper:problem:cancel_pending", "status": 503}
Answer = httpx2.Response | httpx2.ConnectError


def test_what_the_erp_says_is_what_the_gateway_understands() -> None:
    orders = DrawnOrders(7)
    for index in range(50):
        order = orders.order(index).order
        body = OrderIn.model_validate(order_json(MessageId(f"put/{order.order_no}"), order))
        assert mapping.order_of(body) == order
    for goods in orders.goods[:200]:
        assert mapping.goods_of(GoodsItem.model_validate(goods_json(goods))) == goods
    plan = plan_of(load_line("demo").topology)
    sent = plan_json(plan)
    rules = [RuleIn.model_validate(one) for one in sent["rules"]]
    spots = [BlindSpotIn.model_validate(one) for one in sent["blind_spots"]]
    put = PlanIn.model_validate({"message_id": wire_id(MessageId("plan/put"))} | sent)
    assert mapping.plan_of(put, rules, spots) == plan


class Gateway:
    """Answers from a list; remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(json.loads(request.content))
        answer = self.answers.pop(0)
        if isinstance(answer, httpx2.ConnectError):
            raise answer
        return answer


async def cancelled(gateway: Gateway) -> tuple[CancelTally, list[DemoFailed]]:
    failed: list[DemoFailed] = []
    erp = HttpErp("http://gateway", "key", failed.append, httpx2.MockTransport(gateway))
    task = asyncio.ensure_future(erp.run())
    erp.cancel(MessageId("cancel/D1"), OrderNo("D1"))
    async with asyncio.timeout(PATIENCE_S):
        while not (erp.idle or failed):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return erp.cancels, failed


async def test_a_cancel_is_repeated_under_its_id_until_the_journal_answers() -> None:
    gateway = Gateway(
        httpx2.ConnectError("away"),
        httpx2.Response(503, json={"type": "urn:beltkeeper:problem:overloaded"}),
        httpx2.Response(503, json=PENDING),
        httpx2.Response(200, json={"outcome": "too_late"}),
    )
    tally, failed = await cancelled(gateway)
    assert not failed
    assert gateway.asked == [{"message_id": "cancel:D1"}] * 4
    assert (tally.sent, tally.pending, tally.broken, dict(tally.outcomes)) == (1, 1, 1, {"too_late": 1})
    assert not tally.open


async def test_a_refusal_ends_the_demo() -> None:
    tally, failed = await cancelled(Gateway(httpx2.Response(404, json={"title": "No such order"})))
    assert tally.open == {"D1"}
    assert "404" in str(failed[0])


def test_a_line_of_the_truth_that_is_not_whole_yet_waits(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    tail = TruthTail(log)
    assert list(tail.read()) == []
    one, two = (to_json_line(FaultInjected(at, "clock_step", "30")) for at in (1, 2))
    log.write_text(one + "\n" + two[:10])
    assert [fact.at_us for fact in tail.read()] == [1]
    log.write_text(one + "\n" + two + "\n")
    assert [fact.at_us for fact in tail.read()] == [2]


def placed(parcel: int) -> Placed:
    return Placed(parcel, parcel, parcel - 1, 300, 1000, "D1", "JT1", ("JT1",), ("no_read",))


def left(parcel: int, at_us: int) -> Left:
    return Left(at_us, parcel, 1, 0, -1, ())


def test_what_the_truth_says_reaches_desk_checker_and_line() -> None:
    facts: list[Truth] = [
        placed(1),
        Inducted(1_000_000, 1, 0, -1, False),
        FaultInjected(2_000_000, "line_crash", "250"),
        left(1, 3_000_000),
        placed(2),
    ]
    seen: list[Truth] = []
    desk: list[int] = []
    crashes: list[float] = []
    watch = Watch(2, seen.append, desk.append, crashes.append)
    watch.take(facts)
    assert (seen, desk, crashes) == (facts, [0, 1], [0.25])
    assert watch.faults == {"no_read": 2, "line_crash": 1}
    assert not watch.empty
    watch.take([left(2, 4_500_000)])
    assert watch.empty
    assert watch.belt_s == 3.5


@pytest.mark.parametrize("name", sorted(TEXTS["en"]))
def test_every_text_says_the_same_in_both_languages(name: str) -> None:
    fields = [{field for _, field, _, _ in string.Formatter().parse(TEXTS[one][name])} for one in TEXTS]
    assert fields[0] == fields[1]


def test_both_languages_have_every_text() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()


def test_every_cable_of_the_line_ends_at_this_machine(tmp_path: Path) -> None:
    settings = overrides_of(load_line("demo"), tmp_path)
    line = load_line("demo", settings)
    ports = {line.topology.plc.port, line.api.port}
    ports |= {port.connection.port for port in line.scanners if hasattr(port.connection, "port")}
    assert len(ports) == 3
    assert line.topology.plc.host == line.api.host == "127.0.0.1"
    assert line.scale_port is not None
    assert getattr(line.scale_port.connection, "path", "") == f"{tmp_path}/scale.pty"
    assert len(set(free_ports(20))) == 20


def test_an_answer_that_the_record_does_not_have_is_found(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    assert contradicted(journal, {"m1": "accepted"}) == ["m1"]
    with closing(sqlite3.connect(journal)) as database:
        database.execute("CREATE TABLE cancel_answer (inbox_seq INTEGER, message_id TEXT, outcome TEXT)")
        rows = [(1, "m1", "accepted"), (2, "m2", "too_late")]
        database.executemany("INSERT INTO cancel_answer VALUES (?, ?, ?)", rows)
        database.commit()
    assert contradicted(journal, {"m1": "accepted", "m2": "too_late"}) == []
    assert contradicted(journal, {"m1": "accepted", "m2": "accepted", "m3": "accepted"}) == ["m2", "m3"]


def ended(tmp_path: Path, violated: dict[str, int], **figures: int) -> Ended:
    line = load_line("demo")
    report = Checker(line.topology, tmp_path / "none", 7).report()
    return Ended(
        report=Report(
            summary=report.summary | figures,
            checked=report.checked,
            violations=(),
            violated=violated,
            digest="",
            decisions_digest="",
        ),
        line=line,
        data=tmp_path,
        cancels=CancelTally(),
        contradicted=(),
        open_tracks=0,
        inducted=0,
        faults={},
        line_restarts=0,
        gateway_restarts=0,
        belt_s=0.0,
    )


@pytest.mark.parametrize("name", ["mis_sorted", "lost", "unverified_shipped", "cancelled_shipped"])
def test_one_of_these_is_enough_for_a_bad_run(name: str, tmp_path: Path) -> None:
    assert ended(tmp_path, {}, **{name: 1}).troubles(TEXTS["en"])
    assert not ended(tmp_path, {}, **{name: 0}).troubles(TEXTS["en"])


def test_a_broken_invariant_makes_a_bad_run(tmp_path: Path) -> None:
    assert ended(tmp_path, {"chain": 2}).troubles(TEXTS["en"]) == ["2 × chain"]


def test_forced_mis_sorts_are_told_where_some_were_forced(tmp_path: Path) -> None:
    found = ended(tmp_path, {}, forced_mis_sorts=1)
    assert "forced_mis_sorts" not in found.as_json(harsh=False)
    assert found.as_json(harsh=True)["forced_mis_sorts"] == 1
    assert not found.troubles(TEXTS["en"])
