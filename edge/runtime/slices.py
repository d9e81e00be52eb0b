"""A short slice of the scheduler's time, so that the line's threads run as soon as they wake.

Linux may let a task that runs finish its slice before one that wakes, whatever their nice values (EEVDF, from
6.6 on); one with a shorter slice does not wait for it (from 6.12 on; sched_setattr(2), ``sched_runtime``).
A decision and its answer pass several wake-ups. Cameras that the line starts have its slice too.
"""

import ctypes
import os
import struct

SLICE_NS = 100_000
"""The shortest that the kernel takes."""
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Numbers of the system call, which the C library has no name for before glibc 2.41."""
ATTRIBUTES = struct.Struct("=IIQiIQQQII")
"""``struct sched_attr``: size, policy, flags, nice, priority, runtime, deadline, period, two clamps."""


def short_slice() -> bool:
    """For this thread and all that it starts; policy and nice value stay. False where the kernel, or a filter
    of system calls, has none to give: everything works as before then."""
    number = SCHED_SETATTR.get(os.uname().machine)
    if number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = ATTRIBUTES.pack(ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0, 0, 0)
    done: int = ctypes.CDLL(None, use_errno=True).syscall(number, 0, wanted, 0)
    return done == 0
