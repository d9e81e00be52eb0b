"""Keys: 256 random bits, only their hash is kept, compared whole."""

import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from api.http.auth import GRANTS, REQUIRED, KeyRing, KeysUnreadable, Role, issue_key, write_first_keys
from api.http.problems import Problem, Slug
from edge.model.units import UtcUs
from edge.store.inbox_types import ApiKey


def test_a_key_is_256_bits_and_only_its_hash_is_stored() -> None:
    issued, stored = issue_key("erp-1", Role.ERP, UtcUs(5))
    assert len(issued.text) == len("bk_") + 43
    assert stored == ApiKey(
        name="erp-1", role="erp", key_sha256=sha256(issued.text.encode()).digest(), added_utc_us=UtcUs(5)
    )
    assert issue_key("erp-1", Role.ERP, UtcUs(5))[0].text != issued.text


def test_two_keys_of_one_client_are_good_at_once() -> None:
    old, old_stored = issue_key("erp-1", Role.ERP, UtcUs(0))
    new, new_stored = issue_key("erp-1", Role.ERP, UtcUs(1))
    ring = KeyRing([old_stored, new_stored])
    for key in (old, new):
        caller = ring.caller_of(key.text)
        assert caller is not None
        assert (caller.id, caller.role) == ("erp-1", Role.ERP)


@pytest.mark.parametrize("text", ["", "bk_", "x" * 129, "\udcff", "bk_" + "A" * 43])
def test_texts_that_are_no_key(text: str) -> None:
    _, stored = issue_key("erp-1", Role.ERP, UtcUs(0))
    assert KeyRing([stored]).caller_of(text) is None
    assert KeyRing([]).caller_of(text) is None


def test_no_caller_is_a_problem() -> None:
    with pytest.raises(Problem) as caught:
        KeyRing([]).authenticate("GET", "/v1/orders/1", Headers({"authorization": "Bearer x"}))
    assert caught.value.slug is Slug.UNAUTHENTICATED


def test_a_role_of_another_build_is_not_guessed() -> None:
    stored = ApiKey(name="old", role="superuser", key_sha256=bytes(32), added_utc_us=UtcUs(0))
    with pytest.raises(KeysUnreadable, match="old has the unknown role 'superuser'"):
        KeyRing([stored])


def test_the_first_keys_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "first-keys.json"
    for _ in range(2):
        issued, _ = issue_key("erp-1", Role.ERP, UtcUs(0))
        write_first_keys(path, [issued])
        assert json.loads(path.read_text()) == {"erp-1": issued.text}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [entry.name for entry in tmp_path.iterdir()] == ["first-keys.json"]


def test_every_permission_is_held_by_someone_and_asked_for_somewhere() -> None:
    granted = set().union(*GRANTS.values())
    assert granted == set(REQUIRED.values())
