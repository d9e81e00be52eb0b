"""Metrics of the gateway process: base units; labels from route templates and fixed enumerations only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from api.http.auth import OPEN_PATHS, REQUIRED
from edge.model.order import CancelOutcome

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS: Final = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"})
ROUTES: Final = frozenset({template for _, template in REQUIRED} | OPEN_PATHS)
OTHER: Final = "other"
NO_ANSWER: Final = "none"
"""The client went away, or we ended, before an answer began."""


class HasStatus(Protocol):
    @property
    def status(self) -> int: ...


class RelayTarget(Protocol):
    name: str
    up: bool
    sent: int
    failed: int
    dead: int

    @property
    def seen(self) -> int: ...


class _Relay(Collector):
    """The targets keep their own counts."""

    def __init__(self, targets: Callable[[], Sequence[RelayTarget]]) -> None:
        self._targets = targets

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("beltkeeper_gateway_relay_up", "The target takes messages.", labels=["target"])
        seq = GaugeMetricFamily(
            "beltkeeper_gateway_relay_seq",
            "Last row of the record that it has dealt with.",
            labels=["target"],
        )
        sent = CounterMetricFamily("beltkeeper_gateway_relay_sent", "Messages taken.", labels=["target"])
        failed = CounterMetricFamily(
            "beltkeeper_gateway_relay_failures", "Tries that failed.", labels=["target"]
        )
        dead = GaugeMetricFamily(
            "beltkeeper_gateway_relay_dead_letters",
            "Messages that the target refused, and that it has not taken since.",
            labels=["target"],
        )
        for target in self._targets():
            up.add_metric([target.name], float(target.up))
            seq.add_metric([target.name], target.seen)
            sent.add_metric([target.name], target.sent)
            failed.add_metric([target.name], target.failed)
            dead.add_metric([target.name], target.dead)
        yield from (up, seq, sent, failed, dead)


class GatewayMetrics:
    """One registry an app. A label never carries what a client wrote."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = r = CollectorRegistry()
        self._requests = Counter(
            "beltkeeper_gateway_requests",
            "Answered requests.",
            ["method", "route", "status"],
            registry=r,
        )
        self._seconds = Histogram(
            "beltkeeper_gateway_request_duration_seconds",
            "From the request's headers to the end of its answer.",
            ["route"],
            buckets=BUCKETS_S,
            registry=r,
        )
        self._in_flight = Gauge("beltkeeper_gateway_requests_in_flight", "Requests at work.", registry=r)
        self._refused_keys = Counter(
            "beltkeeper_gateway_keys_refused", "Requests without a valid key.", registry=r
        )
        self._cancels = Counter(
            "beltkeeper_gateway_cancels", "Cancels by the answer given.", ["outcome"], registry=r
        )
        for outcome in CancelOutcome:
            self._cancels.labels(outcome.value)
        self.writes_waiting = Gauge(
            "beltkeeper_gateway_writes_waiting", "Writes that wait for the writer thread.", registry=r
        )
        self.streams = Gauge("beltkeeper_gateway_streams", "Event streams that are open.", registry=r)
        self.inbox_seq = Gauge("beltkeeper_gateway_inbox_seq", "Last inbox row committed.", registry=r)
        self._commits = Histogram(
            "beltkeeper_gateway_commit_duration_seconds",
            "One durable commit of the inbox.",
            buckets=BUCKETS_S,
            registry=r,
        )

    def watch_relay(self, targets: Callable[[], Sequence[RelayTarget]]) -> None:
        """Of each target of the line's description, as it is when it is asked for."""
        self.registry.register(_Relay(targets))

    @contextmanager
    def request(self, scope: Scope, answer: HasStatus) -> Iterator[None]:
        """Counts one request, whatever becomes of it."""
        began = perf_counter()
        self._in_flight.inc()
        try:
            yield
        finally:
            self._in_flight.dec()
            route = route_label(scope)
            method = scope["method"] if scope["method"] in METHODS else OTHER
            status = f"{answer.status // 100}xx" if answer.status else NO_ANSWER
            self._requests.labels(method, route, status).inc()
            self._seconds.labels(route).observe(perf_counter() - began)

    def refused_key(self) -> None:
        self._refused_keys.inc()

    def cancel_answered(self, outcome: CancelOutcome) -> None:
        self._cancels.labels(outcome.value).inc()

    def committed(self, took_s: float) -> None:
        self._commits.observe(took_s)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)


def route_label(scope: Scope) -> str:
    """The route's template, or ``other``."""
    template = getattr(scope.get("route"), "path", "")
    return template if template in ROUTES else OTHER
