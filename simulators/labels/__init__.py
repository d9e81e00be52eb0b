"""Labels as a camera sees them: printed, stuck on, turned, lit, blurred and torn; drawn by seed."""

from simulators.labels.printed import LabelPrint, print_label
from simulators.labels.symbols import SymbolUnprintable, modules_of

__all__ = ["LabelPrint", "SymbolUnprintable", "modules_of", "print_label"]
