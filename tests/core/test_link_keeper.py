"""Reconnecting: down once, up once, a second between the tries at most, and no end but its own."""

import asyncio
from collections.abc import Callable

import pytest

from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import DeviceId
from edge.ports.byte_stream import LinkFailed
from edge.runtime.link_keeper import LinkKeeper
from tests.core.runtime_kit import Posted, clock, logs, virtual

DEVICE = DeviceId("reader")
S = 1_000_000


class Link:
    """A link that plays one outcome a session: None fails to open, a number serves that many seconds."""

    def __init__(self, *sessions: float | None) -> None:
        self._sessions = list(sessions)
        self.opened_us: list[int] = []
        self.now_us: Callable[[], int] = lambda: 0

    @property
    def device(self) -> DeviceId:
        return DEVICE

    async def session(self, went_up: Callable[[], None]) -> None:
        self.opened_us.append(self.now_us())
        serves = self._sessions.pop(0) if self._sessions else None
        if serves is None:
            raise LinkFailed("no answer")
        went_up()
        await asyncio.sleep(serves)
        raise LinkFailed("cable cut")


def kept(link: Link, for_s: float) -> list[tuple[str, int]]:
    posted = Posted()

    async def main() -> None:
        time = clock()
        link.now_us = time.now_us
        keeper = LinkKeeper(link, posted, time)
        assert (keeper.device, keeper.up) == (DEVICE, False)
        try:
            async with asyncio.timeout(for_s):
                await keeper.run()
        except TimeoutError:
            pass

    virtual(main)
    return [
        (type(event).__name__, event.at_us)
        for event in posted.events
        if isinstance(event, DeviceWentUp | DeviceWentDown)
    ]


def test_a_device_that_stays_away_is_tried_ever_slower_to_once_a_second() -> None:
    link = Link()
    assert kept(link, 6) == [("DeviceWentDown", S)]
    waits = [after - before for before, after in zip(link.opened_us, link.opened_us[1:], strict=False)]
    assert waits[:6] == [100_000, 200_000, 400_000, 800_000, 1_000_000, 1_000_000]


def test_it_comes_up_once_and_down_once_and_begins_quickly_again() -> None:
    link = Link(None, None, None, 2.0, None, 5.0)
    assert kept(link, 4) == [
        ("DeviceWentDown", S),
        ("DeviceWentUp", 1_700_000),
        ("DeviceWentDown", 3_700_000),
        ("DeviceWentUp", 3_700_000 + 300_000),
    ]


def test_each_change_is_logged_once() -> None:
    with logs() as told_logs:
        kept(Link(1.0, None, None, 1.0, None), 10)
    assert [(log["log_level"], log["event"]) for log in told_logs] == [
        ("info", "link up"),
        ("warning", "link down"),
        ("info", "link up"),
        ("warning", "link down"),
    ]
    assert told_logs[1]["why"] == "cable cut"


def test_an_error_of_ours_is_not_kept_quiet() -> None:
    class Broken(Link):
        async def session(self, went_up: Callable[[], None]) -> None:
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        kept(Broken(), 5)
