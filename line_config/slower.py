"""The same line with a slower PLC behind it: what a simulation proves, and an integrator may try out."""

from dataclasses import replace

from edge.core import timing
from line_config.description import LineDescription
from line_config.proof import at_turnaround


def with_slower_plc(description: LineDescription, turnaround_ms: int) -> LineDescription:
    """``plc.turnaround_ms`` is ``turnaround_ms``; cycle and deadlines follow from it.

    Time-out and heartbeat limit are settings (plc.md section 7): they stay where lint accepts them, else
    they are the smallest that it does. Nothing is linted here: ``proof.largest_turnaround_ms`` says what
    the line bears. Raises ``ValueError`` for a PLC quicker than the line's own.
    """
    plc = description.plc
    if turnaround_ms < plc.turnaround_ms:
        raise ValueError(f"a PLC of {turnaround_ms} ms is quicker than the line's, {plc.turnaround_ms} ms")
    timeout_ms = max(plc.timeout_ms, timing.timeout_ms(turnaround_ms))
    heartbeat_ms = max(plc.heartbeat_ms, timing.heartbeat_floor_ms(timeout_ms, turnaround_ms) + 1)
    topology = at_turnaround(description, turnaround_ms)
    settings = description.file.plc.model_copy(
        update={"turnaround_ms": turnaround_ms, "timeout_ms": timeout_ms, "heartbeat_ms": heartbeat_ms}
    )
    return replace(
        description,
        topology=replace(
            topology, plc=replace(topology.plc, timeout_ms=timeout_ms, heartbeat_ms=heartbeat_ms)
        ),
        file=description.file.model_copy(update={"plc": settings}),
    )
