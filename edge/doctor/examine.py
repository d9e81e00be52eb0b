"""Runs the checks one after the other, each no longer than its limit."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from edge.doctor.checks import CHECKS, Check
from edge.doctor.findings import Finding, Words, failed
from edge.doctor.machine import GROUP, Machine

ACCESS = Words(f"run it as root or as a member of group {GROUP}", f"请以 root 或 {GROUP} 组成员的身份运行")
KERNEL = Words(
    "journalctl -k -e: the kernel says which disk or device does not answer",
    "journalctl -k -e：内核日志会说明哪个磁盘或设备没有应答",
)


@dataclass(frozen=True, slots=True)
class Examined:
    """One check's findings."""

    check: Check
    findings: tuple[Finding, ...]


def examine(machine: Machine, checks: Sequence[Check] = CHECKS) -> Iterator[Examined]:
    """Each as soon as it is done. What the machine refuses a check is a finding; anything else that a
    check raises is our own error, and raised."""
    for check in checks:
        yield Examined(check, _bounded(check, machine))


def _bounded(check: Check, machine: Machine) -> tuple[Finding, ...]:
    """In a thread that is left behind when time is up: a dead disk or driver holds it in the kernel,
    where no signal reaches it."""
    answers: SimpleQueue[tuple[Finding, ...] | BaseException] = SimpleQueue()

    def look() -> None:
        try:
            answers.put(tuple(_found(check, machine)))
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            answers.put(error)

    threading.Thread(target=look, name=f"check {check.name}", daemon=True).start()
    try:
        answer = answers.get(timeout=None if machine.whole and check.can_be_long else check.limit_s)
    except Empty:
        limit = f"{check.limit_s:.0f}"
        return (failed("", f"no answer within {limit} s", f"{limit} 秒内没有应答", fix=KERNEL),)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _found(check: Check, machine: Machine) -> Iterator[Finding]:
    """What the check finds, up to where the machine lets it look."""
    try:
        yield from check.look(machine)
    except OSError as error:
        why = error.strerror or str(error)
        subject = "" if error.filename is None else str(error.filename)
        yield failed(
            subject,
            f"cannot be looked at: {why}",
            f"无法查看：{why}",
            fix=ACCESS if isinstance(error, PermissionError) else KERNEL,
        )
