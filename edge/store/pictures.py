"""The no-read archive as its readers see it: a picture and a note beside it for each track and reader.

``pictures/READER/00000012/0000001234.jpg`` and ``.json``: a hundred tracks to a folder, so that a picture is
found without an index, and the oldest come first by name. Names are made of a reader of the line's
description and a number, and never of what somebody asks for. A picture counts when its note is there,
which is written after it, and has the bytes that the note says.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.model.ids import ReaderId, TrackId
from edge.model.pictures import PictureNote
from edge.store.errors import RowMalformed
from edge.store.rows import decode

PICTURE, NOTE = ".jpg", ".json"
TRACKS_A_FOLDER = 100
MAX_PICTURES = 100_000
"""Of one reader, beside bytes and age: files, whose folders must be listed at a start."""
MAX_PICTURE_BYTES = 16 << 20
MAX_NOTE_BYTES = 256 << 10
"""Sixteen codes of the longest text."""
JPEG_HEAD = b"\xff\xd8\xff"


def stem_of(folder: Path, track: TrackId) -> Path:
    """Where a track's files lie below one reader's folder, without their suffix."""
    return folder / f"{track // TRACKS_A_FOLDER:08d}" / f"{track:010d}"


def tracks_in(folder: Path, *, newest_first: bool = False) -> Iterator[TrackId]:
    """Those with a note in one reader's folder, in order; none where there is no folder."""
    for part in _names(folder, newest_first):
        for name in _names(folder / part, newest_first):
            if name.endswith(NOTE) and name.removesuffix(NOTE).isdigit():
                yield TrackId(int(name.removesuffix(NOTE)))


def _names(folder: Path, newest_first: bool) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=newest_first)
    except (FileNotFoundError, NotADirectoryError):
        return []


class PictureArchive:
    """Read-only: all readers of one line. Files go while it reads; what is gone is none."""

    def __init__(self, folder: Path, readers: Sequence[ReaderId]) -> None:
        self._folders = {reader: folder / reader for reader in readers}

    def notes_of(self, track: TrackId) -> tuple[PictureNote, ...]:
        """In the order of the line's readers."""
        found = (self.note(reader, track) for reader in self._folders)
        return tuple(note for note in found if note is not None)

    def note(self, reader: ReaderId, track: TrackId) -> PictureNote | None:
        """None: no such reader, no such picture, or a note that is none."""
        folder = self._folders.get(reader)
        if folder is None:
            return None
        stem = stem_of(folder, track)
        text = _content(stem.with_suffix(NOTE), MAX_NOTE_BYTES)
        try:
            note = None if text is None else decode(PictureNote, text)
        except RowMalformed:
            return None
        return note if note is not None and (note.track, note.reader) == (track, reader) else None

    def jpeg(self, reader: ReaderId, track: TrackId) -> bytes | None:
        """The picture's file; None: there is none, or not the one that its note is about."""
        note = self.note(reader, track)
        if note is None:
            return None
        data = _content(stem_of(self._folders[reader], track).with_suffix(PICTURE), MAX_PICTURE_BYTES)
        whole = data is not None and data.startswith(JPEG_HEAD) and len(data) == note.picture_bytes
        return data if whole else None

    def newest(self, limit: int) -> Iterator[PictureNote]:
        """Of each reader at most so many, its latest first."""
        for reader, folder in self._folders.items():
            for _, track in zip(range(limit), tracks_in(folder, newest_first=True), strict=False):
                note = self.note(reader, track)
                if note is not None:
                    yield note


def _content(path: Path, limit: int) -> bytes | None:
    """A plain file of at most ``limit`` bytes: no link leads out of the archive. What cannot be read is
    none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            return file.read(limit) if stat.S_ISREG(found.st_mode) and found.st_size <= limit else None
    except OSError:
        return None
