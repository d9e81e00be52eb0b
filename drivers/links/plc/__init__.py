"""The link to a PLC that tracks (mailbox, docs/plc-contract.md)."""

from drivers.links.plc.mailbox import PlcMailboxLink

__all__ = ["PlcMailboxLink"]
