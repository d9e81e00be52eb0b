"""Values chosen at run time: ``plc.port=15020``, ``readers.top.connection.port=2112``.

An override sets one scalar; a named thing in a list is reached by its id; a text that looks like a
number is put in quotes. It is then checked like the file, and its problems name it.
"""

from collections.abc import Sequence

from line_config.problems import Problem, Where, nearest
from line_config.yaml_tree import MAX_TEXT, Tree, scalar_of

MAX_OVERRIDES = 64
_FORM = "give path=value, as in plc.port=15020"


def apply_overrides(tree: Tree, overrides: Sequence[str]) -> list[Problem]:
    """Set each override in ``tree``, in order; what could not be set is returned."""
    if len(overrides) > MAX_OVERRIDES:
        where = Where(source="overrides")
        return [Problem(where=where, what=f"{len(overrides)} are given, at most {MAX_OVERRIDES} are allowed")]
    return [problem for text in overrides if (problem := _apply(tree, text)) is not None]


def _apply(tree: Tree, text: str) -> Problem | None:
    shown = text if text.isprintable() and len(text) <= 80 else ascii(text)[:80]
    where = Where(source=f"override {shown}")
    path, equals, value = text.partition("=")
    steps = path.strip().split(".")
    if not equals or not all(steps) or not path.isprintable():
        return Problem(where=where, what="is not an override", hint=_FORM)
    value = value.strip()
    if not value or len(value) > MAX_TEXT or not value.isprintable():
        return Problem(where=where, what="has no printable value", hint=_FORM)
    here = tree
    for depth, step in enumerate(steps[:-1]):
        child = here.child(step)
        if child is None:
            if not isinstance(here.content, dict):
                return _lost(where, here, steps, depth)
            child = here.content[step] = Tree(where, {})
            here.keys[step] = where
        here = child
    if not isinstance(here.content, dict):
        return _lost(where, here, steps, len(steps) - 1)
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    content = value[1:-1] if quoted else scalar_of(value)
    here.content[steps[-1]] = Tree(where, content, raw=value)
    here.keys[steps[-1]] = where
    return None


def _lost(where: Where, here: Tree, steps: Sequence[str], depth: int) -> Problem:
    path = ".".join(steps[: depth + 1])
    if isinstance(here.content, list):
        names = [item.name for item in here.content if item.name]
        return Problem(
            where=where, path=path, what="there is no such thing", hint=nearest(steps[depth], names)
        )
    return Problem(where=where, path=path, what="has nothing below it")
