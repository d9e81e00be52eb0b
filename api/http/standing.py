"""What stands on the line, as clients get it: the record's rows beside the line's own description."""

from typing import Any, Literal

from api.line_process import LineNow
from api.moments import moment
from edge.model.topology import Chute, Topology
from edge.store.journal_types import AlarmRow, ChuteRow, DeviceRow

DeviceKind = Literal["plc", "bench", "reader", "scale"]
Said = LineNow | None
"""What the line process says of itself now; None: it does not answer."""


def process_word(said: Said) -> Literal["up", "down"]:
    return "down" if said is None else "up"


def devices_of(line: Topology) -> dict[str, DeviceKind]:
    """By id, in the order in which a parcel meets them, the PLC first."""
    found: dict[str, DeviceKind] = {line.plc.device: "plc"}
    found |= dict.fromkeys((bench.device for bench in line.benches), "bench")
    found |= dict.fromkeys((reader.device for reader in line.readers), "reader")
    if line.scale is not None:
        found[line.scale.device] = "scale"
    return found


def device_body(device: str, kind: DeviceKind, row: DeviceRow | None, said: Said) -> dict[str, Any]:
    now = None if said is None else said.devices.get(device)
    return {
        "device": device,
        "kind": kind,
        "up": None if said is None else now is not None and now.up,
        "heard_age_ms": None if now is None else now.heard_age_ms,
        "why": "" if row is None else row.why,
        "since": None if row is None else moment(row.since_utc_us),
    }


def chute_body(chute: Chute, row: ChuteRow | None) -> dict[str, Any]:
    return {
        "chute": chute.id,
        "kind": chute.kind.value,
        "exit": chute.exit,
        "reserve": chute.reserve,
        "enabled": row is None or row.enabled,
        "full": row is not None and row.full,
        "since": None if row is None else moment(row.since_utc_us),
    }


def alarm_body(row: AlarmRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject": row.subject,
        "detail": row.detail,
        "raised_at": moment(row.raised_utc_us),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_at": moment(row.acknowledged_utc_us),
    }
