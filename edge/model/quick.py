"""Frozen dataclasses that are made by the hundred for every parcel."""

from dataclasses import MISSING, fields
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def quick(cls: C) -> C:
    """Give a frozen dataclass with slots an ``__init__`` that fills the slots themselves: half the time of
    dataclasses' own, which has ``object.__setattr__`` look each of them up. Nothing else of it changes.

    Raises ``TypeError`` for what it does not build: a default factory, a field that is not of ``__init__``,
    ``__post_init__``.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__qualname__}: quick calls no __post_init__")
    known: dict[str, Any] = {}
    positional, keywords = ["self"], list[str]()
    for one in fields(cls):
        if one.default_factory is not MISSING or not one.init:
            raise TypeError(f"{cls.__qualname__}.{one.name}: quick takes a value or a plain default")
        known[f"fill_{one.name}"] = getattr(cls, one.name).__set__
        parameter = one.name
        if one.default is not MISSING:
            known[f"default_{one.name}"] = one.default
            parameter = f"{one.name}=default_{one.name}"
        (keywords if one.kw_only else positional).append(parameter)
    parameters = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    filled = "; ".join(f"fill_{one.name}(self, {one.name})" for one in fields(cls))
    exec(f"def __init__({parameters}):\n    {filled or 'pass'}", known)  # noqa: S102 - as dataclasses does
    made = known["__init__"]
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    made.__annotations__ = vars(cls)["__init__"].__annotations__
    setattr(cls, "__init__", made)  # noqa: B010 - a class's own, not an object's
    return cls
