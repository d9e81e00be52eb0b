"""From picture to picture: two frames may agree on what one leaves in doubt, and each code is told once
while it stays in sight."""

from dataclasses import dataclass

from drivers.vision.agreement import Evidence, ReadRules, why_it_counts
from drivers.vision.ladder import PictureRead
from drivers.vision.sightings import Engine, article_number
from edge.model.codes import Code, Symbology
from edge.model.units import US_PER_MS, MonoUs

TOGETHER_US = 300 * US_PER_MS
"""Frames this close to each other show the same parcel: a code in two of them is seen twice."""
GONE_US = 200 * US_PER_MS
"""Out of sight for so long, and it is told anew: the next parcel may carry the same."""
KEPT = 64
"""Codes remembered; a field of view holds a handful."""


@dataclass(slots=True)
class _Known:
    last_us: int
    engines: frozenset[Engine]
    told: bool
    """It counted, and was said so."""


class FrameAgreement:
    """Frames in the order of their grabs."""

    def __init__(self, rules: ReadRules) -> None:
        self._rules = rules
        self._known: dict[tuple[Symbology, str], _Known] = {}

    def newly_agreed(self, grabbed_us: MonoUs, read: PictureRead) -> tuple[Code, ...]:
        """The codes that begin to count with this frame. Codes whose bytes are no text are none of a
        parcel's, and what a code's own bars deny they deny in every frame."""
        self._forget(grabbed_us)
        found: list[Code] = []
        for seen in read.codes:
            one = seen.sighting
            if one.binary or (seen.denied and not seen.why):
                continue
            key = (one.symbology, article_number(one.symbology, one.text))
            before = self._known.get(key)
            frames = 1 + (before is not None and before.last_us < grabbed_us)
            engines = frozenset(seen.engines) | (before.engines if before else frozenset())
            told = before is not None and before.told
            if not told:
                evidence = Evidence(
                    symbology=one.symbology, text=one.text, engines=engines, frames=frames, clear=False
                )
                why = seen.why or why_it_counts(evidence, self._rules)
                told = why is not None
                if told:
                    found.append(Code(text=one.text, symbology=one.symbology, proof=why))
            self._known[key] = _Known(grabbed_us, engines, told)
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return tuple(found)

    def _forget(self, now_us: int) -> None:
        gone = [
            key
            for key, known in self._known.items()
            if now_us - known.last_us > (GONE_US if known.told else TOGETHER_US)
        ]
        for key in gone:
            del self._known[key]
