"""The line process as it is now, asked on its Unix socket: the record cannot say whether it lives."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ValidationError

from api.settings import GatewaySettings
from edge.store.places import unix_name

NOW_MAX_BYTES: Final = 64 * 1024
"""A line has some ten devices of 60 bytes each."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """``belt_runs`` None: the PLC is away, nobody knows."""

    belt_runs: bool | None
    devices: Mapping[str, DeviceNow]


class _SaidDevice(BaseModel):
    up: bool
    heard_age_us: int | None


class _Said(BaseModel):
    """What ``edge.runtime.metrics.line_now`` makes."""

    belt_runs: bool | None
    devices: dict[str, _SaidDevice]


class LineProcess:
    """One question at a time; whoever asks meanwhile gets the same answer."""

    def __init__(self, socket: Path, settings: GatewaySettings) -> None:
        self._socket = socket
        self._settings = settings
        self._asking = asyncio.Lock()
        self._known: LineNow | None = None
        self._known_at = float("-inf")

    async def metrics(self, within_ms: int) -> LineText:
        """Raises ``LineSilent``."""
        return await self._asked("/metrics", within_ms, self._settings.line_metrics_max_bytes)

    async def now(self) -> LineNow | None:
        """Its belt and its devices, at most ``line_look_ms`` old; None while it does not answer."""
        now = asyncio.get_running_loop().time
        async with self._asking:
            if now() - self._known_at > self._settings.line_look_ms / 1000:
                try:
                    self._known = now_in(
                        (await self._asked("/now", self._settings.line_look_ms, NOW_MAX_BYTES)).body
                    )
                except LineSilent:
                    self._known = None
                self._known_at = now()
            return self._known

    async def _asked(self, path: str, within_ms: int, most_bytes: int) -> LineText:
        """Raises ``LineSilent``."""
        try:
            async with asyncio.timeout(within_ms / 1000):
                with unix_name(self._socket) as name:
                    return await _fetched(name, path, most_bytes)
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            raise LineSilent from error


def now_in(text: bytes) -> LineNow:
    """What the line says of itself. Raises ``LineSilent`` where that is not what it should be."""
    try:
        said = _Said.model_validate_json(text)
    except ValidationError as error:
        raise LineSilent from error
    return LineNow(
        belt_runs=said.belt_runs,
        devices={
            name: DeviceNow(
                up=one.up, heard_age_ms=None if one.heard_age_us is None else one.heard_age_us // 1_000
            )
            for name, one in said.devices.items()
        },
    )


async def _fetched(socket_name: str, path: str, most_bytes: int) -> LineText:
    transport = httpx2.AsyncHTTPTransport(uds=socket_name)
    text = bytearray()
    async with (
        httpx2.AsyncClient(transport=transport, trust_env=False) as client,
        client.stream("GET", f"http://line{path}") as answer,
    ):
        answer.raise_for_status()
        async for chunk in answer.aiter_raw():
            text += chunk
            if len(text) > most_bytes:
                raise LineSilent
        content_type = answer.headers.get("content-type", CONTENT_TYPE_LATEST)
    return LineText(content_type=content_type, body=bytes(text))
