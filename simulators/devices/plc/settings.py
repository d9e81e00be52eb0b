"""What the simulated PLC decides where the contract leaves room (docs/plc-contract.md section 6)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcSettings:
    """Times in milliseconds, lengths in millimetres of belt.

    ``epoch``, ``ticks`` and ``ms`` are what the retained counter and the clocks start from; tests
    use them to reach the wrap of 16 and 32 bits.
    """

    crc_scans: int = 3
    outcomes: int = 256
    full_on_ms: int = 2000
    full_off_ms: int = 1000
    end_full_ms: int = 2000
    stop_mark_ms: int = 2000
    encoder_ms: int = 200
    ramp_ms: int = 500
    home_margin_ms: int = 200
    purge_extra_mm: int = 1000
    hold_grace_ms: int = 1000
    epoch: int = 0
    ticks: int = 0
    ms: int = 0
