"""The plant goes on by itself, whatever becomes of the process that asked it last."""

import asyncio

from simulators.loop import VirtualLoop
from simulators.plant import PlantDriver, PlantRegisters
from simulators.world.truth import Left
from tests.core.test_world_people import Parcels, hall_of


def test_a_crash_of_the_process_that_asked_last_stops_no_belt() -> None:
    loop = VirtualLoop(start_us=0)

    async def main() -> int:
        hall, plant, program, _ = hall_of(Parcels(5))
        driver = PlantDriver(plant, loop)
        registers = PlantRegisters(plant, driver.now_us)
        driver.start()

        async def ask_for_ever() -> None:
            while True:
                program.wake = driver.now_us() + 5_000  # what is asked moves the plant's next wake
                registers.read(16, 1)
                await asyncio.sleep(0.01)

        loop.start_owned("line", ask_for_ever())
        await asyncio.sleep(6)
        await asyncio.gather(*loop.crash("line"), return_exceptions=True)
        await asyncio.sleep(30)
        driver.stop()
        return len(hall.of(Left))

    assert loop.run(main()) == 5
