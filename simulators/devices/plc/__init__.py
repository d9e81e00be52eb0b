"""The simulated PLC, written from docs/plc-contract.md: a pure program and the ways to reach it.

``program.PlcProgram`` is the program; ``simulators.plant`` joins it to a belt; ``modbus_server``
serves it over Modbus TCP and ``simulators.devices.register_bus`` from memory.
"""
