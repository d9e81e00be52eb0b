"""The link to a PLC that tracks (mailbox, docs/plc-contract.md)."""

from drivers.links.plc.mailbox import PlcMailboxLink, Resume

__all__ = ["PlcMailboxLink", "Resume"]
