"""The line's slice of the scheduler's time: asked for, read back from the kernel, nothing else changed."""

import subprocess
import sys

from edge.runtime.slices import SLICE_NS

PROGRAM = """
import ctypes, os, platform, struct, threading
from edge.runtime.slices import ATTRIBUTES, SCHED_SETATTR, short_slice
os.setpriority(os.PRIO_PROCESS, 0, 3)
assert short_slice() == (known := os.uname().machine in SCHED_SETATTR)
kernel = tuple(int(part) for part in platform.release().split(".")[:2])
def look():
    found = ctypes.create_string_buffer(ATTRIBUTES.size)
    number = SCHED_SETATTR[os.uname().machine] + 1  # sched_getattr
    assert ctypes.CDLL(None).syscall(number, 0, found, ATTRIBUTES.size, 0) == 0
    _, policy, _, nice, _, runtime, *_ = ATTRIBUTES.unpack(found.raw)
    print(policy, nice, runtime if kernel >= (6, 12) else "old")
if known:
    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
else:
    print("machine unknown")
"""


def test_each_thread_has_the_short_slice_and_keeps_its_nice_value() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True).stdout
    assert said.splitlines() in ([f"0 3 {SLICE_NS}"] * 2, ["0 3 old"] * 2, ["machine unknown"])
