"""What must agree between the PLC and the line's description before anything is commanded (ID-7)."""

from edge.model.register_map import PlcIdentity
from edge.model.topology import Topology


def disagreement(identity: PlcIdentity, topology: Topology) -> str:
    """Every difference in one sentence; empty when there is none.

    A scan longer and a ring smaller than described void what lint has proved.
    """
    plc = topology.plc
    equal = (
        ("map version", identity.map_version, plc.map_version),
        ("map hash", f"0x{identity.map_hash:08X}", f"0x{topology.map_hash:08X}"),
        ("exits", identity.exits, len(topology.exits)),
        ("ticks per metre", identity.ticks_per_m, topology.ticks_per_m),
    )
    wrong = [f"{name} is {theirs}, the line says {ours}" for name, theirs, ours in equal if theirs != ours]
    if identity.scan_ms > plc.scan_ms:
        wrong.append(f"scan takes {identity.scan_ms} ms, the line allows {plc.scan_ms}")
    if identity.ring_capacity < plc.ring_capacity:
        wrong.append(f"ring has {identity.ring_capacity} slots, the line needs {plc.ring_capacity}")
    return "; ".join(wrong)
