"""The hash chain of the event log: a row changed, dropped or put between breaks it from there on.

``hash(i) = SHA-256(hash(i-1) || row(i))``, where ``row`` is ASCII: seq, at_us, utc_us, kind, track
and body, joined by line feeds, an absent utc_us or track being empty. No field but the last can
hold a line feed, and canonical JSON has none. ``hash(0)`` is SHA-256 of ``beltkeeper journal``, a
line feed and the line's id in UTF-8, so that no other line's log can stand in.

The column takes any 32 bytes: an HMAC with a key ratchet fits without a change of the schema.
"""

from hashlib import sha256


def genesis(line_id: str) -> bytes:
    return sha256(b"beltkeeper journal\n" + line_id.encode()).digest()


def link(
    before: bytes, seq: int, at_us: int, utc_us: int | None, kind: str, track: int | None, body: str
) -> bytes:
    """``hash`` of a row, given that of the row before."""
    utc = "" if utc_us is None else utc_us
    of = "" if track is None else track
    return sha256(before + f"{seq}\n{at_us}\n{utc}\n{kind}\n{of}\n{body}".encode()).digest()
