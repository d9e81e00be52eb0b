"""Streams of the simulation: the same numbers everywhere, each within its bounds."""

from collections import Counter

import pytest

from simulators.seeds import SeededBits


def test_a_stream_gives_the_same_numbers_on_every_python_and_machine() -> None:
    bits = SeededBits(7, "plc/turnaround")
    assert [bits.below(1000) for _ in range(6)] == [328, 173, 90, 860, 321, 838]


def test_streams_of_other_names_and_seeds_are_others() -> None:
    def first(seed: int, name: str) -> list[int]:
        bits = SeededBits(seed, name)
        return [bits.below(1 << 30) for _ in range(4)]

    rows = [first(7, "a"), first(7, "b"), first(8, "a"), first(77, "a"), first(-7, "a")]
    assert len({tuple(row) for row in rows}) == len(rows)


def test_drawing_from_a_child_does_not_move_its_parent() -> None:
    alone, parent = SeededBits(1, "x"), SeededBits(1, "x")
    child = parent.child("y")
    child.below(1000)
    assert [alone.below(1000) for _ in range(5)] == [parent.below(1000) for _ in range(5)]
    assert SeededBits(1, "x/y").below(1 << 30) == SeededBits(1, "x").child("y").below(1 << 30)


def test_bounds_are_kept_and_reached() -> None:
    bits = SeededBits(3, "bounds")
    seen = Counter(bits.between(-2, 3) for _ in range(600))
    assert sorted(seen) == [-2, -1, 0, 1, 2, 3]
    assert min(seen.values()) > 60
    assert {bits.below(1) for _ in range(5)} == {0}
    assert {bits.pick("abc") for _ in range(60)} == set("abc")


def test_chance_is_permille_and_always_draws() -> None:
    bits = SeededBits(4, "chance")
    assert not any(bits.chance(0) for _ in range(100))
    assert all(bits.chance(1000) for _ in range(100))
    assert 200 < sum(bits.chance(250) for _ in range(1000)) < 300
    never, always = SeededBits(4, "d"), SeededBits(4, "d")
    never.chance(0)
    always.chance(1000)
    assert never.below(1 << 20) == always.below(1 << 20)


def test_shuffle_is_a_permutation() -> None:
    bits = SeededBits(5, "shuffle")
    items = list(range(20))
    bits.shuffle(items)
    assert items != list(range(20))
    assert sorted(items) == list(range(20))


@pytest.mark.parametrize("wrong", [lambda b: b.below(0), lambda b: b.between(2, 1), lambda b: b.below(-4)])
def test_an_empty_range_is_an_error(wrong: object) -> None:
    with pytest.raises(ValueError):
        wrong(SeededBits(1, "x"))  # type: ignore[operator]


def test_a_stream_needs_a_name() -> None:
    with pytest.raises(ValueError):
        SeededBits(1, "")


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (3, 3), (0, 1), (-5, 250)])
def test_a_drawer_draws_what_between_draws(low: int, high: int) -> None:
    one, other = SeededBits(9, "drawer"), SeededBits(9, "drawer")
    draw = one.drawer(low, high)
    assert [draw() for _ in range(200)] == [other.between(low, high) for _ in range(200)]
    assert one.below(1 << 30) == other.below(1 << 30), "neither is ahead of the other"


def test_no_drawer_of_an_empty_range() -> None:
    with pytest.raises(ValueError, match="empty range"):
        SeededBits(9, "drawer").drawer(2, 1)
