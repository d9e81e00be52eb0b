"""The PLC: reached, the one that the line describes, and as quick as the line's proof takes it to be."""

import asyncio
from collections.abc import Iterator
from time import perf_counter

from drivers.codecs.plc.identity import SIZE, decode_identity
from drivers.codecs.plc.words import WrongBlock
from drivers.links.plc.agreement import disagreement
from drivers.streams.modbus import ModbusTcpPort
from edge.doctor.devices import by_its_line
from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import Machine
from edge.model.topology import PlcLink, Topology
from edge.ports.byte_stream import LinkFailed

READS = 100
READ_S = 2.0
"""No longer than this, however slow the PLC."""


def plc(machine: Machine) -> Iterator[Finding]:
    """Nothing is written to it."""
    if machine.line is None:
        yield good("", "no line was given", "未指定产线")
        return
    machine.see_the_line()
    topology = machine.line.topology
    where = f"{topology.plc.host}:{topology.plc.port}"
    if machine.devices_up is not None:
        yield by_its_line(machine, "plc", where)
        return
    words, took_ms, why = asyncio.run(_asked(topology.plc))
    reach = Words(
        f"ping {topology.plc.host}; is Modbus TCP on, is the unit {topology.plc.unit}?",
        f"ping {topology.plc.host}；Modbus TCP 是否已启用，单元号是否为 {topology.plc.unit}？",
    )
    if not words:
        yield failed("plc", why, why, fix=reach)
        return
    yield _identity(words, topology, where)
    if why:
        times = len(took_ms)
        yield failed("plc", f"answered {times} times, then: {why}", f"应答 {times} 次之后：{why}", fix=reach)
    else:
        yield _turnaround(sorted(took_ms), topology.plc)


async def _asked(plc: PlcLink) -> tuple[tuple[int, ...], list[float], str]:
    """The identity block (empty: none came), milliseconds of each of many reads of it, and what ended them
    too soon, if anything did."""
    bus = ModbusTcpPort.of(plc)
    took: list[float] = []
    words: tuple[int, ...] = ()
    try:
        await bus.open()
        until = perf_counter() + READ_S
        while not took or (len(took) < READS and perf_counter() < until):
            began = perf_counter()
            words = await bus.read(plc.registers.identity, SIZE)
            took.append((perf_counter() - began) * 1_000)
    except LinkFailed as error:
        return words, took, str(error)
    finally:
        await bus.close()
    return words, took, ""


def _identity(words: tuple[int, ...], topology: Topology, where: str) -> Finding:
    program = Words(
        "load the program whose map `beltkeeper check` prints, or correct the line's file",
        "请载入与 `beltkeeper check` 所示寄存器表一致的程序，或更正产线文件",
    )
    try:
        differs = disagreement(decode_identity(words, topology.plc.registers.word_order), topology)
    except WrongBlock as error:
        differs = str(error)
    if differs:
        return failed("plc", f"{where}: {differs}", f"{where}：{differs}", fix=program)
    return good("plc", f"{where}: the program that the line describes", f"{where}：程序与产线描述一致")


def _turnaround(took_ms: list[float], plc: PlcLink) -> Finding:
    p99 = took_ms[(len(took_ms) * 99 - 1) // 100]
    shown = (
        f"answers in {took_ms[len(took_ms) // 2]:.1f} ms, p99 {p99:.1f} ms of {len(took_ms)}",
        f"应答 {took_ms[len(took_ms) // 2]:.1f} 毫秒，{len(took_ms)} 次的 p99 为 {p99:.1f} 毫秒",
    )
    if p99 > plc.turnaround_ms:
        least = int(p99) + 1
        fix = Words(
            f"set plc.turnaround_ms to {least} or more and prove it with `beltkeeper check`; "
            "is the PLC on a network of its own?",
            f"把 plc.turnaround_ms 设为 {least} 或更大，并用 `beltkeeper check` 验证；PLC 是否在独立网络上？",
        )
        return warning(
            "plc",
            f"{shown[0]}; the line reckons with {plc.turnaround_ms} ms",
            f"{shown[1]}；产线按 {plc.turnaround_ms} 毫秒计算",
            fix=fix,
        )
    return good("plc", *shown)
