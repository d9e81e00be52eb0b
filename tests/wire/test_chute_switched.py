"""A chute that people switched off, over HTTP, the inbox, the line and its record, and over a killed line."""

import json
from pathlib import Path

import pytest

from edge.model.events import LineStarted
from edge.model.ids import JournalSeq
from edge.store.journal_reader import JournalReader
from tests.wire.gateway_process import running_gateway
from tests.wire.line_process import HallBeside, LineProcess, hall_beside

pytestmark = [pytest.mark.wire, pytest.mark.slow]


def starts(hall: HallBeside) -> int:
    """On record; what the record says of the line is the last run's until then."""
    rows = hall.asked(lambda it: list(it.rows(JournalSeq(0))))
    return sum(row.kind == LineStarted.__name__ for row in rows)


async def test_what_people_switched_off_stays_off_when_the_line_is_killed(tmp_path: Path) -> None:
    """Through HTTP, inbox, core and journal; the next run says at its start what is off."""
    async with hall_beside(tmp_path) as hall:
        first = await hall.line_process()
        second: LineProcess | None = None
        try:
            async with running_gateway(tmp_path) as gateway, gateway.client("operator-1") as client:
                chute = next(one.id for one in hall.line.topology.chutes if one.kind == "shipping")
                command = {"message_id": "off-1", "action": "disable_chute", "subject": chute}
                assert (await client.post("/v1/line/commands", json=command)).status_code == 200

                def off() -> bool:
                    return [
                        row.enabled for row in hall.asked(JournalReader.chutes) if row.chute == chute
                    ] == [False]

                await first.until(off, "the line has switched it off")
                await first.kill()
                second = await hall.line_process()
                await second.until(lambda: starts(hall) == 2, "the line is started anew")
                await second.until(hall.permitted, "the line runs again")
                shown = (await client.get("/v1/line/chutes")).json()["chutes"]
                assert [row["chute"] for row in shown if not row["enabled"]] == [chute]
                page = (await client.get("/v1/events", params={"kind": "LineStarted", "limit": 500})).json()
                said = [json.dumps(row["body"]["chutes_disabled"]) for row in page["events"]]
                assert said == ["[]", f'["{chute}"]']
        finally:
            await first.kill()
            if second is not None:
                await second.kill()
