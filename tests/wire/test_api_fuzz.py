"""Whatever is sent, the gateway answers as its own description says: schemathesis against the real process.

``BELTKEEPER_API_CASES`` says how many cases (of each operation as many). The event stream never ends and
is left out here; ``test_gateway_streams`` has it.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client import CollectorRegistry
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import console
from api.http.auth import GRANTS, REQUIRED, Role
from api.settings import GatewaySettings
from edge.model.ids import InboxSeq
from edge.model.order import CancelOutcome
from edge.runtime.metrics import MetricsSocket
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from tests.core.store_kit import MIDNIGHT, clock, parcel_life
from tests.line.gateway_kit import open_line
from tests.wire.gateway_process import START_S, GatewayProcess, running_gateway

pytestmark = [pytest.mark.wire, pytest.mark.slow]
CASES = int(os.environ.get("BELTKEEPER_API_CASES", "300"))
ENDLESS = "stream_events"
TRIES = 5
WAITED_S = GatewaySettings().cancel_wait_ms / 1_000
"""The gateway waits for nobody for less than this."""
WANTED: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


async def _write_record(places: Places) -> None:
    places.journal.parent.mkdir(parents=True)
    journal = JournalWriter(places.journal, line_id="demo", timezone="Asia/Shanghai")
    await journal.append([clock(1, MIDNIGHT)], InboxSeq(0))
    for track in range(1, 40):
        await journal.append(parcel_life(track, 10 * track), InboxSeq(0))
    await journal.close()


def keys_for(data: Path) -> dict[Role, str]:
    """One of each role, made on the console of the running gateway."""
    made = {
        role: console.ask(data, {"do": "add", "name": f"fuzz-{role}", "role": role.value}) for role in Role
    }
    return {role: str(answer["added"]["text"]) for role, answer in made.items()}


def role_for(case: Case[Any]) -> Role:
    """One that may do it."""
    permission = REQUIRED.get((case.method.upper(), case.operation.path))
    return next(role for role in Role if permission is None or permission in GRANTS[role])


def answer_to(case: Case[Any], **how: Any) -> Response:
    """Asked again where the gateway has waited in vain for the line or the disk, as on a machine that stands
    still; a 503 without a wait is an answer."""
    for _ in range(TRIES):
        began_s = monotonic()
        answer = case.call(**how)
        if answer.status_code != 503 or monotonic() - began_s < WAITED_S:
            return answer
    raise AssertionError(f"{case.method} {case.path}: asked {TRIES} times in vain")


def fuzzed(gateway: GatewayProcess, keys: dict[Role, str]) -> Counter[str]:
    """Answers by operation and status. Raises what schemathesis finds."""
    base = f"http://127.0.0.1:{gateway.port}"
    session = requests.Session()
    session.trust_env = False
    document: dict[str, Any] = session.get(
        f"{base}/openapi.json", headers={"X-API-Key": keys[Role.ERP]}, timeout=START_S
    ).json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    chosen = [one for one in operations if one.definition.raw["operationId"] != ENDLESS]
    routes = [path for _, path in REQUIRED if path.startswith(("/v1/", "/metrics"))]
    assert len(chosen) == len(routes), "all but one, and /health, which needs no key; pages are no API"
    seen: Counter[str] = Counter()
    asked = [one for one in chosen if one.definition.raw.get("parameters") or one.body]
    each = -(-CASES // (2 * len(asked)))
    for operation in chosen:
        modes = list(GenerationMode) if operation in asked else [GenerationMode.POSITIVE]
        for mode in modes:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=each,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: Case[Any]) -> None:
                headers = {"X-API-Key": keys[role_for(case)]}
                answer = answer_to(case, base_url=base, session=session, headers=headers, timeout=START_S)
                seen[f"{case.method} {case.operation.path} {answer.status_code}"] += 1
                case.validate_response(answer, checks=WANTED)

            ask()
    return seen


async def test_every_answer_is_one_that_the_description_has(tmp_path: Path) -> None:
    places = Places(tmp_path)
    await _write_record(places)
    async with (
        running_gateway(tmp_path) as gateway,
        open_line(places, lambda row: (CancelOutcome.ACCEPTED,)),
    ):
        metrics = MetricsSocket(places.line_metrics, CollectorRegistry(), lambda: b"{}")
        await metrics.open()
        keys = await asyncio.to_thread(keys_for, tmp_path)
        seen = await asyncio.to_thread(fuzzed, gateway, keys)
        await metrics.close()
        async with gateway.client("erp-1") as client:
            assert (await client.get("/health")).status_code == 200
    statuses = Counter(name.rpartition(" ")[2] for name in seen.elements())
    print(f"\n{seen.total()} cases: {dict(sorted(statuses.items()))}")
    assert not [status for status in statuses if status.startswith("5")], seen
    assert seen.total() >= CASES * 0.9
    assert statuses["200"] > seen.total() / 20, "not all of it is turned away at the door"
