"""How much chance there is in a test run.

A lane says the same of the same commit, on every machine: its properties draw the same examples. Who
looks for new ones asks for it (``make search``, or ``--hypothesis-profile=search`` for one file); what
is found becomes a row of a table or an ``@example``.
"""

from hypothesis import settings

settings.register_profile("lane", derandomize=True)
settings.register_profile("search", print_blob=True)
settings.load_profile("lane")
