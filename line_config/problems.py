"""Configuration problems: where, which value, what is wrong, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

MAX_SHOWN = 200
"""More lines than that help nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place in a file, 1-based; ``line`` 0 when the whole source is meant."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """``file:line:col: path = value: what is wrong; hint``; empty parts are left out. One line of
    printable characters, whatever the file says."""

    where: Where
    what: str
    path: str = ""
    value: str = ""
    hint: str = ""

    def __str__(self) -> str:
        subject = f"{self.path} = {self.value}" if self.path and self.value else self.path
        head = f"{self.where}: {subject}: " if subject else f"{self.where}: "
        return printable(head + self.what + (f"; {self.hint}" if self.hint else ""))


def printable(text: str) -> str:
    """The text with everything else as escapes: a file must not speak to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class LineConfigError(Exception):
    """The configuration cannot be used (exit code 2). ``problems`` are all, in file order; the text shows
    the first ``MAX_SHOWN``."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = in_file_order(problems)
        shown = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            shown.append(f"… and {len(self.problems) - MAX_SHOWN} more")
        super().__init__("\n".join(shown))


def in_file_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sorted by place, doubles dropped."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (p.where.source, p.where.line, p.where.column, p.path, p.what)))


def nearest(word: str, known: Sequence[str], *, noun: str = "known") -> str:
    """A hint with the nearest known word, or with the first of them all."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    if not known:
        return f"there is no {noun}"
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"{noun}: {shown}"
