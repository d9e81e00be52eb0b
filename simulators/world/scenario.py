"""Scenario files: a run that is worth repeating, as data. A failing seed becomes one of these.

``faults`` takes a whole plan by seed; ``parcel_faults``, ``line_faults`` and ``review_faults`` write single
faults down (then ``faults`` is left out). Errors are those of every configuration file:
``LineConfigError`` with all problems at once.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge.model.topology import Topology
from line_config.fields import Ms, Strict, Text
from line_config.load import read_model
from line_config.problems import LineConfigError
from simulators.fault_plan import FaultPlan, ScriptedPlan
from simulators.faults import (
    FaultLevel,
    LineFault,
    LineFaultKind,
    ParcelFault,
    ParcelFaultKind,
    ReviewFaultKind,
)

FOLDER = Path(__file__).parent.parent / "scenarios"

MAX_PARCELS = 100_000
Index = Annotated[int, Field(ge=0, lt=MAX_PARCELS)]
Arg = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class ParcelFaultEntry(Strict):
    index: Index
    """Parcel, from 0 in the order of placing."""
    kind: ParcelFaultKind
    arg: Arg = 0
    by: Arg = 0
    """What they mean stands with the kind."""


class LineFaultEntry(Strict):
    index: Index
    """The parcel at whose placing it strikes."""
    kind: LineFaultKind
    after_ms: Ms = 0
    duration_ms: Ms = 0
    arg: Arg = 0


class ReviewFaultEntry(Strict):
    index: Index
    kind: ReviewFaultKind


class ScenarioFile(Strict):
    """One run: which line, how many parcels, which seed, and what goes wrong."""

    why: Text
    """What it is worth repeating for."""
    line: Text
    """Name of a packaged line, or a path."""
    parcels: Annotated[int, Field(ge=1, le=MAX_PARCELS)]
    seed: Annotated[int, Field(ge=0)]
    faults: FaultLevel = FaultLevel.NONE
    parcel_faults: Annotated[tuple[ParcelFaultEntry, ...], Field(max_length=1_000)] = ()
    line_faults: Annotated[tuple[LineFaultEntry, ...], Field(max_length=1_000)] = ()
    review_faults: Annotated[tuple[ReviewFaultEntry, ...], Field(max_length=1_000)] = ()

    def plan(self, topology: Topology) -> FaultPlan:
        """The faults of this run on its line."""
        if not (self.parcel_faults or self.line_faults or self.review_faults):
            return FaultPlan(topology, self.faults, self.seed)
        parcels = {
            one.index: ParcelFault(kind=one.kind, arg=one.arg, by=one.by) for one in self.parcel_faults
        }
        line = tuple(
            LineFault(
                kind=one.kind,
                index=one.index,
                after_ms=one.after_ms,
                duration_ms=one.duration_ms,
                arg=one.arg,
            )
            for one in self.line_faults
        )
        reviews = {one.index: one.kind for one in self.review_faults}
        return ScriptedPlan(topology, parcels, line, reviews)


def load_scenario(path: Path) -> ScenarioFile:
    """Raises ``LineConfigError``."""
    found, problems = read_model(ScenarioFile, path, str(path))
    if found is None or problems:
        raise LineConfigError(problems)
    return found


def scenario_names() -> tuple[str, ...]:
    """The packaged scenarios, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def packaged_scenario(name: str) -> ScenarioFile:
    """One of ``scenario_names``. Raises ``LineConfigError``."""
    return load_scenario(FOLDER / f"{name}.yaml")
