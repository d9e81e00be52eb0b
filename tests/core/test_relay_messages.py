"""What is relayed: topics, ids, gaps, and a schema that is the types'."""

import json
from pathlib import Path

import pytest

from api.relay.messages import STATION_OF, Source, outgoing
from api.relay.mqtt import _mark
from api.relay.schema import FILE, schema, schema_text
from api.relay.webhooks import SecretUnusable, secret_of
from edge.model.ids import JournalSeq
from edge.store.journal_reader import JournalReader
from edge.store.rows import EVENTS, RECORDS
from tests.core.store_kit import LINE, Scribe, parcel_life

SOURCE = Source(site="hall", line=LINE)
NOTHING = JournalSeq(0)


def messages_of(tmp_path: Path, kinds: frozenset[str] | None = None) -> list[dict[str, object]]:
    path = tmp_path / "journal" / "journal.db"
    scribe = Scribe(path)
    scribe.write(*parcel_life(1, 1_000), *parcel_life(2, 2_000))
    scribe.close()
    reader = JournalReader(path)
    rows = tuple(reader.rows(NOTHING))
    reader.close()
    found = outgoing(SOURCE, rows, NOTHING, kinds)
    for one in found:
        told = json.loads(one.text)
        assert (told["id"], told["seq"], told["kind"]) == (one.id, one.seq, one.kind)
        assert one.topic == f"bk/hall/{LINE}/{STATION_OF[one.kind]}/{one.kind}"
    return [json.loads(one.text) for one in found]


def test_every_fact_has_a_station_and_no_input_has() -> None:
    assert STATION_OF.keys() == RECORDS.keys()
    assert not STATION_OF.keys() & EVENTS.keys()


def test_each_names_the_one_before_it(tmp_path: Path) -> None:
    told = messages_of(tmp_path)
    assert [one["kind"] for one in told[:3]] == ["TrackOpened", "Identified", "Weighed"]
    assert [one["prev"] for one in told] == [0, *(one["seq"] for one in told[:-1])]


def test_of_the_kinds_wanted_too(tmp_path: Path) -> None:
    told = messages_of(tmp_path, frozenset({"Exited"}))
    assert [one["kind"] for one in told] == ["Exited", "Exited"]
    assert [one["prev"] for one in told] == [0, told[0]["seq"]]


def test_the_schema_checked_in_is_that_of_the_types() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), "python -m api.relay.schema"


def test_messages_have_just_the_fields_of_the_schema(tmp_path: Path) -> None:
    said = schema()
    envelopes = {one["properties"]["kind"]["const"]: one["properties"] for one in said["oneOf"]}
    for told in messages_of(tmp_path):
        assert told.keys() == envelopes[told["kind"]].keys()
        body = told["body"]
        assert isinstance(body, dict)
        assert body.keys() == said["$defs"][told["kind"]]["properties"].keys()


@pytest.mark.parametrize(
    "payload", [b"", b"7", b"[]", b"{}", b'{"seen": "x", "sent": 1}', b'{"seen": 1}', b"\xff", None, 4]
)
def test_a_mark_that_is_not_ours_is_none(payload: object) -> None:
    assert _mark(payload) is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "holds no webhook secret"),
        ("s3cret", "holds no webhook secret"),
        ("whsec_AAAA", "holds no webhook secret"),
        ("whsec_!!!!", "holds no webhook secret"),
        ("whsec_ü", "holds no webhook secret"),
        (None, "No such file"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_by_its_file_only(
    tmp_path: Path, text: str | None, what: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SecretUnusable, match=what) as raised:
        secret_of(path)
    assert str(path) in str(raised.value)
    assert not text or text not in str(raised.value)
