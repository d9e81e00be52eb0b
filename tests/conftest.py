"""How much chance there is in a test run.

A lane says the same of the same commit, on every machine: its properties draw the same examples. Who
looks for new ones asks for it (``make search``, or ``--hypothesis-profile=search`` for one file); what
is found becomes a row of a table or an ``@example``.

An example has no deadline: a machine that stands still for a fifth of a second is no fault of the example's.
"""

from hypothesis import settings

settings.register_profile("lane", derandomize=True, deadline=None)
settings.register_profile("search", print_blob=True, deadline=None)
settings.load_profile("lane")
