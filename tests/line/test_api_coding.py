"""Manual coding over HTTP: who waits, how a code is checked, who and when, and what the line made of it."""

from pathlib import Path
from typing import Any

import pytest

from api.http.auth import Role
from edge.model import records as r
from edge.model.codes import CodeStanding, JudgedCode, ReadQuality, ReadRule, Symbology
from edge.model.coding import CodingCheck, CodingOutcome
from edge.model.ids import InboxSeq, TrackId, Waybill
from edge.model.units import MonoUs, UtcUs
from edge.ports.inbox import CodeRow
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from tests.core import store_kit
from tests.line.gateway_kit import open_desk, order_json, slug_of

CODE = "73120000000001"
"""The waybill of ``order_json(1)``; it fits ZTO."""


def no_read(at: int, track: int) -> r.Identified:
    seen = JudgedCode(text="HZ-3", symbology=Symbology.CODE128, readers=(), standing=CodeStanding.NO_WAYBILL)
    return r.Identified(
        at_us=MonoUs(at),
        track=TrackId(track),
        quality=ReadQuality.NO,
        waybill=Waybill(""),
        codes=(seen,),
        why=ReadRule.NOTHING_READ,
    )


def taken(at: int, track: int, outcome: CodingOutcome, code: str = CODE) -> r.KeyedCodeTaken:
    return r.KeyedCodeTaken(
        at_us=MonoUs(at),
        inbox_seq=InboxSeq(1),
        track=TrackId(track),
        waybill=Waybill(code),
        check=CodingCheck.TWICE,
        by="operator",
        keyed_utc_us=UtcUs(store_kit.MIDNIGHT),
        outcome=outcome,
    )


def changed(at: int, track: int, waybill: str) -> r.ChoiceChanged:
    return r.ChoiceChanged(
        at_us=MonoUs(at),
        track=TrackId(track),
        quality=ReadQuality.GOOD,
        waybill=Waybill(waybill),
        codes=(),
        why=ReadRule.KEYED,
    )


def belt(places: Places, *tracks: int) -> store_kit.Scribe:
    """A line on whose belt nobody could be read."""
    scribe = store_kit.Scribe(places.journal)
    scribe.write(store_kit.clock(1, store_kit.MIDNIGHT))
    for track in tracks:
        scribe.write(store_kit.opened(track * 1_000_000, track), no_read(track * 1_000_000 + 500, track))
    return scribe


async def listed(desk: Any) -> dict[str, Any]:
    answer = await desk.operator.get("/v1/coding")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_who_waits_the_latest_first(tmp_path: Path) -> None:
    scribe = belt(Places(tmp_path), 1, 2)
    async with open_desk(tmp_path) as desk:
        found = await listed(desk)
        assert [one["track"] for one in found["waiting"]] == [2, 1]
        assert found["waiting"][0] == {
            "track": 2,
            "since": "2023-11-16T16:00:02.000499+00:00",
            "length_mm": 300,
            "picture": 2,
            "on_belt": True,
            "chute": None,
            "exit_reason": None,
            "codes": [{"text": "HZ-3", "symbology": "code128", "standing": "no_waybill"}],
        }
        assert found["ready"] == []
        answer = await desk.operator.get("/v1/coding?limit=1")
        assert [one["track"] for one in answer.json()["waiting"]] == [2]
    scribe.close()


async def test_typed_twice_it_is_on_record_with_who_and_when(tmp_path: Path) -> None:
    belt(Places(tmp_path), 1).close()
    body = {"message_id": "c1", "code": "OLD-0007", "again": "OLD-0007"}
    async with open_desk(tmp_path) as desk:
        answer = await desk.operator.post("/v1/coding/1", json=body)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
        again = await desk.operator.post("/v1/coding/1", json=body)
        assert again.json() == answer.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        (change,) = (await desk.clients[Role.MAINTENANCE].get("/v1/changes")).json()["changes"]
        assert (change["kind"], change["by"], change["role"]) == ("code", "operator", "operator")
    reader = InboxReader(Places(tmp_path).inbox)
    (row,) = reader.rows_after(InboxSeq(0), 10)
    reader.close()
    assert isinstance(row, CodeRow)
    assert (row.track, row.text, row.check, row.by) == (1, "OLD-0007", CodingCheck.TWICE, "operator")
    assert row.keyed_utc_us > 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("code", "again", "slug"),
    [
        (CODE, "", ""),
        (CODE, CODE, ""),
        (CODE, "73120000000002", "codes_differ"),
        ("73120000000009", "", "code_unchecked"),
        ("OLD-0007", "", "code_unchecked"),
        ("x", "", "fields_invalid"),
        ("AB\n12", "", "fields_invalid"),
    ],
)
async def test_how_a_code_is_checked(tmp_path: Path, code: str, again: str, slug: str) -> None:
    """Once: a carrier's shape and an order. Twice: alike."""
    belt(Places(tmp_path), 1).close()
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        asked = {"message_id": "c1", "code": code} | ({"again": again} if again else {})
        answer = await desk.operator.post("/v1/coding/1", json=asked)
        assert (answer.status_code, "" if answer.status_code == 200 else slug_of(answer)) == (
            422 if slug else 200,
            slug,
        )


async def test_a_parcel_that_is_not_on_record_is_404(tmp_path: Path) -> None:
    belt(Places(tmp_path), 1).close()
    async with open_desk(tmp_path) as desk:
        asked = {"message_id": "c1", "code": CODE, "again": CODE}
        answer = await desk.operator.post("/v1/coding/2", json=asked)
        assert (answer.status_code, slug_of(answer)) == (404, "parcel_unknown")


async def test_a_code_that_came_in_time_is_done_and_one_too_late_is_ready_until_it_is_used(
    tmp_path: Path,
) -> None:
    scribe = belt(Places(tmp_path), 1, 2, 3)
    async with open_desk(tmp_path) as desk:
        scribe.write(taken(4_000_000, 1, CodingOutcome.JOINED, "W1"), changed(4_000_000, 1, "W1"))
        scribe.write(taken(4_100_000, 2, CodingOutcome.GONE_BY, "W2"))
        scribe.write(taken(4_200_000, 3, CodingOutcome.IDENTIFIED, "W3"))
        found = await listed(desk)
        assert [one["track"] for one in found["waiting"]] == [3]
        assert found["ready"] == [
            {
                "track": 2,
                "code": "W2",
                "length_mm": 300,
                "picture": 2,
                "by": "operator",
                "at": "2023-11-16T16:00:00+00:00",
            }
        ]
        scribe.write(store_kit.opened(5_000_000, 4), store_kit.identified(5_000_500, 4, "W2"))
        assert (await listed(desk))["ready"] == []
    scribe.close()


async def test_a_waiting_parcel_that_a_late_code_identified_waits_no_more(tmp_path: Path) -> None:
    scribe = belt(Places(tmp_path), 1)
    scribe.write(changed(4_000_000, 1, "W1"))
    async with open_desk(tmp_path) as desk:
        assert (await listed(desk))["waiting"] == []
    scribe.close()


async def test_before_the_first_run_nobody_waits(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert await listed(desk) == {"waiting": [], "ready": []}


def test_what_nobody_codes_waits_no_longer_than_so_many_parcels(tmp_path: Path) -> None:
    scribe = belt(Places(tmp_path), 1)
    late = 20_001
    scribe.write(store_kit.opened(9_000_000, late), no_read(9_000_500, late))
    scribe.close()
    reader = JournalReader(Places(tmp_path).journal)
    assert [row.track for row in reader.to_code(10)] == [late]
    reader.close()
