"""What can go wrong with a store file, each with one sentence for a person."""

from edge.ports.inbox import InboxFailed


class StoreUnreadable(InboxFailed, OSError):
    """A database could not be read now (locked, damaged, disk gone); the caller may try again."""


class SchemaMismatch(StoreUnreadable):
    """A database was written by another version of this program: it is not read at all."""


class WriterLocked(Exception):
    """Another process already writes this database; each has exactly one writer."""


class RowTooLarge(ValueError):
    """A row over its bound: our own error or hostile input, never written."""


class RowMalformed(ValueError):
    """A stored row does not fit its type; ``str()`` names the path and what was found."""
