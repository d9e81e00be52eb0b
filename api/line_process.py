"""The line process as it is now, asked on its Unix socket: the record cannot say whether it lives."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.settings import GatewaySettings
from edge.store.places import unix_name

_SAMPLE: Final = re.compile(
    rb'^beltkeeper_device_(up|heard_age_seconds)\{device="([^"\\]*)"\} (\S+)$', re.MULTILINE
)


class LineSilent(Exception):
    """It did not answer in time, or not in a way that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineText:
    """Its metrics, as it gave them."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """``heard_age_ms``: since its last word; None where it has not spoken in this run."""

    up: bool
    heard_age_ms: int | None


class LineProcess:
    """One question at a time; whoever asks meanwhile gets the same answer."""

    def __init__(self, socket: Path, settings: GatewaySettings) -> None:
        self._socket = socket
        self._settings = settings
        self._asking = asyncio.Lock()
        self._known: Mapping[str, DeviceNow] | None = None
        self._known_at = float("-inf")

    async def metrics(self, within_ms: int) -> LineText:
        """Raises ``LineSilent``."""
        try:
            async with asyncio.timeout(within_ms / 1000):
                with unix_name(self._socket) as name:
                    return await _fetched(name, self._settings.line_metrics_max_bytes)
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            raise LineSilent from error

    async def devices(self) -> Mapping[str, DeviceNow] | None:
        """Its devices by id, at most ``line_look_ms`` old; None while it does not answer."""
        now = asyncio.get_running_loop().time
        async with self._asking:
            if now() - self._known_at > self._settings.line_look_ms / 1000:
                try:
                    self._known = devices_in((await self.metrics(self._settings.line_look_ms)).body)
                except LineSilent:
                    self._known = None
                self._known_at = now()
            return self._known


def devices_in(text: bytes) -> dict[str, DeviceNow]:
    """What the line's exposition says of its devices."""
    up: dict[str, bool] = {}
    ages: dict[str, int] = {}
    for what, device, value in _SAMPLE.findall(text):
        try:
            number = float(value)
        except ValueError:
            continue
        if what == b"up":
            up[device.decode("utf-8", "replace")] = number == 1
        else:
            ages[device.decode("utf-8", "replace")] = round(number * 1000)
    return {device: DeviceNow(up=is_up, heard_age_ms=ages.get(device)) for device, is_up in up.items()}


async def _fetched(socket_name: str, most_bytes: int) -> LineText:
    transport = httpx2.AsyncHTTPTransport(uds=socket_name)
    text = bytearray()
    async with (
        httpx2.AsyncClient(transport=transport, trust_env=False) as client,
        client.stream("GET", "http://line/metrics") as answer,
    ):
        answer.raise_for_status()
        async for chunk in answer.aiter_raw():
            text += chunk
            if len(text) > most_bytes:
                raise LineSilent
        content_type = answer.headers.get("content-type", CONTENT_TYPE_LATEST)
    return LineText(content_type=content_type, body=bytes(text))
