"""Tree → strict model: every violation of it as a problem at its place, in the project's words."""

import json
import types
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from line_config.fields import FORMS
from line_config.problems import Problem, Where, nearest
from line_config.yaml_tree import Tree

M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]

_WHAT = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} of them",
    "too_long": "must have at most {max_length} of them",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "union_tag_not_found": "has no kind",
    "union_tag_invalid": "is not a known kind",
    "enum": "is not a known word",
    "literal_error": "is not a known word",
    "string_pattern_mismatch": "has a form that is not allowed",
    "none_required": "must be left out",
}


def validate(model: type[M], tree: Tree) -> tuple[M | None, list[Problem]]:
    """The model, or None, and every violation. If unknown keys are all that is wrong, the model comes
    without them, so that what depends on it can be checked in the same run."""
    plain = tree.plain()
    try:
        return model.model_validate_json(json.dumps(plain)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    details = [detail for detail in details if not _follows(tree, detail)]
    problems = [_problem(model, tree, detail) for detail in details]
    if not all(detail["type"] == "extra_forbidden" for detail in details):
        return None, problems
    for detail in details:
        _drop(plain, _real_steps(tree, detail["loc"]))
    return model.model_validate_json(json.dumps(plain)), problems


def locate(tree: Tree, steps: Sequence[str | int]) -> tuple[Where, Tree | None]:
    """Place of the deepest step that exists, and its value if all do."""
    where, here = tree.where, tree
    for step in steps:
        child = here.child(step)
        if child is None:
            return here.keys.get(str(step), where), None
        here, where = child, child.where
    return where, here


def path_text(tree: Tree, steps: Sequence[str | int]) -> str:
    """``exits.x3.no``: names where things are named, else ``exits[2].no``."""
    text, here = "", cast("Tree | None", tree)
    for step in steps:
        here = here.child(step) if here is not None else None
        name = here.name if here is not None and isinstance(step, int) else step
        text += f"[{step}]" if name == "" else f".{name}"
    return text.removeprefix(".")


def problem_at(tree: Tree, steps: Sequence[str | int], what: str, hint: str = "") -> Problem:
    """A problem of an existing (or missing) value."""
    where, found = locate(tree, steps)
    value = found.shown() if found is not None else ""
    return Problem(where=where, path=path_text(tree, steps), value=value, what=what, hint=hint)


def _problem(model: type[BaseModel], tree: Tree, detail: ErrorDetails) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    steps = _real_steps(tree, detail["loc"])
    what = _WHAT.get(kind, detail["msg"]).format_map(context)
    if kind == "value_error":
        what = str(context["error"])
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        found = locate(tree, (*steps, "kind"))[1]
        kinds = _kinds(_annotation_at(model, tree, steps))
        hint = nearest(str(found.content) if found is not None else "", kinds, noun="kinds")
        return problem_at(tree, (*steps, "kind"), what, hint)
    problem = problem_at(tree, steps, what, _hint(model, tree, detail, steps))
    if kind == "extra_forbidden":
        key = locate(tree, steps[:-1])[1]
        place = key.keys.get(str(steps[-1]), problem.where) if key is not None else problem.where
        return Problem(where=place, path=problem.path, what=what, hint=problem.hint, value=problem.value)
    return problem


def _follows(tree: Tree, detail: ErrorDetails) -> bool:
    """pydantic counts a list's valid items: a list that is long enough is not short."""
    if detail["type"] != "too_short":
        return False
    found = locate(tree, _real_steps(tree, detail["loc"]))[1]
    length = len(found.content) if found is not None and isinstance(found.content, list) else 0
    return length >= int(detail.get("ctx", {}).get("min_length", 0))


def _hint(model: type[BaseModel], tree: Tree, detail: ErrorDetails, steps: Loc) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        known = _known_keys(model, tree, steps[:-1])
        return nearest(str(steps[-1]), known, noun="known keys") if known else "remove it"
    if kind in ("enum", "literal_error"):
        words = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
        return nearest(str(given), [word.strip("' ") for word in words.split(",")], noun="known words")
    if kind == "string_type" and isinstance(given, int | float) and not isinstance(given, bool):
        found_tree = locate(tree, steps)[1]
        return f'put it in quotes: "{found_tree.raw if found_tree else given}"'
    if kind == "int_type" and isinstance(given, str) and given.strip().lstrip("+-").isdigit():
        return f"without quotes: {given.strip()}"
    if kind == "int_from_float":
        return "units are chosen so that none needs a fraction"
    if kind == "string_pattern_mismatch":
        pattern = str(detail.get("ctx", {}).get("pattern", ""))
        return FORMS.get(pattern, f"allowed: {pattern}")
    return ""


def _real_steps(tree: Tree, loc: Loc) -> Loc:
    """``loc`` without the tags of unions that pydantic puts in between."""
    steps: list[str | int] = []
    here: Tree | None = tree
    for index, step in enumerate(loc):
        child = here.child(step) if here is not None else None
        tag = here.child("kind") if here is not None else None
        if child is None and tag is not None and tag.content == step and index < len(loc) - 1:
            continue
        steps.append(step)
        here = child
    return tuple(steps)


def _drop(plain: object, steps: Loc) -> None:
    here: Any = plain
    for step in steps[:-1]:
        here = here[step]
    here.pop(steps[-1], None)


def _known_keys(model: type[BaseModel], tree: Tree, steps: Loc) -> list[str]:
    """Keys that are known where ``steps`` lead, following each union by its ``kind``."""
    found = _one_model(_annotation_at(model, tree, steps), locate(tree, steps)[1])
    return sorted(getattr(found, "model_fields", {}))


def _annotation_at(model: type[BaseModel], tree: Tree, steps: Loc) -> Any:
    """The type of the value to which ``steps`` lead; None where they lead nowhere."""
    annotation: Any = model
    at: Tree | None = tree
    for step in steps:
        here = _one_model(annotation, at)
        at = at.child(step) if at is not None else None
        fields = getattr(here, "model_fields", {})
        if isinstance(step, int):
            annotation = get_args(annotation)[0] if get_origin(annotation) is tuple else here
        else:
            annotation = fields[step].annotation if step in fields else None
    return annotation


def _options(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, of whatever it is wrapped in."""
    origin = get_origin(annotation)
    if origin is Annotated or origin is tuple:
        return _options(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return tuple(one for option in get_args(annotation) for one in _options(option))
    return (annotation,)


def _kinds(annotation: Any) -> list[str]:
    fields = [getattr(one, "model_fields", {}).get("kind") for one in _options(annotation)]
    return [str(word) for one in fields if one is not None for word in get_args(one.annotation)]


def _one_model(annotation: Any, at: Tree | None) -> type[BaseModel] | None:
    """The model that an annotation means for this value; a tuple stands for its items."""
    tag = at.child("kind") if at is not None else None
    models = [one for one in _options(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    if len(models) == 1:
        return models[0]
    return next((one for one in models if tag is not None and tag.content in _kinds(one)), None)
