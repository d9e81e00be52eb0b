"""Proofs of a line; filled in ``topology_lint`` and ``timing_lint``."""

from line_config.description import LineDescription
from line_config.problems import Problem


def findings(line: LineDescription) -> list[Problem]:
    return []
