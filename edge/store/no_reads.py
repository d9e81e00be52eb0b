"""Why labels are not read, counted over the no-read archive: by cause, label side (the camera), carrier and
customer. A picture alone knows no carrier; what became of its parcel does, once its code was keyed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.model.ids import TrackId, Waybill
from edge.model.pictures import NoReadCause, PictureNote
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class NoReadKind:
    """``carrier`` and ``customer_code`` are empty where nobody knows the parcel."""

    reader: str
    carrier: str
    customer_code: str
    cause: NoReadCause


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPicture:
    """``waybill`` empty: nobody has keyed it, and it has not come to one otherwise."""

    note: PictureNote
    waybill: Waybill
    kind: NoReadKind


def known(notes: Iterable[PictureNote], journal: JournalReader, inbox: InboxReader) -> Iterator[KnownPicture]:
    """Each picture with whose it is; without those of an older record. May raise ``StoreUnreadable``."""
    for note in notes:
        parcel = journal.unread_parcel(TrackId(note.track))
        if parcel is None or (parcel.epoch, parcel.number) != (note.epoch, note.number):
            continue
        carrier, customer = parcel.carrier, parcel.customer_code
        waybill = Waybill(parcel.waybill)
        if waybill and not carrier:
            order = inbox.belt_order(waybill)
            if order is not None:
                carrier, customer = order.carrier, order.customer_code
        kind = NoReadKind(reader=note.reader, carrier=carrier, customer_code=customer, cause=note.cause)
        yield KnownPicture(note=note, waybill=waybill, kind=kind)


def count_bodies(counts: Iterable[tuple[NoReadKind, int]]) -> list[dict[str, str | int]]:
    """As JSON has them."""
    return [
        {
            "reader": kind.reader,
            "carrier": kind.carrier,
            "customer_code": kind.customer_code,
            "cause": kind.cause.value,
            "pictures": number,
        }
        for kind, number in counts
    ]


def counted(pictures: Iterable[KnownPicture]) -> list[tuple[NoReadKind, int]]:
    """The most frequent first."""
    found = Counter(one.kind for one in pictures)
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))
