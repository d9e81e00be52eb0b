"""Picture files of strangers, for commands that read them: why one is none, and what libraries say of it."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from drivers.streams.frame_sources import MAX_PIXELS


def is_too_large(path: Path) -> bool:
    """Whether a picture file says that it has more pixels than are read; nothing of it is unpacked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return picture.width * picture.height > MAX_PIXELS
    except Image.DecompressionBombError:
        return True
    except Exception:  # noqa: BLE001 - of a damaged file Pillow's readers raise whatever they meet
        return False


@contextmanager
def without_remarks() -> Iterator[None]:
    """libpng and libjpeg remark on damaged files to the process's standard error: not while this lasts. For
    commands of one thread; what Python itself says is not heard either."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
