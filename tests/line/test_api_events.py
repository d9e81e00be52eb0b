"""The record by cursor: pages and streams, without a gap, in order, bounded."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api import feed
from api.http.auth import Role
from edge.core.state import CoreState
from edge.model import events as e
from edge.model import records as r
from edge.model.alarm import AlarmKind
from edge.model.ids import DeviceId, InboxSeq, PlanId
from edge.model.line import LineState
from edge.model.route import SortPlan, SortRule
from edge.model.units import MonoUs
from edge.ports.journal import JournalItem
from edge.runtime.metrics import MetricsSocket, line_now
from edge.store.journal_writer import JournalWriter
from tests.core.store_kit import MIDNIGHT, clock, exited, identified, opened, parcel_life
from tests.line.gateway_kit import Desk, Stream, open_desk, open_stream, slug_of


class Scribe:
    """The line's record, written by hand; the gateway's bell is not rung: its poll finds the rows."""

    def __init__(self, desk: Desk) -> None:
        desk.places.journal.parent.mkdir(parents=True, exist_ok=True)
        self._journal = JournalWriter(desk.places.journal, line_id="demo", timezone="Asia/Shanghai")

    async def write(self, *items: JournalItem) -> int:
        return await self._journal.append(items, InboxSeq(0))

    async def close(self) -> None:
        await self._journal.close()


@asynccontextmanager
async def recorded(data: Path, **settings: Any) -> AsyncIterator[tuple[Desk, Scribe]]:
    async with open_desk(data, **settings) as desk:
        scribe = Scribe(desk)
        try:
            yield desk, scribe
        finally:
            await scribe.close()


def alarm(at: int, subject: str = "") -> r.AlarmRaised:
    return r.AlarmRaised(at_us=MonoUs(at), kind=AlarmKind.JAM, subject=subject, detail="eye 3")


async def test_pages_give_every_row_once_and_in_order(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        last = 0
        for track in range(1, 8):
            last = await scribe.write(*parcel_life(track, 10 * track))
        seen: list[dict[str, Any]] = []
        cursor, more = 0, True
        while more:
            page = (await desk.erp.get("/v1/events", params={"after": cursor, "limit": 5})).json()
            assert len(page["events"]) <= 5
            seen += page["events"]
            cursor, more = page["next"], page["more"]
        assert [row["seq"] for row in seen] == list(range(1, last + 1))
        assert cursor == last
        first = seen[0]
        assert (first["kind"], first["track"], first["at"]) == ("EyePassed", 1, None)
        assert first["body"]["length_mm"] == 300
        end = (await desk.erp.get("/v1/events", params={"after": last})).json()
        assert end == {"events": [], "next": last, "more": False}


async def test_kinds_are_chosen_and_the_cursor_passes_the_others(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        last = await scribe.write(clock(1, MIDNIGHT), *parcel_life(1, 10))
        query: dict[str, Any] = {"kind": ["Exited", "ClockAgreed"], "limit": 500}
        page = (await desk.erp.get("/v1/events", params=query)).json()
        assert [row["kind"] for row in page["events"]] == ["ClockAgreed", "Exited"]
        assert page["events"][1]["at"].startswith("2023-11-16T16:00:00.")
        assert (page["next"], page["more"]) == (last, False)
        wrong = await desk.erp.get("/v1/events", params={"kind": "Teleported"})
        assert (wrong.status_code, slug_of(wrong)) == (422, "fields_invalid")
        assert wrong.json()["errors"] == [{"loc": ["query", "kind"], "msg": "No such kind: 'Teleported'"}]


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 501}, {"after": 2**60}]
)
async def test_bounds_of_a_page(tmp_path: Path, query: dict[str, Any]) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.erp.get("/v1/events", params=query)
        assert (answer.status_code, slug_of(answer)) == (422, "fields_invalid")


async def test_a_cursor_of_another_record(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        last = await scribe.write(alarm(1))
        for path in ("/v1/events", "/v1/events/stream"):
            answer = await desk.erp.get(path, params={"after": last + 1})
            assert (answer.status_code, slug_of(answer)) == (409, "cursor_ahead")


async def test_a_page_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    rules = tuple(SortRule(id=f"r{n}", carrier="zto") for n in range(2_000))
    plan = SortPlan(id=PlanId("p"), version=1, rules=rules, blind_spots=())
    async with recorded(tmp_path) as (desk, scribe):
        for n in range(1, 6):
            await scribe.write(e.PlanActivated(at_us=MonoUs(n), inbox_seq=InboxSeq(n), plan=plan))
        page = await desk.erp.get("/v1/events", params={"limit": 500})
        assert feed.PAGE_BYTES / 2 < len(page.content) < 1.2 * feed.PAGE_BYTES
        assert page.json()["more"] is True
        async with open_stream(desk, "after=0") as stream:
            assert await stream.status() == 200
            assert [row["seq"] for row in (await rows(stream, 5))] == [1, 2, 3, 4, 5]


async def rows(stream: Stream, count: int) -> list[dict[str, Any]]:
    """The next ``count`` rows of a stream, whatever beats lie between; each id is its row's."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        text = await stream.piece()
        assert text, "the stream has ended"
        for seq, data in re.findall(r"(?:\A|\n\n)id: (\d+)\ndata: (.*)", text):
            found.append(json.loads(data))
            assert found[-1]["seq"] == int(seq)
    assert len(found) == count
    return found


async def test_a_stream_goes_on_where_its_client_left(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        last = await scribe.write(*parcel_life(1, 10))
        async with open_stream(desk, "after=3") as stream:
            assert await stream.status() == 200
            assert await stream.piece() == "retry: 1000\n\n"
            assert [row["seq"] for row in await rows(stream, last - 3)] == list(range(4, last + 1))
            live = await scribe.write(alarm(50))
            assert [(row["seq"], row["kind"]) for row in await rows(stream, 1)] == [(live, "AlarmRaised")]
        missed = await scribe.write(alarm(51, "1"), alarm(52, "2"))
        async with open_stream(desk, "after=0", Last_Event_ID=str(live)) as stream:
            assert await stream.status() == 200
            assert [row["seq"] for row in await rows(stream, 2)] == [missed - 1, missed]


async def test_a_stream_without_a_cursor_begins_now(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(*parcel_life(1, 10))
        async with open_stream(desk) as stream:
            assert await stream.status() == 200
            assert await stream.piece()
            later = await scribe.write(alarm(50))
            assert [row["seq"] for row in await rows(stream, 1)] == [later]


async def test_a_stream_of_some_kinds_still_moves_its_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.events.BEAT_MS", 30)
    async with recorded(tmp_path) as (desk, scribe):
        last = await scribe.write(*parcel_life(1, 10), alarm(50))
        async with open_stream(desk, "after=0&kind=Exited") as stream:
            await stream.status()
            assert await stream.piece() == "retry: 1000\n\n"
            text = await stream.piece()
            assert re.findall(r'"kind":"(\w+)"', text) == ["Exited"]
            beat = f'event: beat\nid: {last}\ndata: {{"seq":{last}}}\n\n'
            assert text.endswith(beat), "the client is told that it has passed the rows it did not want"
            assert await stream.piece() == beat, "and that the stream lives"


async def test_followers_share_one_reader_and_fall_back_on_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five follow from different places through more rows than are kept: each gets every row."""
    monkeypatch.setattr(feed, "KEPT_ROWS", 3)
    monkeypatch.setattr(feed, "PAGE_ROWS", 4)
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(*[alarm(n, str(n)) for n in range(10)])

        async def follow(after: int) -> list[int]:
            async with open_stream(desk, f"after={after}") as stream:
                await stream.status()
                return [row["seq"] for row in await rows(stream, 30 - after)]

        following = [asyncio.create_task(follow(after)) for after in (0, 1, 5, 9, 10)]
        for n in range(10, 30):
            await scribe.write(alarm(n, str(n)))
            await asyncio.sleep(0.01)
        for after, task in zip((0, 1, 5, 9, 10), following, strict=True):
            assert await task == list(range(after + 1, 31))


async def test_places_are_bounded_and_given_back(tmp_path: Path) -> None:
    async with recorded(tmp_path, streams_max=3, streams_per_key=2) as (desk, scribe):
        await scribe.write(alarm(1))
        async with open_stream(desk) as first, open_stream(desk) as second:
            assert (await first.status(), await second.status()) == (200, 200)
            for role, status in ((Role.VIEWER, 429), (Role.ERP, 200)):
                async with open_stream(desk, role=role) as more:
                    assert await more.status() == status
                    if status == 200:
                        async with open_stream(desk, role=Role.OPERATOR) as over:
                            assert await over.status() == 429
            assert desk.app.gateway.feed.followers == 2
        assert desk.app.gateway.feed.followers == 0
        async with open_stream(desk) as again:
            assert await again.status() == 200


async def test_every_stream_ends_when_the_gateway_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.events.BEAT_MS", 60_000)
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(alarm(1))
        async with open_stream(desk) as stream:
            assert await stream.status() == 200
            assert await stream.piece()
            await asyncio.sleep(0.05)
            desk.app.gateway.feed.end()
            assert await stream.piece() == ""
            await stream.task


async def test_before_the_line_has_ever_run(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await desk.erp.get("/v1/events")).json() == {"events": [], "next": 0, "more": False}
        assert (await desk.erp.get("/v1/parcels")).json() == {"parcels": [], "next": 0, "more": False}
        assert (await desk.erp.get("/v1/exits")).json() == {"parcels": [], "next": 0, "more": False}
        line = (await desk.erp.get("/v1/line")).json()
        assert (line["process"], line["state"], line["plan"], line["on_belt"]) == ("down", "", None, 0)
        devices = (await desk.erp.get("/v1/line/devices")).json()["devices"]
        assert {device["up"] for device in devices} == {None}
        async with open_stream(desk) as stream:
            assert await stream.status() == 200
            assert await stream.piece()
            scribe = Scribe(desk)
            await scribe.write(alarm(1))
            assert [row["seq"] for row in await rows(stream, 1)] == [1]
            await scribe.close()


async def test_parcels_and_ends_by_cursor(tmp_path: Path) -> None:
    """Tracks end in another order than they were inducted in; each end is told once, in its order."""
    async with recorded(tmp_path) as (desk, scribe):
        for track in range(1, 5):
            await scribe.write(opened(track, track))
        await scribe.write(identified(10, 3, "W3"), exited(11, 3, "W3"))
        after_three = await scribe.write(exited(12, 1, ""))
        parcels = (await desk.erp.get("/v1/parcels", params={"limit": 3})).json()
        assert ([row["track"] for row in parcels["parcels"]], parcels["next"]) == ([1, 2, 3], 3)
        assert parcels["more"] is True
        rest = (await desk.erp.get("/v1/parcels", params={"after": 3})).json()
        assert ([row["track"] for row in rest["parcels"]], rest["more"]) == ([4], False)
        open_ones = (await desk.erp.get("/v1/parcels", params={"on_belt": True})).json()
        assert [row["track"] for row in open_ones["parcels"]] == [2, 4]
        ends = (await desk.erp.get("/v1/exits", params={"limit": 1})).json()
        assert [(row["track"], row["waybill"]) for row in ends["parcels"]] == [(3, "W3")]
        assert ends["more"] is True
        ends = (await desk.erp.get("/v1/exits", params={"after": ends["next"]})).json()
        assert ([row["track"] for row in ends["parcels"]], ends["next"]) == ([1], after_three)
        await scribe.write(exited(13, 2, ""))
        later = (await desk.erp.get("/v1/exits", params={"after": after_three})).json()
        assert [row["track"] for row in later["parcels"]] == [2]


async def test_a_parcels_whole_way(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(*parcel_life(1, 10))
        await scribe.write(*parcel_life(2, 40))
        told = (await desk.erp.get("/v1/tracks/2")).json()
        assert told["parcel"]["track"] == 2
        assert {row["track"] for row in told["events"]} == {2}
        assert [row["kind"] for row in told["events"]][-1] == "Exited"
        assert slug_of(await desk.erp.get("/v1/tracks/3")) == "parcel_unknown"


async def test_the_line_as_it_stands(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        seq = await scribe.write(
            clock(1, MIDNIGHT),
            r.LineStateChanged(at_us=MonoUs(2), state=LineState.EXECUTE, why="ready"),
            r.InductionSwitched(at_us=MonoUs(2), permitted=True, why="ready"),
            r.PlanTaken(at_us=MonoUs(2), inbox_seq=InboxSeq(1), plan=PlanId("demo"), version=3),
            r.ChuteSwitched(
                at_us=MonoUs(3), chute=desk.app.gateway.line.chutes[1].id, enabled=False, full=True
            ),
            e.DeviceWentUp(at_us=MonoUs(4), device=DeviceId("plc")),
            e.DeviceWentDown(at_us=MonoUs(5), device=DeviceId("top"), why="refused"),
            alarm(6, "3"),
            opened(7, 1),
        )
        line = (await desk.operator.get("/v1/line")).json()
        assert line == {
            "line": "demo",
            "process": "down",
            "state": "execute",
            "why": "ready",
            "since": "2023-11-16T16:00:00.000001+00:00",
            "induction": {"permitted": True, "why": "ready"},
            "plan": {"plan_id": "demo", "version": 3},
            "on_belt": 1,
            "alarms": 1,
            "seq": seq,
        }
        chutes = (await desk.operator.get("/v1/line/chutes")).json()["chutes"]
        assert [row["chute"] for row in chutes] == [chute.id for chute in desk.app.gateway.line.chutes]
        assert chutes[0] == {
            "chute": "001",
            "kind": "shipping",
            "exit": 1,
            "reserve": 12,
            "enabled": True,
            "full": False,
            "since": None,
        }
        assert (chutes[1]["enabled"], chutes[1]["full"], chutes[1]["since"][:10]) == (
            False,
            True,
            "2023-11-16",
        )
        alarms = (await desk.operator.get("/v1/line/alarms")).json()["alarms"]
        assert [(a["kind"], a["subject"], a["acknowledged_by"]) for a in alarms] == [("jam", "3", "")]
        acknowledged = r.AlarmAcknowledged(at_us=MonoUs(9), kind=AlarmKind.JAM, subject="3", by="op-1")
        await scribe.write(acknowledged)
        (seen,) = (await desk.operator.get("/v1/line/alarms")).json()["alarms"]
        assert (seen["acknowledged_by"], seen["acknowledged_at"]) == (
            "op-1",
            "2023-11-16T16:00:00.000008+00:00",
        )
        devices = (await desk.operator.get("/v1/line/devices")).json()
        assert devices["process"] == "down"
        rows_by_device = {row["device"]: row for row in devices["devices"] if row["kind"] != "bench"}
        assert {name: (row["kind"], row["up"], row["why"]) for name, row in rows_by_device.items()} == {
            "plc": ("plc", None, ""),
            "top": ("reader", None, "refused"),
            "scale": ("scale", None, ""),
        }


async def test_devices_as_the_line_process_has_them(tmp_path: Path) -> None:
    up = {DeviceId("plc"): True, DeviceId("top"): False}
    now = line_now(CoreState(), up, {DeviceId("plc"): 12_500})
    async with open_desk(tmp_path, line_look_ms=60_000) as desk:
        socket = MetricsSocket(desk.places.line_metrics, CollectorRegistry(), lambda: now)
        await socket.open()
        found = (await desk.operator.get("/v1/line/devices")).json()
        await socket.close()
    assert found["process"] == "up"
    devices = [row for row in found["devices"] if row["kind"] != "bench"]
    assert {row["device"]: (row["up"], row["heard_age_ms"]) for row in devices} == {
        "plc": (True, 12),
        "top": (False, None),
        "scale": (False, None),
    }
