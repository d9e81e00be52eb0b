"""The gateway that ``order_intake`` measures, as a process: ``python -m benchmarks.order_server DATA STORE``.

``STORE`` is ``inbox``, or ``nothing``: the same app, whose orders are checked, hashed and answered but go
nowhere. The port is the first line of stdout, the key is in the data folder.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from api.http.app import create_app
from api.intake import IntakeAnswer, OrderPut, Outcome, Taken
from api.logs import log_to_stderr
from api.server import listen, serve
from api.settings import GatewaySettings
from edge.model.ids import InboxSeq
from line_config.load import load_line

UNBOUNDED = 1_000_000
"""Requests a second: no key's rate is what is measured."""


async def to_nothing(puts: Sequence[OrderPut]) -> tuple[IntakeAnswer, ...]:
    return tuple(
        Taken(
            outcome=Outcome.STORED,
            repeated=False,
            inbox_seq=InboxSeq(1),
            version=put.order.version,
            detail="",
        )
        for put in puts
    )


def main() -> int:
    log_to_stderr()
    settings = GatewaySettings(requests_per_s=UNBOUNDED, requests_burst=UNBOUNDED)
    app = create_app(settings, load_line("demo").topology, Path(sys.argv[1]))
    if sys.argv[2] == "nothing":
        app.gateway.put_orders = to_nothing  # type: ignore[method-assign]
    with listen(("127.0.0.1", 0), settings.backlog) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        return asyncio.run(serve(app, listener, settings))


if __name__ == "__main__":
    sys.exit(main())
