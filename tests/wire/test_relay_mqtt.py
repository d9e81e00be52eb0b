"""The record to a real broker: killed, frozen, away at start, with a subscriber that is not there."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from api.record import LineRecord
from api.relay.desk import RelayDesk, RelayTo
from api.relay.messages import STATION_OF
from edge.model.ids import InboxSeq, JournalSeq
from edge.ports.journal import JournalItem
from edge.store.journal_reader import JournalReader
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from line_config.relay import MqttSettings, Relay
from tests.core.store_kit import LINE, ZONE, parcel_life
from tests.wire.broker import SESSION, Broker, free_port, needs_mosquitto, running_broker
from tests.wire.demo_process import running_demo
from tests.wire.gateway_process import GatewayProcess, running_gateway

pytestmark = [pytest.mark.wire, needs_mosquitto]

SITE = "hall"
FACTS = 10_000
AT_ONCE = 40
"""Parcels a commit."""
PATIENCE_S = 90.0
DEMO_S = 120.0


@asynccontextmanager
async def relay_of(places: Places, port: int, **settings: Any) -> AsyncIterator[RelayDesk]:
    record = LineRecord(places)
    mqtt = MqttSettings(host="127.0.0.1", port=port, **settings)
    desk = RelayDesk(RelayTo(site=SITE, settings=Relay(mqtt=mqtt)), LINE, record, places)
    await desk.open()
    try:
        yield desk
    finally:
        await desk.close()
        await record.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


def subscriber(port: int) -> aiomqtt.Client:
    """With a session that the broker keeps while it is away."""
    return aiomqtt.Client("127.0.0.1", port, identifier=SESSION, clean_session=False, timeout=PATIENCE_S)


async def heard_by(port: int, last: str) -> list[dict[str, Any]]:
    """What the session has kept and what comes, up to the message with that id."""
    heard = []
    async with asyncio.timeout(PATIENCE_S), subscriber(port) as client:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.append(json.loads(message.payload) | {"topic": str(message.topic)})
            if heard[-1].get("id") == last:
                return heard
    raise AssertionError("the connection ended")


def facts_of(places: Places, line: str = LINE) -> dict[str, int | None]:
    """Id → track of every fact on record."""
    reader = JournalReader(places.journal)
    try:
        rows = reader.rows(JournalSeq(0))
        return {f"{line}/{row.seq}": row.track for row in rows if row.kind in STATION_OF}
    finally:
        reader.close()


async def write_facts(places: Places, broker: Broker, desk: RelayDesk) -> None:
    """Some 10,000, while the broker is killed, comes back, hangs for longer than it may, and goes on."""

    async def freeze() -> None:
        await until(lambda: desk.targets[0].up)
        broker.tell(signal.SIGSTOP)

    async def thaw() -> None:
        await until(lambda: not desk.targets[0].up)
        broker.tell(signal.SIGCONT)

    journal = JournalWriter(places.journal, line_id=LINE, timezone=ZONE)
    written = track = 0
    events = {2_000: broker.kill, 4_000: broker.start, 6_000: freeze, 8_000: thaw}
    try:
        while written < FACTS:
            items: list[JournalItem] = []
            for _ in range(AT_ONCE):
                track += 1
                items += parcel_life(track, track * 1_000_000)
            await journal.append(items, InboxSeq(track))
            desk.ring()
            written += sum(type(item).__name__ in STATION_OF for item in items)
            await asyncio.sleep(0.05)
            for at in [at for at in events if at <= written]:
                await events.pop(at)()
        assert not events
    finally:
        await journal.close()


def all_are_there(facts: dict[str, int | None], heard: list[dict[str, Any]]) -> None:
    """Every fact was heard, none that the journal lacks, and those of one parcel in their order."""
    first_of = {one["id"]: one for one in reversed(heard)}
    assert first_of.keys() == facts.keys(), "all of them, and none that the journal lacks"
    in_order = list(dict.fromkeys(one["id"] for one in heard))
    by_track: dict[int | None, list[int]] = {}
    for name in in_order:
        by_track.setdefault(facts[name], []).append(first_of[name]["seq"])
    assert all(seqs == sorted(seqs) for seqs in by_track.values()), "in order per parcel"


async def test_10000_facts_past_a_broker_that_is_killed_and_frozen(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    async with running_broker(tmp_path / "broker") as broker:
        async with subscriber(broker.port) as client:
            await client.subscribe(f"bk/{SITE}/{LINE}/+/+", qos=1)
        await until(broker.saved)
        async with relay_of(places, broker.port) as desk:
            await until(lambda: desk.targets[0].up)
            await write_facts(places, broker, desk)
            facts = facts_of(places)
            last = int(next(reversed(facts)).rpartition("/")[2])
            await until(lambda: desk.targets[0].seen >= last and desk.targets[0].up)
            heard = [one for one in await heard_by(broker.port, f"{LINE}/{last}") if "id" in one]
        assert len(facts) >= FACTS
    all_are_there(facts, heard)
    assert {one["topic"] for one in heard} >= {f"bk/{SITE}/{LINE}/exit/Exited"}


@pytest.mark.slow
async def test_the_demo_tells_everything_past_a_broker_that_is_killed_and_frozen_meanwhile(
    tmp_path: Path,
) -> None:
    """The broker dies with parcels on the belt, comes back, hangs for longer than it may, and goes on; what
    was not told when the demo ended goes out with the gateway's next start."""
    data = tmp_path / "data"
    async with running_broker(tmp_path / "broker") as broker:
        async with subscriber(broker.port) as client:
            await client.subscribe("bk/demo/camera/+/+", qos=1)
        await until(broker.saved)
        settings = ("relay.mqtt.host=127.0.0.1", f"relay.mqtt.port={broker.port}")
        options = [word for one in settings for word in ("--set", one)]

        def said(event: str) -> int:
            return (data / "logs" / "gateway.log").read_text().count(f'"{event}"')

        async with running_demo(data, "--parcels", "60", "--seed", "5", *options) as demo:
            await demo.until(lambda: demo.inducted >= 6 and said("relay_up") >= 1, DEMO_S)
            await broker.kill()
            await demo.until(lambda: demo.inducted >= 12 and said("relay_down") >= 1, DEMO_S)
            await broker.start()
            await demo.until(lambda: demo.inducted >= 20 and said("relay_up") >= 2, DEMO_S)
            broker.tell(signal.SIGSTOP)
            await demo.until(lambda: demo.inducted >= 30 and said("relay_down") >= 2, DEMO_S)
            stood_at = int(next(reversed(facts_of(Places(data), "camera"))).rpartition("/")[2])
            broker.tell(signal.SIGCONT)
            await demo.until(lambda: told_of(Places(data)) >= stood_at, DEMO_S)
            ended = await demo.ended()
        assert ended.code == 0, ended.out + ended.err
        facts = facts_of(Places(data), "camera")
        async with running_gateway(data, settings=settings, line="camera"):
            heard = [one for one in await heard_by(broker.port, next(reversed(facts))) if "id" in one]
    assert sum(of is not None for of in facts.values()) > 300
    all_are_there(facts, heard)


def told_of(places: Places) -> int:
    """The last row that the broker has acknowledged, as the gateway keeps it."""
    with closing(sqlite3.connect(f"{places.gateway.as_uri()}?mode=ro", uri=True)) as kept:
        (seen,) = kept.execute("SELECT seen FROM relay_cursor WHERE target='mqtt'").fetchone()
    return int(seen)


async def test_gaps_are_seen_by_prev_and_the_state_stands_for_whoever_comes_later(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    async with running_broker(tmp_path / "broker") as broker, relay_of(places, broker.port) as desk:
        journal = JournalWriter(places.journal, line_id=LINE, timezone=ZONE)
        async with asyncio.timeout(PATIENCE_S), subscriber(broker.port) as client:
            await client.subscribe(f"bk/{SITE}/{LINE}/+/+", qos=1)
            await until(lambda: desk.targets[0].up)
            await journal.append(parcel_life(1, 1_000_000), InboxSeq(1))
            await journal.close()
            desk.ring()
            wanted = list(facts_of(places))
            seen = 0
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                told = json.loads(message.payload)
                if "id" in told:
                    assert told["prev"] == seen
                    seen = told["seq"]
                if told.get("id") == wanted[-1]:
                    break
        standing = await retained(broker.port, 3)
    assert standing[f"bk/{SITE}/{LINE}/relay/online"] == {"online": True}
    assert standing[f"bk/{SITE}/{LINE}/line/state"]["line"] == LINE
    assert standing[f"bk/{SITE}/{LINE}/relay/cursor"]["sent"] == seen


async def retained(port: int, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with asyncio.timeout(PATIENCE_S), aiomqtt.Client("127.0.0.1", port, timeout=PATIENCE_S) as client:
        await client.subscribe("bk/#", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.retain or str(message.topic).endswith(
                "/relay/cursor"
            ):  # set a moment later, it may be
                found[str(message.topic)] = json.loads(message.payload)
            if len(found) == count:
                break
    return found


async def test_a_broker_that_is_away_at_start_is_found_later(tmp_path: Path) -> None:
    port = free_port()
    async with relay_of(Places(tmp_path / "data"), port) as desk:
        await until(lambda: desk.targets[0].failed > 0)
        (target,) = await desk.now()
        assert not target.up
        assert "refused" in target.why.lower()
    folder = tmp_path / "broker"
    async with running_broker(folder) as broker, relay_of(Places(tmp_path / "data"), broker.port) as desk:
        await until(lambda: desk.targets[0].up)
        (target,) = await desk.now()
        assert (target.why, target.lag_rows) == ("", 0)


async def up_at(gateway: GatewayProcess) -> dict[str, Any]:
    """The relay's one target, once it says that it is up: a moment after its broker knows."""
    async with asyncio.timeout(PATIENCE_S), gateway.client() as erp:
        while True:
            (target,) = (await erp.get("/v1/relay")).json()["targets"]
            if target["up"]:
                found: dict[str, Any] = target
                return found
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_when_the_gateway_goes_or_dies_the_broker_says_so(
    tmp_path: Path, number: signal.Signals
) -> None:
    """A subscriber can tell a gateway that is away from a line that is quiet."""
    async with running_broker(tmp_path / "broker") as broker:
        settings = ("relay.mqtt.host=127.0.0.1", f"relay.mqtt.port={broker.port}")
        async with (
            asyncio.timeout(PATIENCE_S),
            aiomqtt.Client("127.0.0.1", broker.port, timeout=PATIENCE_S) as client,
        ):
            await client.subscribe("bk/demo/demo/relay/online", qos=1)
            said = []
            async with running_gateway(tmp_path / "data", settings=settings) as gateway:
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    said.append(json.loads(message.payload)["online"])
                    if said[-1] is False:
                        break
                    target = await up_at(gateway)
                    assert (target["target"], target["dead_letters"]) == ("mqtt", 0)
                    await gateway.end(number)
    assert said == [True, False]
