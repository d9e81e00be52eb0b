"""The thread that reads the store: what it cannot read is answered so, and its own death is never quiet."""

import threading
from pathlib import Path

import pytest

from edge.model.ids import InboxSeq, Waybill
from edge.ports.inbox import InboxFailed
from edge.store.inbox_reader import InboxReader
from edge.store.reader_thread import ReaderDied, ReaderThread


class Bug(BaseException):
    """What nobody expects where a question is answered."""


async def test_an_error_of_the_store_is_its_questions_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_what: object) -> None:
        raise ValueError("no order")

    monkeypatch.setattr(InboxReader, "rows_after", damaged)
    reader = ReaderThread(tmp_path / "inbox.db", tmp_path / "journal.db")
    with pytest.raises(ValueError, match="no order"):
        await reader.rows_after(InboxSeq(0), 1)
    found = await reader.look_up(Waybill("W1"))
    assert found.order is None, "it answers on"
    await reader.close()


async def test_a_death_fails_the_open_question_and_every_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 31, no_quiet_death: ``ReaderDied`` is no failure of the store, so it ends the process."""
    bug = Bug("a bug")

    def dies(*_what: object) -> None:
        raise bug

    closes = threading.Event()
    monkeypatch.setattr(InboxReader, "rows_after", dies)
    monkeypatch.setattr(InboxReader, "close", lambda _self: closes.wait(60))
    reader = ReaderThread(tmp_path / "inbox.db", tmp_path / "journal.db")
    with pytest.raises(ReaderDied, match="a bug") as died:
        await reader.rows_after(InboxSeq(0), 1)
    assert died.value.__cause__ is bug
    assert not isinstance(died.value, InboxFailed)
    with pytest.raises(ReaderDied):  # the dying thread has not ended yet
        await reader.look_up(Waybill("W1"))
    closes.set()
    await reader.close()
