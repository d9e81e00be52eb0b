"""Room on the disk of the record: how much is left, and a ballast to give up when there is too little.

A full disk cannot be repaired inside SQLite (a DELETE needs room too); a file beside the journal that is
given up in time is room enough to record the exits of what is still on the belt.
"""

import os
from contextlib import suppress
from pathlib import Path

from edge.store.files import FILE_MODE, free_bytes
from edge.store.picture_keeper import give_up

BALLAST = "ballast"
PICTURES_AT_ONCE = 64
"""Of the no-read archive, a second: some 10 MB, in a millisecond of the line's loop."""
LEFT_PART = 4
"""The ballast is given up when less than this part (a quarter) of the wanted room is left."""


class RecordDisk:
    """The file system of ``folder``, which exists. ``wanted_bytes``: free room that the line wants.
    ``pictures``: the no-read archive, which is worth less than the record."""

    def __init__(self, folder: Path, pictures: Path, *, wanted_bytes: int, ballast_bytes: int) -> None:
        self._folder = folder
        self._pictures = pictures
        self._ballast = folder / BALLAST
        self._ballast_bytes = ballast_bytes
        self.wanted_bytes = wanted_bytes

    def free_bytes(self) -> int:
        """Raises ``OSError`` when the file system is gone."""
        return free_bytes(self._folder)

    @property
    def has_ballast(self) -> bool:
        return self._ballast.exists()

    def prepare(self) -> None:
        """At a start, before anything is opened: a ballast where there is room for one, and none where
        the room is needed. Raises ``OSError`` when the folder cannot be written."""
        if self.nearly_full:
            self.give_up()
        elif not self.has_ballast and self.free_bytes() >= self.wanted_bytes + self._ballast_bytes:
            self._make()

    def _make(self) -> None:
        fd = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            os.posix_fallocate(fd, 0, self._ballast_bytes)
        except BaseException:
            self.give_up()
            raise
        finally:
            os.close(fd)

    @property
    def nearly_full(self) -> bool:
        return self.free_bytes() < self.wanted_bytes // LEFT_PART

    def give_up_pictures(self) -> int:
        """Some of the oldest where they lie on the same file system; answers how many went. Their camera's
        process does so long before: this is for one that is away. Raises ``OSError``."""
        there = self._pictures.is_dir() and self._pictures.stat().st_dev == self._folder.stat().st_dev
        return give_up(self._pictures, PICTURES_AT_ONCE) if there else 0

    def give_up(self) -> None:
        """Idempotent."""
        with suppress(FileNotFoundError):
            self._ballast.unlink()
