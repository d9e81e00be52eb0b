"""Which build decides: on record at each start."""

from importlib.metadata import PackageNotFoundError, version


def build_id() -> str:
    """The distribution's version; ``unknown`` when it runs from a bare checkout."""
    try:
        return version("beltkeeper")
    except PackageNotFoundError:
        return "unknown"
