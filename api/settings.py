"""Limits of the gateway: every one has a number and its reason."""

from dataclasses import dataclass

BATCH_MAX = 1_000
"""Orders or goods a call."""
SLICE = 5
"""Orders checked between two looks at other requests: checking, mapping and hashing one takes 0.2 ms, and a
cancel needs some ten such looks."""

MESSAGE_MAX_BYTES = 16 * 1024
"""Bodies of a few fields: nothing larger is parsed, since parsing holds up everyone else."""
ORDER_MAX_BYTES = 256 * 1024
"""One order or article: 500 lines take 75 kB."""
JSON_VALUES_MAX = 100_000
"""In one body: 1,000 orders with ten lines each have 60,000. Parsing takes 0.3 µs a value, in turns with
everyone else: 4 MB of empty lists would take 0.4 s of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Times in milliseconds, sizes in bytes."""

    body_max_bytes: int = 4 * 1024 * 1024
    """A batch of 1,000 orders with ten lines each is 1.2 MB."""
    bodies_max_bytes: int = 64 * 1024 * 1024
    """Of all requests at once, then 503: sixteen of the largest."""
    body_deadline_ms: int = 10_000
    """Slow senders: 4 MB in 10 s is 3.4 Mbit/s."""
    head_deadline_ms: int = 5_000
    """From the connection (or the first byte of a further request) to the end of its headers."""
    head_max_bytes: int = 16 * 1024
    keep_alive_s: int = 5
    shutdown_s: int = 3
    """Open requests are cut after this; a cancel's wait is 0.4 s."""
    in_flight_max: int = 256
    """Requests at once, then 503."""
    in_flight_per_key: int = 64
    """Requests of one key at once, then 429: a bulk cannot starve the operator."""
    exports_max: int = 2
    """CSV exports at once: each reads a day of parcels."""
    requests_per_s: int = 500
    """Of one key, evenly; a line of 12,000 parcels an hour takes three or four orders a second."""
    requests_burst: int = 2_000
    streams_max: int = 32
    """Event streams at once; each holds a request for hours."""
    streams_per_key: int = 16
    connections_max: int = 512
    """Sockets at once; more are closed unanswered."""
    backlog: int = 128
    writes_max: int = 2_048
    """Writes that wait for the writer thread, then 503."""
    write_wait_ms: int = 5_000
    """A commit takes 1–4 ms; after this the answer is 503, and the message may still come to stand."""
    cancel_wait_ms: int = 400
    """Architecture: after this the answer is ``cancel_pending``."""
    cancel_poll_ms: int = 5
    """Looks at the journal while a cancel waits, beside the doorbell."""
    line_metrics_ms: int = 2_000
    line_metrics_max_bytes: int = 4 * 1024 * 1024
    line_look_ms: int = 500
    """What the line process said of its belt and devices is told on for so long; it also has so long
    to answer."""
