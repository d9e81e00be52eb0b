"""The parcel's state machine: every transition, in one table.

A parcel is TRACKED from its first eye on, and collects what a decision needs. DECIDED is reached once
and never again; what follows only says how the PLC took it. A decision for the end of the line stays
DECIDED until it exits. A command that was given *stands* (``Track.standing``) until the PLC refuses
it, reports it aborted, or catches a revoke; those three send the parcel to the end and change nothing
else. TOLD: the PLC has applied the command. REVOKING: a revoke is out; its answer leads back to TOLD,
caught or not. A parcel ends EXITED (a confirm eye saw it) or MISSING (proved absent, or its place is
not known any more), exactly once; ended tracks are forgotten, so nothing can follow.

What the PLC reports is theirs: it may come late, early or twice, and has a row in every state. An
answer to a command that was never given is ours and breaks the flow (``FlowBroken``).
"""

from enum import StrEnum

from edge.core.state import Track
from edge.model.verdict import ParcelState


class Step(StrEnum):
    """What can happen to an open parcel."""

    VERDICT = "verdict"
    """All inputs are in, or the deadline is there."""
    APPLIED = "applied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """A cancel, a hold or a disagreement about its place."""
    CAUGHT = "caught"
    ESCAPED = "escaped"
    """The revoke came too late."""
    UNHEARD = "unheard"
    """The revoke was not judged (stale, torn): it goes out again."""
    FIRED = "fired"
    ABORTED = "aborted"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    """Fired, and its confirm window is over."""
    LOST = "lost"
    VANISHED = "vanished"
    """Past the end of the line without a word."""
    EPOCH_OVER = "epoch_over"


class Action(StrEnum):
    """What the step makes the core do."""

    NOTHING = "nothing"
    DECIDE = "decide"
    TELL = "tell"
    REFUSE = "refuse"
    NOTE = "note"
    """Remember the withdrawal: nothing is decided, or the PLC's answer is awaited."""
    REVOKE = "revoke"
    CATCH = "catch"
    ESCAPE = "escape"
    REVOKE_AGAIN = "revoke_again"
    FIRE = "fire"
    ABORT = "abort"
    EXIT = "exit"
    MISS = "miss"
    BREAK = "break"


class FlowBroken(AssertionError):
    """Ours: a step that cannot follow what this process did."""


_T, _D, _O, _R = ParcelState.TRACKED, ParcelState.DECIDED, ParcelState.TOLD, ParcelState.REVOKING
_X, _M = ParcelState.EXITED, ParcelState.MISSING

TABLE: dict[tuple[ParcelState, Step], tuple[ParcelState, Action]] = {
    (_T, Step.VERDICT): (_D, Action.DECIDE),
    (_D, Step.VERDICT): (_D, Action.BREAK),
    (_O, Step.VERDICT): (_O, Action.BREAK),
    (_R, Step.VERDICT): (_R, Action.BREAK),
    # Answers to a divert. Repeated ones (re-sent after a reconnect) change nothing.
    (_T, Step.APPLIED): (_T, Action.BREAK),
    (_D, Step.APPLIED): (_O, Action.TELL),
    (_O, Step.APPLIED): (_O, Action.NOTHING),
    (_R, Step.APPLIED): (_R, Action.NOTHING),
    (_T, Step.REFUSED): (_T, Action.BREAK),
    (_D, Step.REFUSED): (_D, Action.REFUSE),
    (_O, Step.REFUSED): (_O, Action.NOTHING),
    (_R, Step.REFUSED): (_R, Action.NOTHING),
    # A withdrawal waits for the divert's acknowledge.
    (_T, Step.WITHDRAWN): (_T, Action.NOTE),
    (_D, Step.WITHDRAWN): (_D, Action.NOTE),
    (_O, Step.WITHDRAWN): (_R, Action.REVOKE),
    (_R, Step.WITHDRAWN): (_R, Action.NOTHING),
    # Answers to a revoke.
    (_T, Step.CAUGHT): (_T, Action.BREAK),
    (_D, Step.CAUGHT): (_D, Action.BREAK),
    (_O, Step.CAUGHT): (_O, Action.NOTHING),
    (_R, Step.CAUGHT): (_O, Action.CATCH),
    (_T, Step.ESCAPED): (_T, Action.BREAK),
    (_D, Step.ESCAPED): (_D, Action.BREAK),
    (_O, Step.ESCAPED): (_O, Action.NOTHING),
    (_R, Step.ESCAPED): (_O, Action.ESCAPE),
    (_T, Step.UNHEARD): (_T, Action.BREAK),
    (_D, Step.UNHEARD): (_D, Action.BREAK),
    (_O, Step.UNHEARD): (_O, Action.NOTHING),
    (_R, Step.UNHEARD): (_R, Action.REVOKE_AGAIN),
    # The ring. It may be read before the answer to the command is.
    (_T, Step.FIRED): (_T, Action.FIRE),
    (_D, Step.FIRED): (_D, Action.FIRE),
    (_O, Step.FIRED): (_O, Action.FIRE),
    (_R, Step.FIRED): (_R, Action.FIRE),
    (_T, Step.ABORTED): (_T, Action.NOTHING),
    (_D, Step.ABORTED): (_D, Action.ABORT),
    (_O, Step.ABORTED): (_O, Action.ABORT),
    (_R, Step.ABORTED): (_R, Action.ABORT),
    (_T, Step.CONFIRMED): (_X, Action.EXIT),
    (_D, Step.CONFIRMED): (_X, Action.EXIT),
    (_O, Step.CONFIRMED): (_X, Action.EXIT),
    (_R, Step.CONFIRMED): (_X, Action.EXIT),
    (_T, Step.UNCONFIRMED): (_M, Action.MISS),
    (_D, Step.UNCONFIRMED): (_M, Action.MISS),
    (_O, Step.UNCONFIRMED): (_M, Action.MISS),
    (_R, Step.UNCONFIRMED): (_M, Action.MISS),
    (_T, Step.LOST): (_M, Action.MISS),
    (_D, Step.LOST): (_M, Action.MISS),
    (_O, Step.LOST): (_M, Action.MISS),
    (_R, Step.LOST): (_M, Action.MISS),
    (_T, Step.VANISHED): (_M, Action.MISS),
    (_D, Step.VANISHED): (_M, Action.MISS),
    (_O, Step.VANISHED): (_M, Action.MISS),
    (_R, Step.VANISHED): (_M, Action.MISS),
    (_T, Step.EPOCH_OVER): (_M, Action.MISS),
    (_D, Step.EPOCH_OVER): (_M, Action.MISS),
    (_O, Step.EPOCH_OVER): (_M, Action.MISS),
    (_R, Step.EPOCH_OVER): (_M, Action.MISS),
    # Nothing follows an end.
    **{(end, step): (end, Action.BREAK) for end in (_X, _M) for step in Step},
}


def take(track: Track, step: Step) -> Action:
    """Move the track along the table and say what is to be done. Raises ``FlowBroken``."""
    state, action = TABLE[track.state, step]
    if action is Action.BREAK:
        raise FlowBroken(f"track {track.id} is {track.state}: {step} cannot follow")
    track.state = state
    return action
