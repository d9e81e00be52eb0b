"""Keys on the local console: added, rotated and withdrawn while the gateway serves, with who did it."""

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from api import console
from api.http.auth import KEY_PREFIX, Role
from edge.cli import app
from edge.store.inbox_reader import InboxReader
from edge.store.places import Places
from tests.line.gateway_kit import Desk, open_desk, order_json, slug_of

USER = console.actor_of(os.getuid())


async def asked(data: Path, **question: str) -> dict[str, Any]:
    return await asyncio.to_thread(console.ask, data, question)


def with_key(desk: Desk, text: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=desk.app)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers={"X-API-Key": text})


async def status_of(desk: Desk, text: str) -> int:
    async with with_key(desk, text) as client:
        return (await client.get("/v1/line")).status_code


async def test_a_key_is_changed_without_a_gap_while_the_gateway_serves(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert stat.S_IMODE(desk.places.console.stat().st_mode) == 0o600
        old = (await asked(tmp_path, do="add", name="ipc-2", role="erp"))["added"]
        assert (old["name"], old["role"], old["text"][:3]) == ("ipc-2", "erp", KEY_PREFIX)
        assert await status_of(desk, old["text"]) == 200
        new = (await asked(tmp_path, do="add", name="ipc-2", role="erp"))["added"]
        assert [await status_of(desk, key["text"]) for key in (old, new)] == [200, 200]
        prints = [
            k["fingerprint"] for k in (await asked(tmp_path, do="list"))["keys"] if k["name"] == "ipc-2"
        ]
        third = await asked(tmp_path, do="add", name="ipc-2", role="erp")
        assert third == {"refused": "two_stand", "values": {"name": "ipc-2"}}
        which = await asked(tmp_path, do="withdraw", name="ipc-2")
        assert (which["refused"], which["values"]["which"].split(", ")) == ("which_key", prints)
        gone = await asked(tmp_path, do="withdraw", name="ipc-2", fingerprint=prints[0])
        assert gone == {"withdrawn": {"name": "ipc-2", "fingerprint": prints[0]}}
        assert [await status_of(desk, key["text"]) for key in (old, new)] == [401, 200]
        last = await asked(tmp_path, do="withdraw", name="ipc-2")
        assert last["withdrawn"]["fingerprint"] == prints[1]
        assert await status_of(desk, new["text"]) == 401
    assert not Places(tmp_path).console.exists()
    reader = InboxReader(Places(tmp_path).inbox)
    mine = [(one.what, one.by) for one in reader.key_changes() if one.name == "ipc-2"]
    assert mine == [("added", USER), ("added", USER), ("withdrawn", USER), ("withdrawn", USER)]
    reader.close()


@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        ({"do": "add", "name": "Erp 1", "role": "erp"}, "name_invalid"),
        ({"do": "add", "name": "", "role": "erp"}, "name_invalid"),
        ({"do": "add", "name": "x", "role": "admin"}, "role_unknown"),
        ({"do": "add", "name": "erp", "role": "operator"}, "role_differs"),
        ({"do": "withdraw", "name": "nobody"}, "no_such_key"),
        ({"do": "withdraw", "name": "erp", "fingerprint": "00000000"}, "no_such_key"),
    ],
)
async def test_what_the_console_is_refused(tmp_path: Path, question: dict[str, str], refusal: str) -> None:
    async with open_desk(tmp_path) as desk:
        before = len(desk.app.gateway.keys)
        assert (await asked(tmp_path, **question))["refused"] == refusal
        assert len(desk.app.gateway.keys) == before


@pytest.mark.parametrize(
    "garbage", [b"\n", b"[]\n", b"{" * 9_000, b"[" * 4_000 + b"\n", b"no json\n", b'{"do": ["add"]}']
)
async def test_garbage_on_the_console_is_not_answered_and_harms_nobody(
    tmp_path: Path, garbage: bytes
) -> None:
    failed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    async with open_desk(tmp_path) as desk:
        reader, writer = await asyncio.open_unix_connection(str(desk.places.console))
        writer.write(garbage)
        writer.write_eof()
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        assert len((await asked(tmp_path, do="list"))["keys"]) == 4
    assert not failed


async def test_another_user_of_the_machine_is_not_answered_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_uid_of", lambda _: os.getuid() + 1)
    async with open_desk(tmp_path) as desk:
        reader, writer = await asyncio.open_unix_connection(str(desk.places.console))
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()


def run(*words: str, zh: bool = False) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["keys", *words], env={"LC_ALL": "zh_CN.UTF-8" if zh else "C"})
    return found.exit_code, found.stdout, found.stderr


def test_the_command_without_a_gateway(tmp_path: Path) -> None:
    data = str(tmp_path)
    code, text, said = run("add", "erp-9", "--role", "erp", "--data", data)
    assert (code, text.startswith(KEY_PREFIX), text.count("\n")) == (0, True, 1)
    assert said == "New key of erp-9 (erp), in force now, shown only this once:\n"
    code, listing, _ = run("list", "--data", data)
    assert code == 0
    fingerprint, day, _, role, name = listing.split()
    assert (len(fingerprint), day[:2], role, name) == (8, "20", "erp", "erp-9")
    assert text.strip() not in listing
    code, out, said = run("add", "erp-9", "--role", "viewer", "--data", data, zh=True)
    assert (code, out, "erp-9 已有角色为 erp 的密钥" in said) == (1, "", True)
    assert (
        run("withdraw", "erp-9", fingerprint, "--data", data)[1]
        == f"The key {fingerprint} of erp-9 is withdrawn.\n"
    )
    assert run("list", "--data", data)[1] == ""
    code, _, said = run("list", "--data", str(tmp_path / "nowhere"))
    assert (code, "is not there" in said) == (3, True)


def test_every_refusal_has_its_sentence_in_both_languages() -> None:
    from api.key_desk import KeyRefusal
    from edge.cli_keys import SENTENCES

    assert SENTENCES.keys() == {"added", "withdrawn"} | set(KeyRefusal)
    assert all(texts.keys() == {"en", "zh"} for texts in SENTENCES.values())


async def test_one_key_may_ask_so_fast_and_no_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.guards.perf_counter", lambda: 4_711.0)  # all of it within one second
    async with open_desk(tmp_path, requests_per_s=1, requests_burst=3) as desk:
        statuses = [(await desk.erp.get("/v1/line/alarms")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await desk.erp.get("/v1/line/alarms")
        assert (slug_of(refused), refused.headers["Retry-After"]) == ("too_many_requests", "1")
        assert (await desk.operator.get("/v1/line/alarms")).status_code == 200


async def test_the_key_of_a_request_may_come_as_a_header(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        order = order_json(1)
        del order["message_id"]
        missing = await desk.erp.put("/v1/orders/SO-1", json=order)
        assert (missing.status_code, missing.json()["errors"][0]["loc"]) == (422, ["message_id"])
        first = await desk.erp.put("/v1/orders/SO-1", json=order, headers={"Idempotency-Key": '"k-1"'})
        again = await desk.erp.put("/v1/orders/SO-1", json=order, headers={"Idempotency-Key": "k-1"})
        named = await desk.erp.put("/v1/orders/SO-1", json=order | {"message_id": "k-1"})
        assert first.json()["outcome"] == "stored"
        assert first.content == again.content == named.content
        assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again, named)] == [
            None,
            "true",
            "true",
        ]
        other = await desk.erp.put(
            "/v1/orders/SO-1", json=order | {"shop": "b"}, headers={"Idempotency-Key": "k-1"}
        )
        assert (other.status_code, slug_of(other)) == (409, "message_id_reused")
        two = await desk.erp.put("/v1/orders/SO-1", json=order_json(1), headers={"Idempotency-Key": "k-1"})
        assert (two.status_code, slug_of(two)) == (422, "idempotency_key_disagrees")
        bad = await desk.erp.put("/v1/orders/SO-1", json=order, headers={"Idempotency-Key": "k 1"})
        assert (bad.status_code, slug_of(bad)) == (422, "fields_invalid")


async def test_a_batch_takes_one_key_for_all_its_orders(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        orders = [order_json(n) for n in range(3)]
        for order in orders[:2]:
            del order["message_id"]
        for stored, unchanged in ((3, 0), (3, 0)):
            answer = await desk.erp.post(
                "/v1/orders:batch", json={"orders": orders}, headers={"Idempotency-Key": "b-1"}
            )
            body = answer.json()
            assert (body["stored"], body["unchanged"], body["refused"]) == (stored, unchanged, 0)
        changes = (await desk.clients[Role.MAINTENANCE].get("/v1/changes")).json()
        assert [(row["message_id"], row["by"], row["role"]) for row in changes["changes"]] == [
            ("b-1:0", "erp", "erp"),
            ("b-1:1", "erp", "erp"),
            ("put-2-1", "erp", "erp"),
        ]
        assert json.dumps(changes).count("put_order") == 3
        assert (changes["next"], changes["more"]) == (3, False)
