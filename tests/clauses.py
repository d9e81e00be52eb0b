"""Marks a test with the clauses of docs/plc-contract.md that it proves: ``@clause("CMD-7")``."""

import pytest


def clause(*ids: str) -> pytest.MarkDecorator:
    """The ids as written in the contract; a walk over the tests compares both lists."""
    return pytest.mark.clause(*ids)
