"""Nothing dies quietly: a task that ends by itself is reported with its cause."""

import asyncio

import pytest

from edge.runtime.supervisor import Supervisor


async def ends() -> None:
    await asyncio.sleep(0)


async def breaks() -> None:
    raise ValueError("broken")


async def stays() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(("work", "error"), [(ends, None), (breaks, ValueError)])
async def test_a_task_that_ends_is_reported(work: object, error: type[BaseException] | None) -> None:
    deaths: list[tuple[str, BaseException | None]] = []
    supervisor = Supervisor(lambda name, cause: deaths.append((name, cause)))
    supervisor.start("work", work())  # type: ignore[operator]
    supervisor.start("other", stays())
    for _ in range(5):
        await asyncio.sleep(0)
    assert [name for name, _ in deaths] == ["work"]
    assert deaths[0][1] is None if error is None else isinstance(deaths[0][1], error)
    await supervisor.stop()
    assert len(deaths) == 1, "a stopped task is no death"


async def test_a_name_runs_once() -> None:
    supervisor = Supervisor(lambda name, cause: None)
    supervisor.start("work", stays())
    with pytest.raises(RuntimeError, match="started twice"):
        supervisor.start("work", stays())
    await supervisor.stop()
