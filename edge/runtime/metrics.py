"""Metrics of the line process: base units, labels from fixed enumerations and the line's own chutes.

Served as text on a Unix socket; the gateway passes them on. No barcode, order or track is a label.
Beside them ``/now``: what a page asks for again and again, for a twentieth of what a scrape costs.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from edge.core.state import CoreState
from edge.model.alarm import AlarmKind
from edge.model.codes import ReadQuality
from edge.model.divert import CommandStatus
from edge.model.ids import DeviceId, ReaderId
from edge.model.line import LineState
from edge.model.records import (
    Decided,
    Exited,
    Identified,
    Missing,
    RecordBody,
    Refused,
    ToldTimed,
    TrackOpened,
    Weighed,
)
from edge.model.register_map import StateBit
from edge.model.topology import Topology
from edge.model.units import US_PER_S
from edge.model.verdict import Reason
from edge.model.weight import WeightQuality
from edge.store.places import unix_name

TOLD_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0)
REQUEST_LIMIT = 8_192
SCRAPES_AT_ONCE = 4
"""Connections; whoever comes beyond is hung up on. One gateway asks, and one person."""
REQUEST_S = 2.0
"""A scrape that has not asked by then is closed."""


class LineMetrics:
    """One registry a process; ``see`` counts a record, the gauges are read when scraped."""

    def __init__(self, topology: Topology) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        r = self.registry
        self._inducted = Counter("beltkeeper_parcels_inducted", "Parcels that were inducted.", registry=r)
        self._exited = Counter(
            "beltkeeper_parcels_exited",
            "Parcels seen by a confirm eye.",
            ["chute", "reason"],
            registry=r,
        )
        self._missing = Counter(
            "beltkeeper_parcels_missing", "Parcels that ended without a confirm.", ["reason"], registry=r
        )
        self._mis_sorted = Counter(
            "beltkeeper_parcels_mis_sorted", "Confirmed at another exit than decided.", registry=r
        )
        self._reads = Counter("beltkeeper_reads", "Read windows by quality.", ["quality"], registry=r)
        self._weights = Counter("beltkeeper_weights", "Captures by quality.", ["quality"], registry=r)
        self._decided = Counter("beltkeeper_decisions", "Decisions by reason.", ["reason"], registry=r)
        self._refused = Counter("beltkeeper_commands_refused", "Refused by the PLC.", ["status"], registry=r)
        self._told = Histogram(
            "beltkeeper_decide_to_told_seconds",
            "From the last input of a decision to its durable acknowledgement.",
            buckets=TOLD_BUCKETS_S,
            registry=r,
        )
        self._plc_wait = Histogram(
            "beltkeeper_plc_wait_seconds",
            "Of decide to told, waiting for the PLC.",
            buckets=TOLD_BUCKETS_S,
            registry=r,
        )
        self._chutes = {chute.id for chute in topology.chutes}
        self._zero_labels()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge whose value is asked for at each scrape."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def watch(
        self,
        state: CoreState,
        devices: Callable[[], Mapping[DeviceId, bool]],
        heard: Callable[[], Mapping[DeviceId, int]],
    ) -> None:
        """Gauges that tell ``state``, which links are up and how many µs ago each device spoke, as they
        are when scraped: also right after a restart, on a state that no record of this run has made."""
        self.registry.register(_Now(state, devices, heard))

    def watch_cameras(self, frames: Callable[[], Mapping[ReaderId, tuple[int, int]]]) -> None:
        """``frames``: of each camera how many came in this run, and how many nobody looked at."""
        self.registry.register(_Frames(frames))

    def see(self, body: RecordBody) -> None:
        match body:
            case TrackOpened():
                self._inducted.inc()
            case Exited():
                chute = body.chute if body.chute in self._chutes else ""
                self._exited.labels(chute, body.reason.value).inc()
                if body.mis_sorted:
                    self._mis_sorted.inc()
            case Missing():
                self._missing.labels(body.reason.value).inc()
            case Identified():
                self._reads.labels(body.quality.value).inc()
            case Weighed():
                self._weights.labels(body.reading.quality.value).inc()
            case Decided():
                self._decided.labels(body.reason.value).inc()
            case Refused():
                self._refused.labels(body.status.name.lower()).inc()
            case ToldTimed():
                self._told.observe(body.decide_to_told_us / US_PER_S)
                self._plc_wait.observe(body.plc_wait_us / US_PER_S)
            case _:
                pass

    def _zero_labels(self) -> None:
        """What is counted exists from the first scrape on, at 0: a rate needs a beginning."""
        for quality in ReadQuality:
            self._reads.labels(quality.value)
        for weight in WeightQuality:
            self._weights.labels(weight.value)
        for status in CommandStatus:
            if status > CommandStatus.APPLIED:
                self._refused.labels(status.name.lower())
        for reason in Reason:
            self._decided.labels(reason.value)
            self._missing.labels(reason.value)


class _Now(Collector):
    """The core's state and the links as gauges, read at each scrape."""

    def __init__(
        self,
        state: CoreState,
        devices: Callable[[], Mapping[DeviceId, bool]],
        heard: Callable[[], Mapping[DeviceId, int]],
    ) -> None:
        self._state = state
        self._devices = devices
        self._heard = heard

    def collect(self) -> Iterator[GaugeMetricFamily]:
        state = self._state
        alarms = GaugeMetricFamily("beltkeeper_alarms_standing", "Standing alarms.", labels=["kind"])
        for kind in AlarmKind:
            alarms.add_metric([kind.value], sum(1 for one in state.alarms.values() if one.kind is kind))
        yield alarms
        yield GaugeMetricFamily(
            "beltkeeper_induction_permitted", "1 while induction is permitted.", value=int(state.permitted)
        )
        line = GaugeMetricFamily("beltkeeper_line_state", "1 for the state of the line.", labels=["state"])
        for one in LineState:
            line.add_metric([one.value], int(state.line is one))
        yield line
        yield GaugeMetricFamily(
            "beltkeeper_parcels_on_belt", "Tracks without an end.", value=len(state.tracks)
        )
        up = GaugeMetricFamily("beltkeeper_device_up", "1 while the device's link is up.", labels=["device"])
        for device, is_up in self._devices().items():
            up.add_metric([device], int(is_up))
        yield up
        age = GaugeMetricFamily(
            "beltkeeper_device_heard_age_seconds", "Since the device's last word.", labels=["device"]
        )
        for device, age_us in self._heard().items():
            age.add_metric([device], age_us / US_PER_S)
        yield age


class _Frames(Collector):
    """What the cameras say of their frames, read at each scrape."""

    def __init__(self, frames: Callable[[], Mapping[ReaderId, tuple[int, int]]]) -> None:
        self._frames = frames

    def collect(self) -> Iterator[CounterMetricFamily]:
        came = CounterMetricFamily("beltkeeper_camera_frames", "Frames that came.", labels=["reader"])
        missed = CounterMetricFamily(
            "beltkeeper_camera_frames_missed",
            "Frames that came too late, or were overtaken by a newer one before anybody looked at them.",
            labels=["reader"],
        )
        for reader, (frames, unseen) in self._frames().items():
            came.add_metric([reader], frames)
            missed.add_metric([reader], unseen)
        yield came
        yield missed


class _Family(Collector):
    """One family, where a whole registry is asked for."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)


def line_now(state: CoreState, devices: Mapping[DeviceId, bool], heard: Mapping[DeviceId, int]) -> bytes:
    """One JSON object: whether the belt runs (null: the PLC is away, nobody knows), and of each device
    whether its link is up and how many µs ago it spoke (null: not in this run)."""
    plc = state.plc
    runs = bool(plc.bits.state & StateBit.RUN) if plc.attached else None
    links = {name: {"up": up, "heard_age_us": heard.get(name)} for name, up in devices.items()}
    return json.dumps({"belt_runs": runs, "devices": links}).encode()


class MetricsSocket:
    """Answers ``GET`` on a Unix socket, one answer a connection: ``/now`` with what ``now`` makes, anything
    else with the registry's text."""

    def __init__(self, path: Path, registry: CollectorRegistry, now: Callable[[], bytes]) -> None:
        self._path = path
        self._registry = registry
        self._now = now
        self._server: asyncio.Server | None = None
        self._scrapes = 0

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)
        with unix_name(self._path) as name:
            self._server = await asyncio.start_unix_server(self._serve, name, limit=REQUEST_LIMIT)
        self._path.chmod(0o660)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._scrapes < SCRAPES_AT_ONCE:
            self._scrapes += 1
            try:
                await self._answer(reader, writer)
            finally:
                self._scrapes -= 1
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError
        ):
            async with asyncio.timeout(REQUEST_S):
                request = await reader.readuntil(b"\r\n\r\n")
                if request.startswith(b"GET /now "):
                    kind, body = "application/json", self._now()
                else:
                    kind, body = CONTENT_TYPE_LATEST, await self._text()
                head = (
                    f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()

    async def _text(self) -> bytes:
        """Family by family: a scrape never holds the control loop for longer than one of them takes."""
        pieces = []
        for family in self._registry.collect():
            pieces.append(generate_latest(_Family(family)))
            await asyncio.sleep(0)
        return b"".join(pieces)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)
