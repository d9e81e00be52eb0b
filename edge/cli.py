"""The command `beltkeeper`. Each command imports what it needs inside itself, so that `run` never
loads a web server, and `gateway` never a driver."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge import cli_keys
from edge.cli_options import data_place, people_language

if TYPE_CHECKING:
    from line_config.description import LineDescription

OK = 0
FAILED = 1
BAD_CONFIGURATION = 2
BAD_ENVIRONMENT = 3
MAX_PICTURE_PIXELS = 1 << 26
"""As ``drivers.streams.frame_sources`` has it, which loads OpenCV."""
DOCTOR_STATUS = {"good": OK, "warning": FAILED, "failed": BAD_ENVIRONMENT}

app = typer.Typer(
    name="beltkeeper",
    help="Conveyor-line edge controller: reads, checks, weighs and routes every parcel, and can prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_keys.app)

LINE_HELP = "A line's YAML file, or camera, demo, fast, loop, small, tunnel."
LineArgument = Annotated[str, typer.Argument(metavar="LINE", help=LINE_HELP)]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", readable=False, help="Folder of the line's state; default: the line's own."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value, for example plc.port=1502."),
]
OrdersOption = Annotated[
    Path | None,
    typer.Option("--orders", metavar="CSV", help="Orders: invoice, goods, quantity, date, customer."),
]
JsonOption = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Result as JSON; - for stdout.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Everything drawn follows from it.")]


class Faults(StrEnum):
    NONE = "none"
    DEFAULT = "default"
    HARSH = "harsh"


class Bus(StrEnum):
    REGISTERS = "registers"
    MODBUS = "modbus"


def _load(line: str, settings: list[str] | None) -> "LineDescription":
    """The line's description, proved; prints every problem and ends with exit code 2 otherwise."""
    from line_config.load import load_line
    from line_config.problems import LineConfigError

    try:
        return load_line(line, settings or ())
    except LineConfigError as error:
        _say(str(error))
        raise typer.Exit(BAD_CONFIGURATION) from None


def _data_folder(data: Path | None, line: "LineDescription") -> Path:
    """``data_place``, made if it is not there."""
    folder = data_place(data, line)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _say(f"beltkeeper: {folder}: {error.strerror}; give another folder with --data or BELTKEEPER_DATA")
        raise typer.Exit(BAD_ENVIRONMENT) from None
    return folder


def _bound_pictures() -> None:
    """A small file may unpack to gigabytes. OpenCV reads this when it is loaded."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PICTURE_PIXELS))


def _say(text: str) -> None:
    sys.stderr.write(text.rstrip("\n") + "\n")


def _may_write(json_to: str | None, command: str) -> None:
    """Before the work whose result goes there; what stands in the file stays until then."""
    if json_to is None or json_to == "-":
        return
    try:
        Path(json_to).open("ab").close()
    except OSError as error:
        _say(f"beltkeeper {command}: {json_to}: {error.strerror}")
        raise typer.Exit(BAD_ENVIRONMENT) from None


@app.command()
def run(
    line: LineArgument,
    data: DataOption = None,
    settings: SetOption = None,
    wall_clock_offset: Annotated[
        Path | None,
        typer.Option(hidden=True, help="Simulation: a file with microseconds added to the wall clock."),
    ] = None,
) -> None:
    """Run a line: own the devices, decide, command, record. Ends only when stopped or broken."""
    from edge.line_process import run_line

    description = _load(line, settings)
    folder = _data_folder(data, description)

    def camera_process(reader: str) -> tuple[str, ...]:
        parts = [part for one in settings or () for part in ("--set", one)]
        command = (sys.executable, "-m", "edge.cli", "camera", line, reader, "--data", str(folder))
        return (*command, *parts, "--parent", str(os.getpid()))

    raise typer.Exit(run_line(description, folder, wall_clock_offset, camera_process))


@app.command()
def gateway(line: LineArgument, data: DataOption = None, settings: SetOption = None) -> None:
    """Run the gateway of a line: everything that comes over a network, and no device."""
    from api.server import run_gateway

    description = _load(line, settings)
    raise typer.Exit(run_gateway(description, _data_folder(data, description)))


@app.command()
def camera(
    line: LineArgument,
    reader: Annotated[str, typer.Argument(metavar="READER", help="The camera's id among the readers.")],
    data: DataOption = None,
    settings: SetOption = None,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="The line process that started it, and ends it.")
    ] = None,
) -> None:
    """Run one camera of a line: grab, decode, answer the line. Ends when its source does not come round."""
    from edge.camera import run_camera

    description = _load(line, settings)
    raise typer.Exit(run_camera(description, reader, _data_folder(data, description), parent))


@app.command()
def check(line: LineArgument, settings: SetOption = None) -> None:
    """Load a line's description and prove its topology and timing."""
    from line_config.report import render_report

    description = _load(line, settings)
    sys.stdout.write(render_report(description) + "\n")


@app.command()
def doctor(
    line: Annotated[str | None, typer.Argument(metavar="[LINE]", help=LINE_HELP)] = None,
    data: DataOption = None,
    settings: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on stdout.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Look databases through to their end, however long it takes.")
    ] = False,
) -> None:
    """Examine this machine, a line's devices and its data folder; what is not good says what to do."""
    from edge import doctor as clinic

    description, language = None if line is None else _load(line, settings), people_language().value
    machine = clinic.Machine.now(description, data_place(data, description), whole=whole)
    if as_json:
        found = tuple(clinic.examine(machine))
        sys.stdout.write(json.dumps(clinic.as_json(machine, found, language), ensure_ascii=False) + "\n")
    else:
        found = clinic.show(machine, clinic.examine(machine), language)
    raise typer.Exit(DOCTOR_STATUS[clinic.worst(found).value])


@app.command()
def simulate(
    line: LineArgument,
    parcels: Annotated[int, typer.Option("--parcels", min=1, max=20_000_000)] = 1_000,
    seed: SeedOption = 7,
    orders: OrdersOption = None,
    faults: Annotated[Faults, typer.Option("--faults")] = Faults.NONE,
    bus: Annotated[Bus, typer.Option("--bus")] = Bus.REGISTERS,
    json_to: JsonOption = None,
    settings: SetOption = None,
) -> None:
    """Run a whole line in virtual time against simulated devices, and check every invariant."""
    from edge.runtime.logs import log_nothing
    from simulators.faults import FaultLevel
    from simulators.orders import OrdersFileError
    from simulators.report import progress_bar, show_simulation, write_json
    from simulators.rig import Run
    from simulators.rig import simulate as play

    description, language = _load(line, settings), people_language().value
    _may_write(json_to, "simulate")
    log_nothing()
    run_of_it = Run(
        line=description,
        parcels=parcels,
        seed=seed,
        orders=orders,
        faults=FaultLevel(faults.value),
        bus=bus.value,
    )
    try:
        with progress_bar(parcels, language) as progress:
            outcome = play(run_of_it, progress)
    except OrdersFileError as error:
        _say(f"beltkeeper simulate: {error}")
        raise typer.Exit(BAD_CONFIGURATION) from None
    if json_to != "-":
        show_simulation(outcome, description.reasons, language)
    if json_to is not None:
        try:
            write_json(outcome.as_json(), json_to)
        except OSError as error:
            _say(f"beltkeeper simulate: {json_to}: {error.strerror}")
            raise typer.Exit(BAD_ENVIRONMENT) from None
    raise typer.Exit(OK if outcome.good else FAILED)


@app.command()
def demo(
    parcels: Annotated[int, typer.Option("--parcels", min=1, max=1_000_000)] = 120,
    orders: OrdersOption = None,
    seed: SeedOption = 7,
    json_to: JsonOption = None,
    forever: Annotated[bool, typer.Option("--forever", help="Until Ctrl-C.")] = False,
    faults: Annotated[Faults, typer.Option("--faults")] = Faults.DEFAULT,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Run the demo line in real time: line, gateway, PLC and every device, each a process of its own."""
    from simulators.demo import Demo, run_demo

    _may_write(json_to, "demo")
    raise typer.Exit(
        run_demo(
            Demo(
                parcels=parcels,
                orders=orders,
                seed=seed,
                json_to=json_to,
                forever=forever,
                faults=faults.value,
                data=data,
                language=people_language().value,
                settings=tuple(settings or ()),
            )
        )
    )


@app.command()
def read(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    symbologies: Annotated[
        list[str] | None,
        typer.Option(
            "--symbologies", metavar="NAMES", help="Such as code128,qr; default: all that are known."
        ),
    ] = None,
    goods: Annotated[
        Path | None, typer.Option("--goods", metavar="CSV", help="Goods with a column barcode: they exist.")
    ] = None,
    json_to: JsonOption = None,
) -> None:
    """Read codes from picture files, as a camera of a line would, but with every effort."""
    _bound_pictures()
    from edge.reading import WrongOptions, goods_of, read_files, symbologies_of, tell

    try:
        wanted = symbologies_of(symbologies or ())
        known = frozenset[str]() if goods is None else goods_of(goods)
    except WrongOptions as wrong:
        _say(f"beltkeeper read: {wrong}")
        raise typer.Exit(BAD_CONFIGURATION) from None
    _may_write(json_to, "read")
    entries = read_files(images, wanted, known)
    try:
        tell(entries, json_to)
    except OSError as error:
        _say(f"beltkeeper read: {json_to}: {error.strerror}")
        raise typer.Exit(BAD_ENVIRONMENT) from None


@app.command(name="no-reads")
def no_reads(
    line: LineArgument,
    data: DataOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read each picture again, by the pipeline of today.")
    ] = False,
    json_to: JsonOption = None,
    settings: SetOption = None,
) -> None:
    """Count why labels were not read, over the pictures that the line's cameras have kept."""
    _bound_pictures()
    from edge.no_reads import tell_no_reads

    description = _load(line, settings)
    place = data_place(data, description)
    _may_write(json_to, "no-reads")
    try:
        tell_no_reads(description, place, people_language().value, json_to, again=again)
    except OSError as error:
        _say(f"beltkeeper no-reads: {error}")
        raise typer.Exit(BAD_ENVIRONMENT) from None


@app.command()
def parcel(
    key: Annotated[str, typer.Argument(metavar="WAYBILL|TRACK")],
    data: DataOption = None,
    line: Annotated[str, typer.Option("--line", help="The line whose data folder is read.")] = "demo",
) -> None:
    """Print one parcel's whole way: every step with time, values, rule and versions."""
    from edge.store.errors import StoreUnreadable
    from edge.story import tell_parcel

    description = _load(line, None)
    try:
        found = tell_parcel(data_place(data, description), description, key, people_language().value)
    except StoreUnreadable as error:
        _say(f"beltkeeper parcel: {error}")
        raise typer.Exit(BAD_ENVIRONMENT) from None
    raise typer.Exit(OK if found else FAILED)


def main() -> None:
    """Entry point; Linux only."""
    if not sys.platform.startswith("linux"):
        _say("beltkeeper runs on Linux only.")
        sys.exit(BAD_ENVIRONMENT)
    app()


if __name__ == "__main__":
    main()
