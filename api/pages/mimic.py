"""The line as a drawing: where each thing of its description stands, in the units of one SVG. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edge.model.topology import ChuteKind, EyeRole, Topology

WIDTH: Final = 1200
HEIGHT: Final = 250
BELT_TOP: Final = 112
BELT_HEIGHT: Final = 26
LEFT: Final = 30
RIGHT: Final = 1090
"""Of the belt; right of it stands the end of the line."""
BOX_HEIGHT: Final = 58
BOX_GAP: Final = 6
BOX_WIDEST: Final = 104
BOX_ABOVE: Final = 6
BOX_BELOW: Final = 186
END_WIDTH: Final = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A chute: where it is drawn, and where its way leaves the belt."""

    chute: str
    kind: ChuteKind
    exit: int
    x: int
    y: int
    width: int
    height: int
    from_x: int
    from_y: int
    to_y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something at the belt: a photo-eye, a reader."""

    id: str
    x: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Something along the belt: the scale, a diverter's zone."""

    id: str
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mimic:
    """``eyes`` are in the order of their numbers; ``per_m`` are units of the drawing for 1 m of belt."""

    per_m: int
    eyes: tuple[Mark, ...]
    readers: tuple[Mark, ...]
    scale: Stretch | None
    diverters: tuple[Stretch, ...]
    decision_x: int
    boxes: tuple[Box, ...]


def mimic_of(line: Topology) -> Mimic:
    span = RIGHT - LEFT

    def x(mm: int) -> int:
        return LEFT + mm * span // line.end_mm

    scale = None
    if line.scale is not None:
        ends = {eye.no: eye.position_mm for eye in line.eyes}
        first, last = ends[line.scale.infeed_eye], ends[line.scale.outfeed_eye]
        scale = Stretch(id=line.scale.id, x=x(first), width=x(last) - x(first))
    return Mimic(
        per_m=span * 1_000 // line.end_mm,
        eyes=tuple(Mark(id=eye.id, x=x(eye.position_mm)) for eye in line.eyes),
        readers=tuple(Mark(id=reader.id, x=x(reader.position_mm)) for reader in line.readers),
        scale=scale,
        diverters=tuple(
            Stretch(id=one.id, x=x(one.position_mm), width=max(4, x(one.zone_mm) - LEFT))
            for one in line.diverters
        ),
        decision_x=x(line.decision_mm),
        boxes=tuple(_boxes(line, span / line.end_mm)),
    )


def _boxes(line: Topology, per_mm: float) -> Iterable[Box]:
    places = sorted({exit.position_mm for exit in line.exits})
    spacing = min((b - a for a, b in pairwise(places)), default=line.end_mm)
    width = min(BOX_WIDEST, round(spacing * per_mm) - BOX_GAP)
    for chute in line.chutes:
        if chute.exit > len(line.exits):
            yield Box(
                chute=chute.id,
                kind=chute.kind,
                exit=chute.exit,
                x=RIGHT + 20,
                y=BELT_TOP + BELT_HEIGHT // 2 - BOX_HEIGHT // 2,
                width=END_WIDTH,
                height=BOX_HEIGHT,
                from_x=RIGHT,
                from_y=BELT_TOP + BELT_HEIGHT // 2,
                to_y=BELT_TOP + BELT_HEIGHT // 2,
            )
            continue
        exit = line.exits[chute.exit - 1]
        sharing = [one.id for one in line.chutes if one.exit == chute.exit]
        share, at = width // len(sharing), sharing.index(chute.id)
        above = exit.side == "left"
        middle = LEFT + round(exit.position_mm * per_mm)
        yield Box(
            chute=chute.id,
            kind=chute.kind,
            exit=chute.exit,
            x=middle - width // 2 + at * share,
            y=BOX_ABOVE if above else BOX_BELOW,
            width=share,
            height=BOX_HEIGHT,
            from_x=middle,
            from_y=BELT_TOP if above else BELT_TOP + BELT_HEIGHT,
            to_y=BOX_ABOVE + BOX_HEIGHT if above else BOX_BELOW,
        )


def positions_mm(line: Topology) -> tuple[int, ...]:
    """Of each eye, by number; the end of the line is the last of them that has the role."""
    return tuple(eye.position_mm for eye in line.eyes)


def end_eye(line: Topology) -> int:
    """Number of the eye at the end of the line."""
    return next(eye.no for eye in line.eyes if eye.role is EyeRole.END)
