"""The command line that the benchmarks of a line in real time share."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from benchmarks.figures import Figure, ended
from line_config.problems import LineConfigError
from simulators.demo.processes import DemoFailed


def parser_of(
    name: str, description: str | None, *, minutes: float, each: str = "", line: bool = True
) -> argparse.ArgumentParser:
    """Of ``python -m benchmarks.NAME``. ``each``: what the minutes are of; ``line``: any may be named."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--minutes", type=float, default=minutes, help=each or None)
    if line:
        parser.add_argument("--line", default="fast", metavar="NAME")
    parser.add_argument("--folder", type=Path, help="a folder on the disk that is measured")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures there too; -: instead")
    return parser


def seconds_of(options: argparse.Namespace) -> int:
    minutes: float = options.minutes
    return round(minutes * 60)


def exit_with(options: argparse.Namespace, measured: Callable[[Path], list[Figure]]) -> NoReturn:
    """``measured`` in a folder of its own, its figures, and the status that they make."""
    with tempfile.TemporaryDirectory(prefix="beltkeeper-bench-", dir=options.folder) as folder:
        try:
            figures = measured(Path(folder))
        except (DemoFailed, LineConfigError) as failed:
            sys.exit(f"{failed}")
    sys.exit(ended(figures, options.json))
