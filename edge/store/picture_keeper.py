"""The no-read archive's one writer: a camera's process keeps its own folder within bytes, age and room.

A picture is written before its note, each whole under another name and then renamed: a process that is
killed leaves a picture without a note at most, which the next one takes away. Nothing is made durable: what
a power cut takes of the last seconds is a picture less.
"""

import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.model.ids import TrackId
from edge.model.pictures import PictureNote
from edge.model.units import US_PER_S, UtcUs
from edge.store.files import FILE_MODE, free_bytes, make_directory
from edge.store.pictures import (
    MAX_NOTE_BYTES,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    NOTE,
    PICTURE,
    stem_of,
    tracks_in,
)
from edge.store.rows import encode

FRESH = ".new"
TRIMMED_AT_ONCE = 256
"""A full disk is left by that many pictures at a time; whoever trims comes again in a second."""


@dataclass(frozen=True, slots=True)
class _Kept:
    size: int
    taken_utc_us: int


class PictureKeeper:
    """One reader's folder. ``spare_bytes``: the file system has so much free room, or pictures go."""

    def __init__(self, folder: Path, *, max_bytes: int, max_age_s: int, spare_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age_us = max_age_s * US_PER_S
        self._spare_bytes = spare_bytes
        self._kept: OrderedDict[TrackId, _Kept] = OrderedDict()
        self._bytes = 0

    @property
    def pictures(self) -> int:
        return len(self._kept)

    def open(self) -> None:
        """Once, before anything else: what stands counts, what is half is taken away. Raises ``OSError``."""
        make_directory(self._folder.parent)
        make_directory(self._folder)
        for part in self._folder.iterdir():
            for path in part.iterdir() if part.is_dir() else ():
                if path.suffix == FRESH or not _whole(path):
                    path.unlink(missing_ok=True)
        for track in tracks_in(self._folder):
            stem = stem_of(self._folder, track)
            with suppress(FileNotFoundError):  # given up by the line meanwhile
                picture, note = stem.with_suffix(PICTURE).stat(), stem.with_suffix(NOTE).stat()
                self._note(track, _Kept(picture.st_size + note.st_size, int(picture.st_mtime) * US_PER_S))

    def put(self, note: PictureNote, picture: bytes, now_utc_us: UtcUs) -> bool:
        """False: there is no room, or it is too large. A picture of the same track is replaced. Raises
        ``OSError``."""
        text = encode(note).encode()
        if len(picture) > MAX_PICTURE_BYTES or len(text) > MAX_NOTE_BYTES:
            return False
        size = len(picture) + len(text)
        self.trim(now_utc_us, need=size)
        if size > self._max_bytes or free_bytes(self._folder) < self._spare_bytes + size:
            return False
        stem = stem_of(self._folder, note.track)
        make_directory(stem.parent)
        stem.with_suffix(NOTE).unlink(missing_ok=True)
        _write(stem.with_suffix(PICTURE), picture)
        _write(stem.with_suffix(NOTE), text)
        self._note(note.track, _Kept(size, now_utc_us))
        return True

    def trim(self, now_utc_us: UtcUs, need: int = 0) -> None:
        """The oldest go: over the quota less ``need``, older than their age, or while the disk has too
        little room, of these a number at once. Raises ``OSError``."""
        while self._kept and (
            self._bytes + need > self._max_bytes
            or len(self._kept) >= MAX_PICTURES
            or next(iter(self._kept.values())).taken_utc_us < now_utc_us - self._max_age_us
        ):
            self._drop_oldest()
        for _ in range(TRIMMED_AT_ONCE):
            if not self._kept or free_bytes(self._folder) >= self._spare_bytes + need:
                return
            self._drop_oldest()

    def _note(self, track: TrackId, kept: _Kept) -> None:
        before = self._kept.pop(track, None)
        self._bytes += kept.size - (0 if before is None else before.size)
        self._kept[track] = kept

    def _drop_oldest(self) -> None:
        track, kept = self._kept.popitem(last=False)
        self._bytes -= kept.size
        _drop(stem_of(self._folder, track))


def give_up(pictures: Path, count: int) -> int:
    """The oldest of every reader's folder, whoever keeps it, at most ``count`` in all: answers how many went.
    For the line, whose record needs the room while a camera's process is away."""
    dropped = 0
    for folder in sorted(pictures.iterdir()) if pictures.is_dir() else ():
        for track in tracks_in(folder):
            if dropped >= count:
                return dropped
            _drop(stem_of(folder, track))
            dropped += 1
    return dropped


def _drop(stem: Path) -> None:
    """The note first: a picture without one is none."""
    stem.with_suffix(NOTE).unlink(missing_ok=True)
    stem.with_suffix(PICTURE).unlink(missing_ok=True)
    with suppress(OSError):  # others are still in it
        stem.parent.rmdir()


def _whole(path: Path) -> bool:
    """A picture with its note, or a note with its picture."""
    other = {PICTURE: NOTE, NOTE: PICTURE}.get(path.suffix)
    return other is not None and path.with_suffix(other).exists()


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + FRESH)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    fresh.rename(path)
