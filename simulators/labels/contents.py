"""What is printed on parcels: carriers' waybills, routes, articles; by seed."""

from collections.abc import Callable

from edge.model.codes import Code, Symbology
from simulators.seeds import SeededBits

PREFIXES = (("JT", 13), ("SF", 13), ("YT", 13), ("77", 13), ("JDV", 11))
"""A carrier's letters, and how many digits follow."""
PLACES = ("集包 嘉兴市", "上海转运中心", "深圳 龙岗区", "成都 武侯区", "哈尔滨 道里区")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
QR_PERMILLE = 350
ROUTE_PERMILLE = 600


def waybill(bits: SeededBits) -> Code:
    prefix, count = bits.pick(PREFIXES)
    return Code(text=prefix + digits(bits, count), symbology=Symbology.CODE128)


def route(bits: SeededBits) -> Code:
    text = "-".join(str(bits.between(low, high)) for low, high in ((1000, 9999), (10, 99), (100, 999)))
    return Code(text=text, symbology=Symbology.CODE128)


def square(bits: SeededBits) -> Code:
    text = bits.pick((waybill(bits).text, "https://wl.example/" + digits(bits, 12), bits.pick(PLACES)))
    return Code(text=text, symbology=Symbology.QR)


def waybill_codes(bits: SeededBits, *, waybill_only: bool) -> tuple[Code, ...]:
    """Those of one label; the waybill is the first."""
    codes = [waybill(bits)]
    if not waybill_only and bits.chance(ROUTE_PERMILLE):
        codes.append(route(bits))
    if not waybill_only and bits.chance(QR_PERMILLE):
        codes.append(Code(text=codes[0].text, symbology=Symbology.QR))
    return tuple(codes)


def digits(bits: SeededBits, count: int) -> str:
    return "".join(str(bits.below(10)) for _ in range(count))


def _checked(bits: SeededBits, count: int, symbology: Symbology) -> Code:
    """``count`` digits of which the last is GS1's check digit."""
    body = digits(bits, count - 1)
    total = sum(int(one) * (3 if n % 2 == 0 else 1) for n, one in enumerate(reversed(body)))
    return Code(text=body + str(-total % 10), symbology=symbology)


def _serial(bits: SeededBits) -> Code:
    text = "".join(bits.pick(LETTERS) for _ in range(bits.between(5, 11)))
    return Code(text=text, symbology=Symbology.CODE39)


LINEAR_PRINTS: tuple[Callable[[SeededBits], Code], ...] = (
    waybill,
    route,
    _serial,
    lambda bits: _checked(bits, 14, Symbology.ITF),
    lambda bits: _checked(bits, 13, Symbology.EAN13),
    lambda bits: _checked(bits, 8, Symbology.EAN8),
    lambda bits: _checked(bits, 12, Symbology.UPCA),
)
PRINTS: tuple[Callable[[SeededBits], Code], ...] = (
    *LINEAR_PRINTS,
    square,
    lambda bits: Code(text=waybill(bits).text, symbology=Symbology.DATAMATRIX),
)
"""One code of every symbology that goods and parcels carry."""
