"""One run of the demo: start everything, play the ERP, watch, wait until all has ended, stop in order."""

import asyncio
import json
import signal
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from line_config.load import load_line
from line_config.problems import LineConfigError
from line_config.proof import largest_turnaround_ms
from simulators.demo.cast import Cast, overrides_of
from simulators.demo.erp_client import HttpErp
from simulators.demo.processes import BAD_ENVIRONMENT, DemoFailed, Keeper
from simulators.demo.screen import Screen, View
from simulators.demo.summary import Ended
from simulators.demo.tails import RecordTail, TruthTail, contradicted
from simulators.demo.watch import Watch
from simulators.erp import Erp
from simulators.fault_plan import BLOCK, FaultPlan
from simulators.faults import FaultLevel
from simulators.hall import order_source
from simulators.order_desk import OrderDesk
from simulators.plans import plan_of
from simulators.world.checker import Checker

FIRST_KEY, OPERATOR_KEY = "erp-1", "operator-1"
US_PER_S = 1_000_000
CAMERA_DIES_AT = 25
"""With this parcel, of any but a faultless run, the camera processes die; the line starts them anew."""
LOOK_S = 0.02
"""Of the truth log: how late the ERP hears of a parcel that was packed."""
SHOW_S = 0.5
CHECK_EVERY = 4
"""Looks at the record to one of the checker's."""
READY_S = 60.0
SETTLE_S = 30.0
"""After the last parcel has left everything must have healed and ended within this time."""
PATIENCE_S = 180.0
"""Real time that each block of faults may cost beyond twice the parcels' pitch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Options of the command. ``settings``: overrides of the line, as with ``--set``. ``plc_answers_ms``: how
    long the simulated PLC takes; None: as long as the line says."""

    parcels: int = 120
    orders: Path | None = None
    seed: int = 7
    json_to: str | None = None
    forever: bool = False
    faults: str = "default"
    data: Path | None = None
    language: str = "en"
    line: str = "camera"
    settings: tuple[str, ...] = ()
    plc_answers_ms: int | None = None


class Play:
    """``open``, ``run``, then ``close`` (always) and, where the run went to its end, ``ended``."""

    def __init__(self, demo: Demo, screen: Screen) -> None:
        """Raises ``LineConfigError``, ``OrdersFileError`` or ``DemoFailed`` (no folder)."""
        self._screen = screen
        self._parcels = None if demo.forever else demo.parcels
        orders = order_source(demo.orders, demo.seed)
        self._notes = orders.report
        self._data = _data_folder(demo.data)
        settings = (*overrides_of(load_line(demo.line), self._data), *demo.settings)
        self._faults = level = FaultLevel(demo.faults)
        if level is FaultLevel.HARSH:
            settings = _slowed(demo, settings)
        self._line = load_line(demo.line, settings)
        topology = self._line.topology
        self._journal = journal = self._data / "journal" / "journal.db"
        plan = FaultPlan(topology, level, demo.seed)
        self._erp = Erp(topology, orders, plan, parcels=self._parcels, seed=demo.seed)
        self._checker = Checker(topology, journal, demo.seed, full_on_ms=self._line.full_on_ms)
        self._record = RecordTail(journal)
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cast = Cast(
            demo.line,
            self._line,
            self._data,
            settings,
            seed=demo.seed,
            parcels=self._parcels,
            orders=demo.orders,
            faults=level,
            plc_answers_ms=demo.plc_answers_ms,
            failed=self._fail,
        )
        self._truth = TruthTail(self._cast.truth)
        self._watch = Watch(self._parcels, self._checker.fact, self._placed, self._cast.line.crash)
        self._http: HttpErp | None = None
        self._desk: OrderDesk | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._due = 0
        """Calls of the order desk that are still to come."""
        self._interrupts = 0

    @property
    def line_pid(self) -> int:
        """Of the line process that was started last."""
        return self._cast.line.child.pid

    @property
    def gateway_pid(self) -> int:
        return self._cast.gateway.child.pid

    @property
    def hardware_pids(self) -> list[int]:
        """Of the simulated devices, which a line PC would not have to run."""
        return [one.child.pid for one in self._cast.hardware]

    @property
    def gateway_url(self) -> str:
        return f"http://{self._line.api.host}:{self._line.api.port}"

    def erp_key(self) -> str:
        """The ERP's key that the gateway's first start made; once it is up."""
        return self._first_key(FIRST_KEY)

    def operator_key(self) -> str:
        """As ``erp_key``: it may look at what the line is doing."""
        return self._first_key(OPERATOR_KEY)

    def _first_key(self, name: str) -> str:
        return str(json.loads((self._data / "first-keys.json").read_text())[name])

    async def open(self) -> None:
        """Every process up, goods, plan and the first orders taken. Raises ``DemoFailed``."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted)
        self._screen.say("record", data=self._data)
        for note in self._notes:
            self._screen.note(note)
        cast = self._cast
        await cast.open()
        self._http = http = HttpErp(self.gateway_url, self.erp_key(), self._fail)
        self._start(http.run())
        self._desk = OrderDesk(self._erp, self._line.topology, http, self._later, parcels=self._parcels)
        http.use_plan(plan_of(self._line.topology))
        self._desk.open()
        await self._until(lambda: http.idle, READY_S, "the gateway takes no orders", cast.gateway)
        cast.line.start()
        self._start(self._follow())
        self._start(self._show())
        wanted = cast.devices
        await self._until(
            lambda: wanted <= self._record.up, READY_S, "the line does not reach its devices", cast.line
        )

    async def run(self) -> None:
        """Until all parcels have left and everything has settled. Raises ``DemoFailed``."""
        http, watch = self._http, self._watch
        assert http is not None
        what = "not every parcel went through"
        await self._until(lambda: watch.empty, self._limit_s(), what, self._cast.line)
        until_s = monotonic() + SETTLE_S
        await self._until(
            lambda: monotonic() > until_s or (http.idle and not self._due and self._record.settled),
            None,
            what,
        )

    async def close(self) -> None:
        """Everything ends, in order; what was written meanwhile is read."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._cast.close()
        if self._failed.done():
            self._failed.exception()

    def ended(self) -> Ended:
        """What was found; after ``close``."""
        self._look()
        self._record.read()
        assert self._http is not None
        return Ended(
            report=self._checker.finish(),
            line=self._line,
            data=self._data,
            cancels=self._http.cancels,
            contradicted=tuple(contradicted(self._journal, self._http.cancels.said)),
            open_tracks=self._record.open_tracks,
            inducted=self._record.inducted,
            faults=dict(sorted(self._watch.faults.items())),
            line_restarts=self._cast.line.restarts,
            gateway_restarts=self._cast.gateway.restarts,
            belt_s=self._watch.belt_s,
        )

    # --- the tasks ----------------------------------------------------------------------------------

    def _start(self, work: Coroutine[None, None, None]) -> None:
        """A task whose failure is the run's."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _task_ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    async def _follow(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK_S)

    async def _show(self) -> None:
        looks = 0
        with self._screen.live():
            while True:
                self._record.read()
                looks += 1
                if looks % CHECK_EVERY == 0 and self._record.starts:
                    self._checker.advance()
                self._screen.show(self._view())
                await asyncio.sleep(SHOW_S)

    def _view(self) -> View:
        return View(
            line=self._line,
            record=self._record,
            parcels=self._parcels,
            placed=self._watch.placed,
            restarts=self._cast.line.restarts,
        )

    def _look(self) -> None:
        self._watch.take(self._truth.read())

    def _placed(self, index: int) -> None:
        assert self._desk is not None
        self._desk.placed(index)
        if index == CAMERA_DIES_AT and self._faults is not FaultLevel.NONE:
            self._cast.kill_cameras()

    def _later(self, us: int, call: Callable[[], None]) -> None:
        def due() -> None:
            self._due -= 1
            call()

        self._due += 1
        asyncio.get_running_loop().call_later(us / US_PER_S, due)

    # --- what goes wrong ----------------------------------------------------------------------------

    def _fail(self, failed: BaseException) -> None:
        """The first cause ends the run."""
        if not self._failed.done():
            self._failed.set_exception(failed)

    def _interrupted(self) -> None:
        """Ctrl-C: once, nothing more is placed and the line runs empty; twice, the end."""
        self._interrupts += 1
        if self._interrupts > 1 or self._desk is None:
            self._fail(DemoFailed("interrupted"))
        else:
            self._screen.say("stopping")
            self._watch.close()
            self._cast.close_infeed()

    def _limit_s(self) -> float | None:
        if self._parcels is None:
            return None
        pitch_s = 3600 / self._line.topology.nominal_per_h
        return self._parcels * pitch_s * 2 + PATIENCE_S * (1 + self._parcels // BLOCK)

    async def _until(
        self, true: Callable[[], object], within_s: float | None, what: str, whose: Keeper | None = None
    ) -> None:
        """Raises ``DemoFailed`` when it takes longer, or what else fails meanwhile."""
        until_s = None if within_s is None else monotonic() + within_s
        while not true():
            if self._failed.done():
                self._failed.result()
            if within_s is not None and until_s is not None and monotonic() > until_s:
                text = f"{what} within {within_s:.0f} s"
                raise DemoFailed(text) if whose is None else whose.child.failure(text)
            await asyncio.sleep(LOOK_S)


def _slowed(demo: Demo, settings: tuple[str, ...]) -> tuple[str, ...]:
    """A harsh PLC is slow, as far as the line's proof bears it."""
    line = load_line(demo.line, settings)
    plan = FaultPlan(line.topology, FaultLevel.HARSH, demo.seed)
    turnaround_ms = plan.turnaround_ms(largest_turnaround_ms(line))
    if turnaround_ms is None:
        return settings
    slower = (*settings, f"plc.turnaround_ms={turnaround_ms}")
    try:
        load_line(demo.line, slower)
    except LineConfigError:
        return settings
    return slower


def _data_folder(wanted: Path | None) -> Path:
    """A fresh one. Raises ``DemoFailed``."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="beltkeeper-demo-"))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            raise DemoFailed(f"{wanted} is not empty: the demo wants a fresh folder", BAD_ENVIRONMENT)
    except OSError as error:
        raise DemoFailed(f"{wanted}: {error.strerror}; give another folder", BAD_ENVIRONMENT) from error
    return wanted.resolve()
