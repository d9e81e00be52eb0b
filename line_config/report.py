"""The lint's report as text: what ``beltkeeper check LINE`` prints."""

from textwrap import wrap

from edge.model.topology import ScaleKind
from line_config import proof
from line_config.description import LineDescription
from line_config.lint import LintReport, lint

WIDTH = 110


def render_report(subject: LineDescription | LintReport) -> str:
    """The report on a line as text for an integrator, without a final newline."""
    report = subject if isinstance(subject, LintReport) else lint(subject)
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
        f"  link: PLC answers in {link.turnaround_ms} ms, may take {link.largest_turnaround_ms} ms at most",
        f"  link: busy {link.load_permille / 10:.1f} % of its time (at most 70 %), {link.event_reads} ring "
        f"reads a parcel, cycle {link.cycle_ms} ms, time-out {link.timeout_ms} ms",
        f"  link: heartbeat limit {link.heartbeat_ms} ms (needs more than {link.heartbeat_needed_ms}) = "
        f"{link.heartbeat_mm} mm of belt",
        f"  link: ring of {link.ring_slots} slots (needs {link.ring_slots_needed})",
    ]
    lines += wrap(
        f"{len(report.reasons)} exit reasons can be reached: {', '.join(report.reasons)}",
        width=WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
    )
    lines += [f"  not applicable: invariant {one.invariant}, {one.why}" for one in report.not_applicable]
    lines += [f"{len(report.findings)} findings" if report.findings else "the line holds"]
    lines += [f"{problem}" for problem in report.findings]
    return "\n".join(lines)


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
