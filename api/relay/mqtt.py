"""Journal → MQTT 3.1.1, QoS 1. A new client for each connection; the cursor moves behind the PUBACKs.

A broker that is killed may lose what it had acknowledged (PUBACK is not durability). So the broker keeps
a retained mark of how far we are, written behind the messages: one that comes back with an older mark, or
with none, gets again what it may have lost. Subscribers drop repeats by ``id`` and see gaps by ``prev``.
"""

import asyncio
import contextlib
import json
import sqlite3
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiomqtt

from api.relay.cursors import Cursors, Place
from api.relay.messages import STATE_KINDS, Outgoing, Source, outgoing
from api.relay.target import PAGE_ROWS, ReadRows, Target
from edge.model.ids import JournalSeq
from line_config.relay import MqttSettings

NAME: Final = "mqtt"
QOS: Final = 1
WINDOW: Final = 10
"""Messages under way at once."""
ANSWER_S: Final = 5.0
"""A broker that does not acknowledge for so long hangs: the connection is given up."""
KEEPALIVE_S: Final = 5
GOODBYE_S: Final = 1.0
"""An orderly end waits so long for its last word: the broker speaks our will only when we vanish."""
MARK_WAIT_S: Final = 1.0
"""A retained message comes with the subscription's answer; none within this time: there is none."""
MARK_EVERY: Final = 256
"""Messages between two marks, while there is no pause in which to set one."""
REWIND_ROWS: Final = 20_000
"""Sent again to a broker that has forgotten our mark: it has forgotten its subscribers' messages too."""

ReadState = Callable[[], Awaitable[dict[str, object]]]
"""The line as it stands, for the retained state. Raises ``OSError`` when the record cannot be read."""


class MqttTarget(Target):
    """One broker."""

    def __init__(
        self, settings: MqttSettings, source: Source, rows: ReadRows, state: ReadState, cursors: Cursors
    ) -> None:
        super().__init__(NAME, "mqtt")
        self._settings = settings
        self._source = source
        self._rows = rows
        self._state = state
        self._cursors = cursors
        self._marked = JournalSeq(0)
        self._mark_topic = source.topic("relay", "cursor")
        self._online_topic = source.topic("relay", "online")
        self._state_topic = source.topic("line", "state")

    async def run(self) -> None:
        self.place = await self._cursors.place(NAME)
        while True:
            try:
                async with self._client() as client:
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, sqlite3.Error) as error:
                self.went_down(str(error) or type(error).__name__)
            await self.pause()

    def _client(self) -> aiomqtt.Client:
        one = self._settings
        tls = None if one.ca_file is None else ssl.create_default_context(cafile=one.ca_file)
        password = None if one.password_file is None else Path(one.password_file).read_text().strip()
        return aiomqtt.Client(
            one.host,
            one.port,
            username=one.username,
            password=password,
            identifier=f"beltkeeper-{self._source.site}-{self._source.line}",
            will=aiomqtt.Will(self._online_topic, _online(False), qos=QOS, retain=True),
            timeout=ANSWER_S,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=WINDOW,
            tls_context=tls,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Until the connection breaks, which raises."""
        self._resume_at(await self._read_mark(client))
        listening = asyncio.create_task(_listen(client), name="mqtt-listen")
        try:
            await client.publish(self._online_topic, _online(True), qos=QOS, retain=True)
            await self._publish_state(client)
            self.came_up()
            while not listening.done():
                if not await self._relay_page(client):
                    await self._set_mark(client)
                    await self.more()
            listening.result()
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.publish(
                    self._online_topic, _online(False), qos=QOS, retain=True, timeout=GOODBYE_S
                )
            raise
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _relay_page(self, client: aiomqtt.Client) -> bool:
        """False: there was nothing."""
        rows = await self._rows(self.place.seen, PAGE_ROWS)
        if not rows:
            return False
        messages = outgoing(self._source, rows, self.place.sent)
        for first in range(0, len(messages), WINDOW):
            await self._publish(client, messages[first : first + WINDOW])
        if any(message.kind in STATE_KINDS for message in messages):
            await self._publish_state(client)
        self.place = Place(rows[-1].seq, messages[-1].seq if messages else self.place.sent)
        await self._cursors.advance(NAME, self.place)
        if self.place.seen - self._marked >= MARK_EVERY:
            await self._set_mark(client)
        return True

    async def _publish(self, client: aiomqtt.Client, messages: list[Outgoing]) -> None:
        """All acknowledged, or it raises; they leave in order."""
        answers = await asyncio.gather(
            *(client.publish(message.topic, message.text, qos=QOS) for message in messages),
            return_exceptions=True,
        )
        for answer in answers:
            if answer is not None:
                raise answer
        self.sent += len(messages)

    async def _publish_state(self, client: aiomqtt.Client) -> None:
        state = json.dumps(await self._state(), ensure_ascii=False)
        await client.publish(self._state_topic, state, qos=QOS, retain=True)

    # --- the mark that the broker keeps -------------------------------------------------------------

    async def _read_mark(self, client: aiomqtt.Client) -> Place | None:
        await client.subscribe(self._mark_topic, qos=QOS)
        found: Place | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MARK_WAIT_S):
                async for message in client.messages:
                    found = _mark(message.payload)
                    break
        await client.unsubscribe(self._mark_topic)
        return found

    def _resume_at(self, mark: Place | None) -> None:
        """The earlier of what we know and what the broker knows."""
        if mark is None:
            back = JournalSeq(max(0, self.place.seen - REWIND_ROWS))
            mark = Place(back, min(back, self.place.sent))
        if mark.seen < self.place.seen:
            self.place = mark
        self._marked = mark.seen

    async def _set_mark(self, client: aiomqtt.Client) -> None:
        if self._marked == self.place.seen:
            return
        mark = json.dumps({"seen": self.place.seen, "sent": self.place.sent})
        await client.publish(self._mark_topic, mark, qos=QOS, retain=True)
        self._marked = self.place.seen


async def _listen(client: aiomqtt.Client) -> None:
    """Nothing is expected; it raises when the connection breaks."""
    async for _ in client.messages:
        continue


def _online(on: bool) -> str:
    return json.dumps({"online": on})


def _mark(payload: object) -> Place | None:
    """None for what we have not written: then the broker knows nothing."""
    if not isinstance(payload, bytes):
        return None
    try:
        found = json.loads(payload)
        return Place(JournalSeq(int(found["seen"])), JournalSeq(int(found["sent"])))
    except (ValueError, TypeError, KeyError):
        return None
