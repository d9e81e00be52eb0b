"""The PLC mailbox in words: docs/plc-contract.md section 1, one file a block; no I/O."""

from drivers.codecs.plc.words import WrongBlock

__all__ = ["WrongBlock"]
