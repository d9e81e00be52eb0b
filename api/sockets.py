"""Names of Unix sockets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
