"""What several commands of `beltkeeper` have in common: language, and where a line's state lies."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_config.description import LineDescription


class Language(StrEnum):
    EN = "en"
    ZH = "zh"


def people_language() -> Language:
    """As POSIX has it: the first of these that is set and not empty."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return Language.ZH if value.startswith("zh") else Language.EN
    return Language.EN


def data_place(data: Path | None, line: "LineDescription | None") -> Path:
    """``--data``, else BELTKEEPER_DATA, else the line's own; without a line, what a line has by default."""
    from line_config.model import Store

    own = Store().data_dir if line is None else line.store.data_dir
    return data or Path(os.environ.get("BELTKEEPER_DATA") or own)
