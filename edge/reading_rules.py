"""What a line's description says of its codes, as the reading pipeline wants it."""

import re

from drivers.vision.agreement import CodeRule, ReadRules
from edge.model.codes import Symbology
from line_config import model


def line_rules(reading: model.Reading) -> ReadRules:
    """What counts on a line."""
    formats = {
        one.symbology: CodeRule(
            lengths=frozenset(one.lengths),
            check_digit=one.check_digit,
            pattern=None if one.pattern is None else re.compile(one.pattern),
        )
        for one in reading.formats
    }
    wanted = frozenset(reading.symbologies) | frozenset(formats)
    return ReadRules(wanted=wanted - {Symbology.UNKNOWN}, by_symbology=formats, strict=True)
