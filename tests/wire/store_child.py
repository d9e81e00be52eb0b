"""A process that writes a journal as fast as it can, and says what is durable; made to be killed.

``python -m tests.wire.store_child JOURNAL``: each line on stdout is the seq of a completed append.
A day passes every ``PARCELS_A_DAY`` parcels, so that segments are being closed all the time.
"""

import asyncio
import os
import sys
from asyncio import Future
from pathlib import Path

from edge.model.ids import InboxSeq, JournalSeq
from edge.store.journal_reader import JournalReader
from edge.store.journal_writer import JournalWriter
from tests.core.store_kit import DAY_US, LINE, MIDNIGHT, ZONE, clock, parcel_life

PARCELS_A_DAY = 200
IN_FLIGHT = 8
ROWS_A_PARCEL = 8


def tell(done: "Future[JournalSeq]") -> None:
    os.write(1, b"%d\n" % done.result())


async def main(path: Path) -> None:
    journal = JournalWriter(path, line_id=LINE, timezone=ZONE)
    reader = JournalReader(path)
    recovery = reader.recovery()
    reader.close()
    waiting: list[Future[JournalSeq]] = []
    track = recovery.next_track
    os.write(1, b"%d\n" % recovery.last_seq)
    while True:
        agreed = clock(0, MIDNIGHT + track // PARCELS_A_DAY * DAY_US)
        future = journal.append([agreed, *parcel_life(track, track)], InboxSeq(track))
        future.add_done_callback(tell)
        waiting.append(future)
        if track % 50 == 0:
            journal.snapshot(b"state of %d" % track)
        track += 1  # type: ignore[assignment]
        if len(waiting) == IN_FLIGHT:
            await waiting.pop(0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
