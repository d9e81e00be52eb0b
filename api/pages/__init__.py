"""Pages for people: the live line, one parcel's way. Server-rendered; what moves follows the event stream."""
