"""``beltkeeper demo``: the whole line in real time, every part of it a process of its own.

The demo starts a hall (belt, people and PLC), a scanner, a scale, the gateway and the line; it plays the
ERP over HTTP, keeps line and gateway up as a service manager does, and at the end proves from the ground
truth and the record what the line kept.
"""

import asyncio
import sys

from line_config.problems import LineConfigError
from simulators.demo.play import Demo, Play
from simulators.demo.processes import BAD_CONFIGURATION, FAILED, DemoFailed
from simulators.demo.screen import Screen
from simulators.demo.summary import Ended, summarise
from simulators.orders import OrdersFileError

__all__ = ["Demo", "run_demo"]


def run_demo(demo: Demo) -> int:
    """Play it to its end; the exit status: 0, 1 (a parcel mis-sorted, lost or shipped unverified, a broken
    invariant, a line that did not end), 2 (wrong options) or 3 (the machine does not give what it takes).
    """
    screen = Screen(demo.language, to_stderr=demo.json_to == "-")
    try:
        ended, broke = asyncio.run(_played(demo, screen))
    except (LineConfigError, OrdersFileError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return BAD_CONFIGURATION
    except DemoFailed as failed:
        return _say(failed)
    except KeyboardInterrupt:
        return FAILED
    code = summarise(ended, demo, screen)
    return code if broke is None else _say(broke)


async def _played(demo: Demo, screen: Screen) -> tuple[Ended, DemoFailed | None]:
    """What was found, and why the run broke off where it did: then, too, the record tells what was kept.
    Raises ``DemoFailed`` when it did not come to a run."""
    play = Play(demo, screen)
    broke: DemoFailed | None = None
    try:
        await play.open()
        try:
            await play.run()
        except DemoFailed as failed:
            broke = failed
    finally:
        await play.close()
    return play.ended(), broke


def _say(failed: DemoFailed) -> int:
    sys.stderr.write(f"beltkeeper demo: {failed}\n")
    return failed.code
