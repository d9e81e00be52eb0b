"""``load_line``: file or packaged name → ``LineDescription``, or every problem at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from edge.model.ids import DeviceId, ReaderId, ScaleId
from edge.model.verdict import Reason
from line_config.build import build_topology
from line_config.carriers import CarriersFile
from line_config.description import (
    ApiAddress,
    BenchPort,
    LineDescription,
    PictureLimits,
    ScalePort,
    ScannerPort,
    StoreLimits,
)
from line_config.device_files import CameraFile, PlcFile, ReaderFile, ScaleFile, ScannerFile
from line_config.lint import findings
from line_config.model import (
    CameraSettings,
    HidSettings,
    LineFile,
    NoScale,
    ReaderConnection,
    ReaderSettings,
    SerialSettings,
)
from line_config.overrides import apply_overrides
from line_config.packaged import packaged, packaged_names
from line_config.problems import LineConfigError, Problem, Where, nearest
from line_config.reasons import ReasonEntry, ReasonsFile
from line_config.references import check_references
from line_config.validate import problem_at, validate
from line_config.yaml_tree import Tree, read_yaml

M = TypeVar("M", bound=BaseModel)


def load_line(
    path_or_name: str | Path, overrides: Sequence[str] = (), *, proved: bool = True
) -> LineDescription:
    """The line of a file, or of the name of a packaged one (``demo``, ``small``, ``fast``).

    ``overrides``: ``path=value``, as in ``plc.port=15020`` or ``readers.top.connection.port=2112``;
    checked like the file. ``proved`` False skips the lint of topology and timing: for reports on a
    line that fails it, never for running one. Raises ``LineConfigError`` with every problem found.
    """
    path, source = find_file(path_or_name, "lines")
    tree, problems = read_yaml(path, source)
    if tree is None:
        raise LineConfigError(problems)
    problems += apply_overrides(tree, overrides)
    carriers, more = read_packaged(CarriersFile, "carriers.yaml")
    problems += more
    reasons, more = load_reasons()
    problems += more
    line, more = validate(LineFile, tree)
    problems += without_echoes(more, problems)
    wrong_names = check_references(tree, [one.id for one in carriers.carriers] if carriers else [])
    problems += wrong_names
    if line is None or carriers is None or wrong_names or not reasons:
        raise LineConfigError(problems)
    description = _describe(line, tree, source, carriers, reasons, problems)
    if description is None:
        raise LineConfigError(problems)
    if proved:
        problems += findings(description)
    if problems:
        raise LineConfigError(problems)
    return description


def read_model(model: type[M], path: Path, source: str) -> tuple[M | None, list[Problem]]:
    """A YAML file as a strict model, or what is wrong with it."""
    tree, problems = read_yaml(path, source)
    if tree is None:
        return None, problems
    found, more = validate(model, tree)
    problems += without_echoes(more, problems)
    return (None if problems else found), problems


def read_packaged(model: type[M], *parts: str) -> tuple[M | None, list[Problem]]:
    """As ``read_model``, for a file that ships with the package."""
    return read_model(model, packaged(*parts), "/".join(parts))


def without_echoes(problems: Sequence[Problem], earlier: Sequence[Problem]) -> list[Problem]:
    """Drop what is said of a value that could not even be read."""
    unread = {problem.where for problem in earlier}
    return [problem for problem in problems if not (problem.value and problem.where in unread)]


def load_reasons() -> tuple[tuple[ReasonEntry, ...], list[Problem]]:
    """``reasons.yaml`` in the order of ``Reason``; one that is missing or doubled is a problem."""
    found, problems = read_packaged(ReasonsFile, "reasons.yaml")
    if found is None:
        return (), problems
    entries = {entry.reason: entry for entry in found.reasons}
    where = Where(source="reasons.yaml")
    missing = [reason.value for reason in Reason if reason not in entries]
    if missing:
        problems.append(Problem(where=where, what=f"has no entry for {', '.join(missing)}"))
    if len(entries) < len(found.reasons):
        problems.append(Problem(where=where, what="gives a reason twice"))
    return (() if problems else tuple(entries[reason] for reason in Reason)), problems


def find_file(path_or_name: str | Path, folder: str) -> tuple[Path, str]:
    """The file meant, and its name as errors show it."""
    text = str(path_or_name)
    names = packaged_names(folder)
    if isinstance(path_or_name, str) and text in names:
        path = packaged(folder, f"{text}.yaml")
        return path, str(path)
    if "\0" in text:
        raise LineConfigError([Problem(where=Where(source=ascii(text)), what="is no file name")])
    path = Path(text)
    if isinstance(path_or_name, str) and not path.suffix and len(path.parts) < 2 and not path.exists():
        hint = nearest(text, names, noun=f"packaged {folder}")
        where = Where(source=text or '""')
        raise LineConfigError([Problem(where=where, what="no such file or packaged name", hint=hint)])
    return path, text


def _describe(
    line: LineFile,
    tree: Tree,
    source: str,
    carriers: CarriersFile,
    reasons: tuple[ReasonEntry, ...],
    problems: list[Problem],
) -> LineDescription | None:
    """Device files in, description out; None when a device file is wrong."""
    plc, more = read_packaged(PlcFile, "devices", "plc", f"{line.plc.device}.yaml")
    problems += more
    scanners: list[ReaderFile] = []
    for index, one in enumerate(line.readers):
        scanner, more = _reader_file(one)
        problems += more
        scanners += [scanner] if scanner else []
        if isinstance(scanner, ScannerFile):
            problems += cable_problems(tree, ("readers", index, "connection"), one.connection, scanner)
    bench_ports, more = _bench_ports(line, tree)
    problems += more
    scale_port, more = _scale_port(line)
    problems += more
    if plc is None or more or len(scanners) + len(bench_ports) < len(line.readers) + len(line.benches):
        return None
    return LineDescription(
        source=source,
        site_id=line.site.id,
        topology=build_topology(
            line,
            plc,
            scanners,
            carriers.patterns_of(line.reading.carriers),
            carriers.patterns_of(line.reading.foreign_carriers),
            reasons,
        ),
        scanners=tuple(
            ScannerPort(
                reader=ReaderId(one.id), device=DeviceId(one.id), file=device, connection=one.connection
            )
            for one, device in zip(line.readers, scanners, strict=True)
        ),
        scale_port=scale_port,
        bench_ports=bench_ports,
        api=ApiAddress(host=line.api.host, port=line.api.port),
        relay=line.relay,
        store=StoreLimits(**line.store.model_dump()),
        pictures=PictureLimits(**line.pictures.model_dump()),
        full_on_ms=line.plc.full_on_ms,
        reasons=reasons,
        plc_file=plc,
        file=line,
        tree=tree,
    )


def _bench_ports(line: LineFile, tree: Tree) -> tuple[tuple[BenchPort, ...], list[Problem]]:
    """Those whose device files can be read."""
    ports: list[BenchPort] = []
    problems: list[Problem] = []
    for index, one in enumerate(line.benches):
        file, more = read_packaged(ScannerFile, "devices", "scanners", f"{one.device}.yaml")
        problems += more
        if file is not None:
            problems += cable_problems(tree, ("benches", index, "connection"), one.connection, file)
            reader = ReaderId(one.id)
            ports.append(
                BenchPort(reader=reader, device=DeviceId(one.id), file=file, connection=one.connection)
            )
    return tuple(ports), problems


def cable_problems(
    tree: Tree, steps: tuple[str | int, ...], port: ReaderConnection, device: ScannerFile
) -> list[Problem]:
    """A cable over which the device does not speak, or a serial port whose format neither the line nor
    the device file gives."""
    if isinstance(port, HidSettings) is not (device.protocol == "hid_keyboard"):
        what = f"device file {device.id} speaks {device.protocol}"
        hint = (
            "a keyboard has kind: hid"
            if device.protocol == "hid_keyboard"
            else "only a keyboard has kind: hid"
        )
        return [problem_at(tree, steps, what, hint)]
    if not isinstance(port, SerialSettings):
        return []
    if (port.baudrate or device.baudrate) and (port.frame or device.frame):
        return []
    what = f"device file {device.id} gives no serial format"
    return [problem_at(tree, steps, what, "give baudrate and frame here, as the reader is set")]


def _reader_file(one: ReaderSettings) -> tuple[ReaderFile | None, list[Problem]]:
    if isinstance(one.connection, CameraSettings):
        return read_packaged(CameraFile, "devices", "cameras", f"{one.device}.yaml")
    return read_packaged(ScannerFile, "devices", "scanners", f"{one.device}.yaml")


def _scale_port(line: LineFile) -> tuple[ScalePort | None, list[Problem]]:
    one = line.scale
    if isinstance(one, NoScale):
        return None, []
    device, problems = read_packaged(ScaleFile, "devices", "scales", f"{one.device}.yaml")
    if device is None:
        return None, problems
    port = ScalePort(scale=ScaleId(one.id), device=DeviceId(one.id), file=device, connection=one.connection)
    return port, problems
