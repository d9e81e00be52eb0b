"""Examines a machine, a line's description and its data folder before and while a line runs.

Each check is a small function of a literal table (``checks.py``); it changes nothing, and has a limit in
time. What is not good says what to do.
"""

from edge.doctor.checks import CHECKS
from edge.doctor.examine import Examined, examine
from edge.doctor.findings import Verdict
from edge.doctor.machine import Machine
from edge.doctor.report import as_json, show, worst

__all__ = ["CHECKS", "Examined", "Machine", "Verdict", "as_json", "examine", "show", "worst"]
