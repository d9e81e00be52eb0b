"""Runs the checks one after the other, each no longer than its limit."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from edge.doctor.checks import CHECKS, Check
from edge.doctor.findings import Finding, Words, failed
from edge.doctor.machine import Machine


@dataclass(frozen=True, slots=True)
class Examined:
    """One check's findings."""

    check: Check
    findings: tuple[Finding, ...]


def examine(machine: Machine, checks: Sequence[Check] = CHECKS) -> Iterator[Examined]:
    """Each as soon as it is done. Raises what a check raises: that is our own error."""
    for check in checks:
        yield Examined(check, _bounded(check, machine))


def _bounded(check: Check, machine: Machine) -> tuple[Finding, ...]:
    """In a thread that is left behind when time is up: a dead disk or driver holds it in the kernel,
    where no signal reaches it."""
    answers: SimpleQueue[tuple[Finding, ...] | BaseException] = SimpleQueue()

    def look() -> None:
        try:
            answers.put(tuple(check.look(machine)))
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            answers.put(error)

    threading.Thread(target=look, name=f"check {check.name}", daemon=True).start()
    try:
        answer = answers.get(timeout=check.limit_s)
    except Empty:
        fix = Words(
            "journalctl -k -e: the kernel says which disk or device does not answer",
            "journalctl -k -e：内核日志会说明哪个磁盘或设备没有应答",
        )
        limit = f"{check.limit_s:.0f}"
        return (failed("", f"no answer within {limit} s", f"{limit} 秒内没有应答", fix=fix),)
    if isinstance(answer, BaseException):
        raise answer
    return answer
