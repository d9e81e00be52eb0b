"""The simulated PLC, written from docs/plc-contract.md: a pure program and the ways to reach it.

``program.PlcProgram`` is the program; ``port.PlcRegisters`` joins it to a plant; ``modbus_server``
serves it over Modbus TCP and ``simulators.devices.register_bus`` from memory.
"""
