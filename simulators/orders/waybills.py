"""Waybill numbers as carriers give them (patterns of domain.md section 7; ``line_config/carriers.yaml``).

A number is a pure function of seed, carrier and serial, and each serial has its own.
"""

from collections.abc import Callable

from simulators.seeds import SeededBits

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
STRIDE = 7_368_787
"""Coprime to every power of ten: serials are spread, and none meets another within 10^digits."""

EMS_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
"""Of the check digit of UPU standard S10, which an EMS number carries."""


def _ems(n: int) -> str:
    digits = f"{n % 10**8:08d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, EMS_WEIGHTS, strict=True))
    check = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)
    return f"EA{digits}{check}CN"


def _yto(n: int) -> str:
    return f"YT{n % 10**13:013d}"


BUILD: dict[str, tuple[int, Callable[[int], str]]] = {
    "jt": (13, lambda n: f"JT{n:013d}"),
    "jd": (11, lambda n: f"JDV{LETTERS[n % 26]}{n:011d}"),
    "zto": (14, lambda n: f"{n:014d}"),
    "sto": (13, lambda n: f"77{n:013d}"),
    "yunda": (13, lambda n: f"{n:013d}"),
    "yto": (13, _yto),
    "sf": (13, lambda n: f"SF{n:013d}"),
    "ems": (8, _ems),
}
"""Digits that count upwards, and the number around them."""
CARRIERS = tuple(BUILD)


FOREIGN = "deppon"
"""A carrier that the packaged lines know and do not serve."""


def foreign_number(serial: int) -> str:
    """A waybill of ``FOREIGN``; each serial has its own."""
    return f"DPK{serial * STRIDE % 10**12:012d}"


class WaybillBook:
    """Numbers of one run. Serials are the caller's; two different ones never give the same number
    (EMS: within 10^8 of them)."""

    def __init__(self, seed: int) -> None:
        bits = SeededBits(seed, "waybills")
        self._start = {
            carrier: bits.child(carrier).below(10**digits) for carrier, (digits, _) in BUILD.items()
        }

    def number(self, carrier: str, serial: int) -> str:
        """``carrier`` is one of ``CARRIERS``."""
        digits, build = BUILD[carrier]
        return build((self._start[carrier] + serial * STRIDE) % 10**digits)
