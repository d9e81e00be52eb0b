"""A real Prometheus on the running demo: every panel's query has an answer, every rule works, every metric
has its place. Rendering in Grafana itself is not tested."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from line_config.load import load_line
from simulators.demo.cast import free_ports
from tests.grafana_kit import GRAFANA, alerts, closed_labels, open_values, queries, shown_nowhere
from tests.wire.demo_process import RunningDemo, running_demo
from tests.wire.test_demo import cut_api_port

pytestmark = [pytest.mark.wire, pytest.mark.slow]
PARCELS = 60
SCRAPE_S = 1
READY_S = 60.0
"""No promise of the product's: prometheus is up, and has looked at both jobs."""
ANSWER_S = 60.0
"""From the last parcel's exit to the last panel that has something to show."""
JOBS = ("beltkeeper-line", "beltkeeper-gateway")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here (Debian package prometheus)")
    return found


def configured(folder: Path, port: int, key: str) -> Path:
    """The configuration that is shipped, with this demo's port and a quicker pace."""
    text = (GRAFANA / "prometheus" / "prometheus.yml").read_text()
    for old, new in (
        ("127.0.0.1:8080", f"127.0.0.1:{port}"),
        ("scrape_interval: 5s", f"scrape_interval: {SCRAPE_S}s"),
        ("scrape_timeout: 4s", f"scrape_timeout: {SCRAPE_S}s"),
        ("evaluation_interval: 5s", f"evaluation_interval: {SCRAPE_S}s"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    (folder / "beltkeeper.key").write_text(key)
    shutil.copy(GRAFANA / "prometheus" / "rules.yml", folder)
    return folder / "prometheus.yml"


@asynccontextmanager
async def prometheus(config: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """From when it says that it is ready (before that it answers 503 to everything); killed at the end."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        tool("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={config.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}/api/v1"
    try:
        async with httpx2.AsyncClient(base_url=base, trust_env=False, timeout=READY_S) as client:
            async with asyncio.timeout(READY_S):
                while not await is_ready(client, port):
                    await asyncio.sleep(0.2)
            yield client
    finally:
        process.kill()
        await process.wait()


async def is_ready(client: httpx2.AsyncClient, port: int) -> bool:
    try:
        answer = await client.get(f"http://127.0.0.1:{port}/-/ready")
    except httpx2.TransportError:
        return False
    return answer.status_code == 200


async def asked(client: httpx2.AsyncClient, path: str, **parameters: str) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.headers["Content-Type"].startswith("application/json"), answer.text
    told = answer.json()
    assert told["status"] == "success", told
    return told["data"]


async def up(client: httpx2.AsyncClient) -> set[str]:
    found = await asked(client, "/query", query="up == 1")
    return {one["metric"]["job"] for one in found["result"]}


async def without_answer(client: httpx2.AsyncClient) -> list[str]:
    """Panels whose query is understood and gives no series."""
    found = []
    for one in queries():
        data = await asked(client, "/query", query=one.expr)
        if not data["result"]:
            found.append(f"{one.board}, {one.panel}: {one.expr}")
    return found


async def looked_at(demo: RunningDemo, client: httpx2.AsyncClient) -> None:
    silent: list[str] = []
    try:
        async with asyncio.timeout(ANSWER_S):
            while silent := await without_answer(client):
                await asyncio.sleep(1)
    except TimeoutError:
        pytest.fail("\n".join(["these panels stay empty:", *silent]))
    names = {name for name in await asked(client, "/label/__name__/values") if name.startswith("beltkeeper_")}
    assert len(names) > 30
    assert shown_nowhere(names) == set(), "put it on a panel, or say in SPARE of grafana/boards.py why not"

    series = await asked(client, "/series", **{"match[]": '{__name__=~"beltkeeper_.+"}'})
    assert len(series) > 300
    closed = closed_labels(load_line("camera").topology)
    instance = f"127.0.0.1:{cut_api_port(demo.data)}"
    closed |= {"job": set(JOBS), "line": {"demo"}, "instance": {instance}}
    assert open_values(series, closed) == []
    seen = {label: {one[label] for one in series if label in one} for label in closed}
    assert all(len(seen[label]) > 1 for label in ("chute", "device", "quality", "reason", "route")), seen

    rules = [rule for group in (await asked(client, "/rules"))["groups"] for rule in group["rules"]]
    assert [rule["name"] for rule in rules] == [alert.name for alert in alerts()]
    assert {rule["health"] for rule in rules} == {"ok"}, [rule.get("lastError") for rule in rules]
    firing = {
        one["labels"]["alertname"]
        for one in (await asked(client, "/alerts"))["alerts"]
        if one["state"] == "firing"
    }
    assert not firing & {"BeltkeeperLineDown", "BeltkeeperGatewayDown", "BeltkeeperMisSorted"}


def checked_by_promtool(text: str) -> None:
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip()
    assert said == "", said


async def test_every_panel_shows_something_of_the_running_demo(tmp_path: Path) -> None:
    tool("prometheus")
    (nobody,) = free_ports(1)
    relay = ("--set", "relay.mqtt.host=127.0.0.1", "--set", f"relay.mqtt.port={nobody}")
    async with running_demo(tmp_path / "d", "--forever", "--seed", "11", *relay) as demo:
        await demo.until(lambda: demo.inducted >= 1)
        port = cut_api_port(demo.data)
        key = json.loads((demo.data / "first-keys.json").read_text())["operator-1"]
        config = configured(tmp_path, port, key)
        async with prometheus(config) as client:
            async with asyncio.timeout(READY_S):
                while await up(client) != set(JOBS):
                    await asyncio.sleep(0.5)
            await demo.until(lambda: demo.rows("SELECT 1 FROM parcel WHERE exit_reason<>'ok'"))
            await demo.until(lambda: demo.inducted >= PARCELS)
            await looked_at(demo, client)
        headers = {"X-API-Key": key}
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=READY_S
        ) as gateway:
            for path in ("/metrics", "/metrics/line"):
                checked_by_promtool((await gateway.get(path)).text)


def test_what_promtool_does_not_like_is_seen() -> None:
    with pytest.raises(AssertionError, match="_total"):
        checked_by_promtool("# HELP beltkeeper_x No.\n# TYPE beltkeeper_x counter\nbeltkeeper_x 1\n")
