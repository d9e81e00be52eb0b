"""Identities. Zero means "nothing" everywhere and is never a valid id."""

from typing import NewType

TrackId = NewType("TrackId", int)
"""Journal key of one parcel on the belt, 1… over the whole life of a journal."""
PlcNumber = NewType("PlcNumber", int)
"""PLC parcel number, uint32 1…2³²−1, unique within its boot epoch."""
BootEpoch = NewType("BootEpoch", int)
"""uint16, non-zero, different after every PLC start."""
RingSeq = NewType("RingSeq", int)
"""Position in the PLC's event ring, from 1 in each epoch."""
CommandSeq = NewType("CommandSeq", int)
"""uint16 1…65535, skips 0; compared by circular distance."""
InboxSeq = NewType("InboxSeq", int)
"""Row number of the inbox, 1…; the higher one wins."""
JournalSeq = NewType("JournalSeq", int)
"""Row number of the journal, 1…, contiguous."""
ExitNo = NewType("ExitNo", int)
"""Physical exit 1…n; n+1 is the end of the line."""
EyeNo = NewType("EyeNo", int)
"""Photo-eye 1…, in belt order; 1 is the induction eye."""
ZoneNo = NewType("ZoneNo", int)
"""Held zone 1…; bit zone−1 of the zone words."""
GateNo = NewType("GateNo", int)
"""Gate of a review bench 1…; bit gate−1 of the gate words."""

ChuteId = NewType("ChuteId", str)
"""Logical chute, for example ``001`` or ``001-A``."""
ReaderId = NewType("ReaderId", str)
ScaleId = NewType("ScaleId", str)
BenchId = NewType("BenchId", str)
DeviceId = NewType("DeviceId", str)
Waybill = NewType("Waybill", str)
OrderNo = NewType("OrderNo", str)
MessageId = NewType("MessageId", str)
Sku = NewType("Sku", str)
PlanId = NewType("PlanId", str)
