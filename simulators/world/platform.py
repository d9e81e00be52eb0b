"""The weighing platform: who stands on it, and the load that this makes."""

from collections.abc import Callable

from simulators.world.parcel import LEAVING_PLATFORM, ON_PLATFORM, OVERLAP_STEPS, Body
from simulators.world.truth import OnScale, TruthSink

LoadListener = Callable[[int, int], None]
"""(at_us, grams on the scale from then on)"""


class Platform:
    """A parcel that slides on or off loads it in quarters of its weight, as its quarters are on it."""

    def __init__(self, truth: TruthSink) -> None:
        self.grams = 0
        self.listeners: list[LoadListener] = []
        self._truth = truth
        self._on: list[Body] = []

    def step(self, body: Body, step: int, now_us: int) -> None:
        """A LOAD point of a body: a number of quarters, or one of the two edges without weight."""
        if step == ON_PLATFORM:
            for one in self._on:
                _end_alone(one, now_us)
            self._on.append(body)
            body.whole_us = body.alone_from_us = body.alone_to_us = -1
        elif step == LEAVING_PLATFORM:
            _end_alone(body, now_us)
        elif body in self._on:
            body.load_steps = step
            if step == OVERLAP_STEPS and body.whole_us < 0:  # not of one that slipped back a little
                body.whole_us = now_us
                if len(self._on) == 1:
                    body.alone_from_us = now_us
            if step == 0:
                self.leave(body, now_us)
            else:
                self._weigh(now_us)

    def put(self, body: Body, step: int, now_us: int, *, on: bool) -> None:
        """It was moved: so many quarters of it are on the platform now."""
        if not on:
            self.leave(body, now_us)
            return
        if body not in self._on:
            self.step(body, ON_PLATFORM, now_us)
        if step and step != body.load_steps:
            self.step(body, step, now_us)

    def leave(self, body: Body, now_us: int) -> None:
        """It is off the platform, by the belt or by hand. Nothing happens if it was not on it."""
        if body not in self._on:
            return
        self._on.remove(body)
        if len(self._on) == 1:
            left = self._on[0]
            if left.alone_from_us < 0 and left.load_steps == OVERLAP_STEPS:
                left.alone_from_us = now_us
        _end_alone(body, now_us)
        whole, alone = body.whole_us, (body.alone_from_us, body.alone_to_us)
        self._truth(OnScale(now_us, body.item.uid, whole, *alone))
        self._weigh(now_us)

    def _weigh(self, now_us: int) -> None:
        grams = sum(one.item.spec.weight_g * one.load_steps // OVERLAP_STEPS for one in self._on)
        if grams != self.grams:
            self.grams = grams
            for listener in self.listeners:
                listener(now_us, grams)


def _end_alone(body: Body, now_us: int) -> None:
    if body.alone_from_us >= 0 and body.alone_to_us < 0:
        body.alone_to_us = now_us
