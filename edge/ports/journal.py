"""The record: append, and know when it is durable."""

from asyncio import Future
from collections.abc import Sequence
from typing import Protocol

from edge.model.events import Event
from edge.model.ids import InboxSeq, JournalSeq
from edge.model.records import RecordBody

JournalItem = Event | RecordBody


class JournalFailed(Exception):
    """A commit failed: fatal, the process must end."""


class Journal(Protocol):
    def append(self, items: Sequence[JournalItem], inbox_cursor: InboxSeq) -> "Future[JournalSeq]":
        """Queue whole inputs with all their effects as one commit (or a part of one). The future
        is done when they are durable, with the last row's seq; fails with ``JournalFailed``."""
        ...

    def snapshot(self, state: bytes) -> None:
        """Queue a core snapshot as of the last appended row."""
        ...

    @property
    def backlog(self) -> int:
        """Rows appended and not yet durable."""
        ...

    async def close(self) -> None:
        """Make everything durable and let go of the file."""
        ...
