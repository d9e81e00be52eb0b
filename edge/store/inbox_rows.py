"""Writing one message's row and its answer: what every call of the inbox writer ends in."""

import json
import sqlite3
from collections.abc import Sequence
from types import TracebackType

from edge.model.ids import InboxSeq
from edge.store.errors import RowTooLarge
from edge.store.inbox_types import Message, Outcome, RowKind, Taken

MAX_BODY_BYTES = 1 << 20
"""Largest body of a row: a sort plan of some 5,000 rules; an order of 4,280 lines has 250 kB."""

NO_ROW = InboxSeq(0)
_dump = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
Known = tuple[str, bytes, Taken]
"""Kind and body hash of a message that came before, and its answer."""


class Transaction:
    """``BEGIN IMMEDIATE`` … ``COMMIT``, or nothing at all."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def canonical(obj: object) -> str:
    """JSON in the one form that the inbox keeps."""
    return _dump(obj)


def bounded(body: str) -> str:
    """Raises ``RowTooLarge``."""
    if len(body) > MAX_BODY_BYTES:
        raise RowTooLarge(f"inbox row: {len(body)} bytes, at most {MAX_BODY_BYTES}")
    return body


def taken(outcome: Outcome, *, seq: InboxSeq = NO_ROW, version: int = 0, detail: str = "") -> Taken:
    """A first answer."""
    return Taken(outcome=outcome, repeated=False, inbox_seq=seq, version=version, detail=detail)


def repeat(known: Known, message: Message, kind: RowKind) -> Taken:
    """The answer to a message whose id came before."""
    before_kind, body_sha256, answer = known
    if before_kind == kind and body_sha256 == message.body_sha256:
        return answer
    return taken(Outcome.CONFLICT, detail=f"{message.message_id} came before with another body")


INSERT_ROW = "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ANSWER = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)"


def row_of(seq: InboxSeq, message: Message, kind: RowKind, body: str) -> tuple[object, ...]:
    """Values of ``INSERT_ROW``."""
    return (
        seq,
        message.at_utc_us,
        kind.value,
        message.message_id,
        message.body_sha256,
        body,
        message.by.id,
        message.by.role,
    )


def answer_of(message: Message, kind: RowKind, answer: Taken) -> tuple[object, ...]:
    """Values of ``INSERT_ANSWER``."""
    return (
        message.message_id,
        kind.value,
        message.body_sha256,
        answer.outcome.value,
        answer.inbox_seq,
        answer.version,
        answer.detail,
    )


def write_row(db: sqlite3.Connection, seq: InboxSeq, message: Message, kind: RowKind, body: str) -> None:
    db.execute(INSERT_ROW, row_of(seq, message, kind, body))


def keep_answer(db: sqlite3.Connection, message: Message, kind: RowKind, answer: Taken) -> None:
    db.execute(INSERT_ANSWER, answer_of(message, kind, answer))


def known_messages(db: sqlite3.Connection, messages: Sequence[Message]) -> dict[str, Known]:
    """What each message id that came before was, and was answered."""
    rows = db.execute(
        "SELECT message_id, kind, body_sha256, outcome, inbox_seq, version, detail FROM message"
        " WHERE message_id IN (SELECT value FROM json_each(?))",
        (canonical([message.message_id for message in messages]),),
    )
    return {
        message_id: (
            kind,
            bytes(body_sha256),
            Taken(
                outcome=Outcome(outcome),
                repeated=True,
                inbox_seq=InboxSeq(seq),
                version=version,
                detail=detail,
            ),
        )
        for message_id, kind, body_sha256, outcome, seq, version, detail in rows
    }
