"""Files that ship with the package: they are found in an installed wheel as in a checkout."""

from importlib.resources import as_file, files
from pathlib import Path


def packaged(*parts: str) -> Path:
    """Path of a data file of this package. Wheels are always installed as files, never zipped."""
    with as_file(files("line_config").joinpath(*parts)) as path:
        return path


def packaged_names(*parts: str) -> tuple[str, ...]:
    """Names, without ``.yaml``, of the files in a data folder, sorted."""
    folder = packaged(*parts)
    return tuple(sorted(path.stem for path in folder.glob("*.yaml"))) if folder.is_dir() else ()
