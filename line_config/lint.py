"""The lint: every finding, and the figures behind a line that passes, as ``check LINE`` prints them."""

from dataclasses import dataclass

from edge.model.topology import ScaleKind
from line_config import proof
from line_config.description import LineDescription
from line_config.problems import Problem, in_file_order
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
        not_applicable=_not_applicable(line),
    )


def _not_applicable(line: LineDescription) -> tuple[NotApplicable, ...]:
    if line.topology.scale is not None:
        return ()
    return (
        NotApplicable(invariant=2, why="alone_on_scale: the line has no scale"),
        NotApplicable(invariant=3, why="true_weight: the line has no scale"),
    )


def render_report(report: LintReport) -> str:
    """The report as text for an integrator; ends with a newline."""
    link = report.link
    lines = [
        f"line {report.line_id} ({report.source})",
        f"  PLC map version {report.map_version}, hash 0x{report.map_hash:08X}",
        f"  belt {report.speed_mm_s} mm/s, proved for v_max {report.max_speed_mm_s} mm/s",
        f"  parcels/h: nominal {report.nominal_per_h}, possible {report.possible_per_h}",
        f"  everything known by {report.inputs_known_mm} mm, decision at {report.decision_mm} mm",
        "  exits (mm):",
        "    no  id        position   commit  deadline     slack  chutes",
    ]
    lines += [
        f"    {one.no:>2}  {one.id:<8}  {one.position_mm:>8}  {one.commit_mm:>7}  {one.deadline_mm:>8}  "
        f"{one.slack_mm:>8}  {' '.join(one.chutes)}"
        for one in report.exits
    ]
    lines += [
        f"  diverter {one.id}: a change of side needs a gap of {one.gap_needed_mm} mm, have {one.gap_mm}"
        for one in report.diverters
    ]
    lines += [
        f"  reader {one.id}: code's place known to {one.uncertainty_mm} mm, needs a gap above "
        f"{one.gap_needed_mm} mm, have {one.gap_mm}; last answer by {one.due_mm} mm"
        for one in report.readers
    ]
    lines.append("  " + _weighing_text(report.weighing))
    lines += [
        f"  link: PLC answers in {link.turnaround_ms} ms, the line bears at most {link.largest_turnaround_ms} ms",
        f"  link: busy {link.load_permille / 10:.1f} % of its time (at most 70 %), {link.event_reads} ring "
        f"reads a parcel, cycle {link.cycle_ms} ms, time-out {link.timeout_ms} ms",
        f"  link: heartbeat limit {link.heartbeat_ms} ms (needs more than {link.heartbeat_needed_ms}) = "
        f"{link.heartbeat_mm} mm of belt",
        f"  link: ring of {link.ring_slots} slots (needs {link.ring_slots_needed})",
    ]
    lines += [f"  not applicable: invariant {one.invariant}, {one.why}" for one in report.not_applicable]
    lines += [f"{len(report.findings)} findings" if report.findings else "the line holds"]
    lines += [f"{problem}" for problem in report.findings]
    return "\n".join(lines) + "\n"


def _weighing_text(found: proof.WeighProof | None) -> str:
    if found is None:
        return "weighing: none"
    if found.kind is ScaleKind.STATIC:
        return (
            f"weighing: static, {found.time_ms} ms a parcel, scale of {found.length_mm} mm "
            f"(needs {found.length_min_mm}), {found.samples} readings (needs {found.samples_needed})"
        )
    return (
        f"weighing: in motion, T = {found.time_ms} ms, scale of {found.length_mm} mm "
        f"(legal {found.length_min_mm}…{found.length_max_mm}), {found.samples} readings of the longest "
        f"parcel (needs {found.samples_needed})"
    )
