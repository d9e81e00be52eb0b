"""Virtual time: parcels a second of one core on both buses, the checker beside them."""

from time import process_time

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from simulators.faults import FaultLevel
from simulators.rig import Run, simulate

SEED = 7
PARCELS_PER_S = 250
TIMES_REAL_TIME = 50


def simulation(bench: Bench) -> list[Figure]:
    """The demo line at its nominal pitch. On ``modbus`` every byte of the bus is made and read by
    pymodbus at both ends."""
    parcels = bench.parcels
    figures = []
    for bus, faults, count in (
        ("registers", FaultLevel.NONE, parcels),
        ("registers", FaultLevel.DEFAULT, parcels),
        ("modbus", FaultLevel.NONE, parcels // 4),
        ("modbus", FaultLevel.DEFAULT, parcels // 4),
    ):
        run = Run(line=bench.line, parcels=count, seed=SEED, faults=faults, bus=bus)
        began = process_time()
        outcome = simulate(run)
        spent_s = process_time() - began
        times = outcome.virtual_s / spent_s
        registers = bus == "registers"
        figures.append(
            Figure(
                name=f"simulate, {bus}, faults {faults.value}",
                value=count / spent_s if registers else times,
                unit="parcels/s" if registers else "× real time",
                at_least=PARCELS_PER_S if registers else TIMES_REAL_TIME,
                note=f"{count} parcels, {times:.0f} × real time, {len(outcome.report.violated)} violated",
            )
        )
    return figures
