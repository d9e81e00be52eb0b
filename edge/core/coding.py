"""A code that a person keyed for a parcel that no reader could read: it joins by track, never by place.

It counts as long as nothing is decided and no reader has found a candidate; from there on it is judged as any
other candidate: look-up, duplicate, and a reader that contradicts it later.
"""

from edge.core import identify
from edge.core.candidates import sift
from edge.core.scope import Scope
from edge.core.state import SeenCode, Track
from edge.model.codes import Code, ReadRule, Symbology
from edge.model.coding import CodingOutcome
from edge.model.events import CodeKeyed
from edge.model.ids import Waybill
from edge.model.records import KeyedCodeTaken
from edge.model.verdict import ParcelState, Reason


def keyed(scope: Scope, event: CodeKeyed) -> Track | None:
    """Put on record what became of it. Answers the parcel that has a waybill, or will have one, by it."""
    track = scope.state.tracks.get(event.track)
    outcome = _outcome(scope, event, track)
    scope.record(
        KeyedCodeTaken(
            at_us=event.at_us,
            inbox_seq=event.inbox_seq,
            track=event.track,
            waybill=Waybill(event.text),
            check=event.check,
            by=event.by,
            keyed_utc_us=event.keyed_utc_us,
            outcome=outcome,
        )
    )
    if track is None or outcome is not CodingOutcome.JOINED:
        return None
    track.codes.append(SeenCode(code=Code(text=event.text, symbology=Symbology.UNKNOWN)))
    if track.closed:
        identify.rejudge(scope, track, event.at_us, ReadRule.KEYED)
    return track


def _outcome(scope: Scope, event: CodeKeyed, track: Track | None) -> CodingOutcome:
    if track is None:
        return CodingOutcome.GONE_BY if event.track < scope.state.next_track else CodingOutcome.UNKNOWN
    if track.state is not ParcelState.TRACKED:
        read = track.reason is not Reason.NO_READ
        return CodingOutcome.IDENTIFIED if read else CodingOutcome.GONE_BY
    unread = track.fault in (Reason.OK, Reason.NO_READ) and not sift(scope.layout, track).candidates
    fit = unread and not track.unsettled and track.flaw is Reason.OK
    return CodingOutcome.JOINED if fit else CodingOutcome.IDENTIFIED
