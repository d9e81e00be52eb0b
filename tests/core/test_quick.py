"""A quickly made dataclass is the same dataclass."""

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from edge.model.quick import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    number: int
    text: str = "none"
    seen: bool = field(default=False, compare=False)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    number: int
    text: str = "none"
    seen: bool = field(default=False, compare=False)


@quick
@dataclass(frozen=True, slots=True)
class Placed:
    at: int
    where: str = "belt"


@quick
@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@pytest.mark.parametrize("cls", [Plain, Quick])
def test_it_takes_what_dataclasses_takes(cls: type[Plain] | type[Quick]) -> None:
    made = cls(number=3)
    assert (made.number, made.text, made.seen) == (3, "none", False)
    assert made == cls(number=3, text="none", seen=True)
    assert hash(made) == hash(cls(number=3))
    assert replace(made, text="x") == cls(text="x", number=3)
    assert repr(made) == f"{cls.__name__}(number=3, text='none', seen=False)"
    with pytest.raises(FrozenInstanceError):
        made.number = 4  # type: ignore[misc]


@pytest.mark.parametrize("cls", [Plain, Quick])
@pytest.mark.parametrize("given", [{}, {"number": 1, "other": 2}])
def test_what_is_missing_or_unknown_is_an_error(
    cls: type[Plain] | type[Quick], given: dict[str, int]
) -> None:
    with pytest.raises(TypeError, match=r"number|other"):
        cls(**given)  # type: ignore[arg-type]


def test_keywords_only_where_the_class_says_so() -> None:
    assert Placed(7) == Placed(at=7, where="belt")
    assert Placed(7, "box").where == "box"
    assert Nothing() == Nothing()
    with pytest.raises(TypeError, match="positional"):
        Quick(1)  # type: ignore[call-arg]


def test_its_signature_and_its_fields_are_told_as_before() -> None:
    plain, made = (inspect.signature(cls.__init__) for cls in (Plain, Quick))
    assert plain == made
    assert [one.name for one in fields(Plain)] == [one.name for one in fields(Quick)]


def test_what_it_does_not_build_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Many:
        items: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            raise AssertionError("quick calls no __post_init__")

    for cls in (Many, Checked):
        with pytest.raises(TypeError, match=cls.__name__):
            quick(cls)
