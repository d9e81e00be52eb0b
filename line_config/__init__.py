"""What a line is: schema, loading with every problem at once, proof of topology and timing.

``load_line(path_or_name) -> LineDescription`` is the way in.
"""

from line_config.description import LineDescription
from line_config.load import load_line
from line_config.plan import load_plan
from line_config.problems import LineConfigError, Problem

__all__ = ["LineConfigError", "LineDescription", "Problem", "load_line", "load_plan"]
