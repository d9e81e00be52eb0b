"""Which build decides: on record at each start."""

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DECIDING = ("core", "model")
"""Packages beside this one that make the decisions: what they are is what the build is."""


@cache
def build_id() -> str:
    """The distribution's version and a hash of the sources that decide: ``0.1.0+1f0c9a52``.

    ``unknown`` for the version when it runs from a bare checkout.
    """
    try:
        number = version("beltkeeper")
    except PackageNotFoundError:
        number = "unknown"
    return f"{number}+{_hash_of_sources()[:8]}"


def _hash_of_sources() -> str:
    found = sha256()
    for package in DECIDING:
        folder = Path(__file__).parents[1] / package
        for file in sorted(folder.rglob("*.py")):
            found.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()
