"""Where things lie in a line's data folder. Each database has a directory of its own: readers of the
group must be able to make WAL files beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Paths below one data folder."""

    data: Path

    @property
    def inbox(self) -> Path:
        """Written by the gateway only."""
        return self.data / "inbox" / "inbox.db"

    @property
    def journal(self) -> Path:
        """Written by the line only."""
        return self.data / "journal" / "journal.db"

    @property
    def gateway(self) -> Path:
        """The gateway's own: how far its relay is."""
        return self.data / "gateway" / "gateway.db"

    @property
    def line_bell(self) -> Path:
        """The line listens here."""
        return self.data / "line.bell"

    @property
    def gateway_bell(self) -> Path:
        """The gateway listens here."""
        return self.data / "gateway.bell"

    @property
    def console(self) -> Path:
        """The gateway answers the local console here: its own user and root alone."""
        return self.data / "gateway.console"

    @property
    def line_metrics(self) -> Path:
        """The line's metrics, as text over HTTP on a Unix socket."""
        return self.data / "line.metrics"

    @property
    def pictures(self) -> Path:
        """The no-read archive: a folder for each camera, written by its process only."""
        return self.data / "pictures"

    def camera(self, reader: str, named: str | None) -> Path:
        """A camera's process answers here, unless the line's description names another place."""
        return self.data / "cameras" / f"{reader}.socket" if named is None else Path(named)


@contextmanager
def unix_name(path: Path) -> Iterator[str]:
    """``path`` by way of its folder's descriptor: a socket's name holds 107 bytes only (unix(7)).

    Raises ``OSError`` when the folder is not there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
