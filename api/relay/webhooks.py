"""Journal → signed webhooks (Standard Webhooks 1.0), one message a request, in order, one at a time.

An endpoint that is away, busy or broken (no answer, 408, 425, 429, 5xx) makes its own queue wait, which
is the journal; for as long as it asks by ``Retry-After``, an hour at most. One that answers and refuses a
message (any other status, redirects included) gets it ``TRIES`` times, then it is a dead letter, and the
next is sent; a 5xx that never ends counts so too. A dead letter is sent again out of turn, after each of
``LATER_S``: three days in all, as Standard Webhooks advise; then only when a person wants it. An endpoint
that says that it is gone (410) is asked once an hour, and its queue waits meanwhile.
"""

import asyncio
import base64
import sqlite3
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx2
from standardwebhooks.webhooks import Webhook

from api.clock import utc_now
from api.relay.cursors import Cursors, DeadLetter, Place
from api.relay.messages import Outgoing, Source, outgoing
from api.relay.target import PAGE_ROWS, ReadRows, Target
from edge.model.units import UtcUs
from line_config.relay import WebhookSettings

ANSWER_S: Final = 15.0
"""The least that Standard Webhooks advise; an endpoint that is always slower holds its queue up for good."""
TRIES: Final = 5
"""Of a message that is refused."""
BROKEN_TRIES: Final = 20
"""Of a message that is answered by 5xx: with the pauses between them about nine minutes."""
LATER_S: Final = (300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each further try of a dead letter: the example of Standard Webhooks 1.0 behind its first tries."""
GONE: Final = 410
GONE_S: Final = 3_600.0
"""Between two looks whether an endpoint that was gone is wanted again."""
PREFIX: Final = "whsec_"
BUSY: Final = frozenset({408, 425, 429})
LONGEST_S: Final = 3_600.0
"""That an endpoint may ask for by ``Retry-After``."""


class Refused(Exception):
    """The endpoint has answered, and does not want this message. ``broken``: a 5xx; ``wait_s`` as of
    ``Away``."""

    def __init__(self, why: str, *, broken: bool, wait_s: float) -> None:
        super().__init__(why)
        self.broken = broken
        self.wait_s = wait_s


class SecretUnusable(Exception):
    """One sentence that says which file, and never what is in it."""


class Away(Exception):
    """Nobody has taken or refused it: try again, after ``wait_s`` at the least."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class EndpointGone(Exception):
    """It wants nothing more: a person must say otherwise there, or take it out of the line's file."""


class WebhookTarget(Target):
    """One endpoint. Raises ``SecretUnusable``."""

    def __init__(self, settings: WebhookSettings, source: Source, rows: ReadRows, cursors: Cursors) -> None:
        super().__init__(settings.id, "webhook")
        self._url = settings.url
        self._kinds = frozenset(settings.kinds)
        self._source = source
        self._rows = rows
        self._cursors = cursors
        self._signer = Webhook(secret_of(Path(settings.secret_file)))
        self._tries = 0
        """Of the message that is next."""

    async def run(self) -> None:
        self.place = await self._cursors.place(self.name)
        self.dead = await self._cursors.dead(self.name)
        async with httpx2.AsyncClient(timeout=ANSWER_S, follow_redirects=False) as client:
            while True:
                try:
                    await self._go_on(client)
                except EndpointGone as error:
                    self.went_down(str(error))
                    await asyncio.sleep(GONE_S)
                except Away as away:
                    self.went_down(str(away))
                    await self.pause(away.wait_s)
                except (OSError, sqlite3.Error) as error:
                    self.went_down(str(error) or type(error).__name__)
                    await self.pause()

    async def _go_on(self, client: httpx2.AsyncClient) -> None:
        """One dead letter that is due, and a page of the record: neither waits for all of the other."""
        letter = await self._cursors.next_letter(self.name, utc_now())
        if letter is not None:
            await self._send_again(client, letter)
        if not await self._send_page(client) and letter is None:
            await self.more()

    async def _send_page(self, client: httpx2.AsyncClient) -> bool:
        """False: there was nothing. A page that was not sent to its end goes on where it stopped."""
        rows = await self._rows(self.place.seen, PAGE_ROWS)
        if not rows:
            return False
        for message in outgoing(self._source, rows, self.place.sent, self._kinds):
            await self._send(client, message)
            self._tries = 0
            self.place = Place(message.seq, message.seq)
            await self._cursors.advance(self.name, self.place)
        self.place = Place(rows[-1].seq, self.place.sent)
        await self._cursors.advance(self.name, self.place)
        return True

    async def _send(self, client: httpx2.AsyncClient, message: Outgoing) -> None:
        """Taken, or a dead letter; else it raises ``Away``."""
        try:
            await self._post(client, message.id, message.text)
        except Refused as refused:
            self._tries += 1
            if self._tries < (BROKEN_TRIES if refused.broken else TRIES):
                raise Away(str(refused), refused.wait_s) from refused
            now = utc_now()
            due = _after(now, 0)
            assert due is not None
            if not await self._cursors.bury(self.name, message, self._tries, str(refused), now, due):
                raise Away(f"too many dead letters, and another one: {refused}") from refused
            self.dead = await self._cursors.dead(self.name)

    async def _send_again(self, client: httpx2.AsyncClient, letter: DeadLetter) -> None:
        """Once, because it is due or a person wants it; that person's try is none of its own."""
        due, retries, now = letter.due_utc_us, letter.retries, utc_now()
        if due is not None and due <= now:
            retries += 1
            due = _after(now, retries)
        try:
            await self._post(client, letter.message_id, letter.body)
        except Refused as refused:
            await self._cursors.refused_again(letter, str(refused), now, retries, due)
        else:
            await self._cursors.forget(letter.id)
            self.dead = await self._cursors.dead(self.name)

    async def _post(self, client: httpx2.AsyncClient, message_id: str, text: str) -> None:
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message_id, now, text),
        }
        try:
            answer = await client.post(self._url, content=text.encode(), headers=headers)
        except httpx2.HTTPError as error:
            raise Away(f"no answer: {type(error).__name__}") from error
        if answer.status_code == GONE:
            raise EndpointGone(f"answered {GONE}: it wants no messages any more")
        wait_s = wanted_pause_s(answer.headers.get("retry-after", ""), now)
        if answer.status_code in BUSY:
            raise Away(f"answered {answer.status_code}", wait_s)
        if not answer.is_success:
            raise Refused(f"answered {answer.status_code}", broken=answer.is_server_error, wait_s=wait_s)
        self.sent += 1
        self.came_up()


def wanted_pause_s(retry_after: str, now: datetime) -> float:
    """What ``Retry-After`` asks for (RFC 9110, 10.2.3: seconds, or a date), an hour at most; 0 where it is
    neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), LONGEST_S)
    try:
        asked = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    until = asked if asked.tzinfo is not None else asked.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_S)


def _after(now: UtcUs, retries: int) -> UtcUs | None:
    """When a dead letter is due that was sent again so many times; None: it was the last."""
    return UtcUs(now + int(LATER_S[retries] * 1_000_000)) if retries < len(LATER_S) else None


def secret_of(path: Path) -> str:
    """The secret as Standard Webhooks write it, ``whsec_`` and base64 of 24 to 64 bytes, alone in its
    file. Raises ``SecretUnusable``."""
    try:
        text = path.read_text(encoding="ascii").strip()
        size = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except OSError as error:
        raise SecretUnusable(f"{path}: {error.strerror}: a webhook's secret is read from it") from None
    except ValueError:
        text, size = "", 0
    if not text.startswith(PREFIX) or not 24 <= size <= 64:
        raise SecretUnusable(f"{path}: holds no webhook secret: {PREFIX} and base64 of 24 to 64 bytes")
    return text
