"""The no-read archive as the gateway shows it: on a thread of its own, so that a slow disk of pictures holds
up no look into the record."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from edge.model.ids import ReaderId, TrackId
from edge.model.pictures import PictureNote
from edge.model.topology import Reader
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader
from edge.store.no_reads import NoReadKind, counted, known
from edge.store.pictures import PictureArchive
from edge.store.places import Places

T = TypeVar("T")


class Parcel(Protocol):
    """What a row of the record says of which parcel it is: ``epoch`` and ``number`` are the PLC's name of it,
    which a picture has too. So one that was left from an older record is nobody's."""

    @property
    def track(self) -> int: ...

    @property
    def epoch(self) -> int: ...

    @property
    def number(self) -> int: ...


class LabelPictures:
    """Of the readers that the line's description names, and of no others."""

    def __init__(self, places: Places, readers: Sequence[Reader]) -> None:
        self._archive = PictureArchive(places.pictures, [reader.id for reader in readers])
        self._journal = JournalReader(places.journal)
        self._inbox = InboxReader(places.inbox)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    async def of(self, parcels: Sequence[Parcel]) -> tuple[tuple[PictureNote, ...], ...]:
        """Of each parcel what there is, in the order of the line's readers."""
        return await self._ask(lambda: tuple(self._of(parcel) for parcel in parcels))

    async def jpeg(self, parcel: Parcel, reader: ReaderId) -> bytes | None:
        """None: there is none of it."""
        return await self._ask(lambda: self._jpeg(parcel, reader))

    async def no_reads(self, limit: int) -> list[tuple[NoReadKind, int]]:
        """Causes over the latest ``limit`` pictures of each camera, the most frequent first. May raise
        ``StoreUnreadable``."""
        return await self._ask(
            lambda: counted(known(self._archive.newest(limit), self._journal, self._inbox))
        )

    async def close(self) -> None:
        """Idempotent; called when nobody asks any more."""
        await asyncio.to_thread(self._thread.shutdown)
        self._journal.close()
        self._inbox.close()

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    def _of(self, parcel: Parcel) -> tuple[PictureNote, ...]:
        notes = self._archive.notes_of(TrackId(parcel.track))
        return tuple(note for note in notes if (note.epoch, note.number) == (parcel.epoch, parcel.number))

    def _jpeg(self, parcel: Parcel, reader: ReaderId) -> bytes | None:
        shown = any(note.reader == reader for note in self._of(parcel))
        return self._archive.jpeg(reader, TrackId(parcel.track)) if shown else None
