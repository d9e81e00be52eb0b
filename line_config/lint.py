"""The lint: every finding, and the figures behind a line that passes, as ``check LINE`` prints them."""

from dataclasses import dataclass

from edge.model.verdict import Reason
from line_config import proof
from line_config.description import LineDescription
from line_config.problems import Problem, in_file_order
from line_config.reachable import reachable
from line_config.timing_lint import timing_findings
from line_config.topology_lint import topology_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """An invariant (docs/architecture.md) that this line cannot have."""

    invariant: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """``findings`` empty: the line may run. ``map_hash`` must be in the PLC program."""

    line_id: str
    source: str
    findings: tuple[Problem, ...]
    map_version: int
    map_hash: int
    speed_mm_s: int
    max_speed_mm_s: int
    nominal_per_h: int
    possible_per_h: int
    inputs_known_mm: int
    decision_mm: int
    exits: tuple[proof.ExitProof, ...]
    diverters: tuple[proof.DiverterProof, ...]
    readers: tuple[proof.ReaderProof, ...]
    weighing: proof.WeighProof | None
    link: proof.LinkProof
    reasons: tuple[Reason, ...]
    """Exit reasons that a parcel on it can come to."""
    not_applicable: tuple[NotApplicable, ...]


def findings(line: LineDescription) -> list[Problem]:
    """What forbids to run the line, in file order."""
    return list(in_file_order([*topology_findings(line), *timing_findings(line)]))


def lint(line: LineDescription) -> LintReport:
    """The whole proof. Raises nothing for a line that fails it: its findings say why."""
    topology = line.topology
    return LintReport(
        line_id=topology.line_id,
        source=line.source,
        findings=tuple(findings(line)),
        map_version=topology.plc.map_version,
        map_hash=topology.map_hash,
        speed_mm_s=topology.speed_mm_s,
        max_speed_mm_s=topology.max_speed_mm_s,
        nominal_per_h=topology.nominal_per_h,
        possible_per_h=proof.possible_per_h(topology),
        inputs_known_mm=proof.inputs_known_mm(topology),
        decision_mm=topology.decision_mm,
        exits=proof.exit_proofs(topology),
        diverters=tuple(proof.diverter_proof(topology, one) for one in topology.diverters),
        readers=tuple(proof.reader_proof(topology, one) for one in topology.readers),
        weighing=proof.weigh_proof(topology),
        link=proof.link_proof(line),
        reasons=reachable(topology),
        not_applicable=_not_applicable(line),
    )


def _not_applicable(line: LineDescription) -> tuple[NotApplicable, ...]:
    if line.topology.scale is not None:
        return ()
    return (
        NotApplicable(invariant=2, why="alone_on_scale: the line has no scale"),
        NotApplicable(invariant=3, why="true_weight: the line has no scale"),
    )
