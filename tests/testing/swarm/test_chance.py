"""Draws that have keys."""

from __future__ import annotations

from fsm_arb.testing.swarm.chance import Chance


def test_a_draw_depends_on_its_key_alone() -> None:
    """Not on how many were made before it, nor on the order."""
    one, other = Chance(7), Chance(7)
    numbers = {key: one.number(key) for key in ("a", "b", "c")}
    assert {key: other.number(key) for key in ("c", "a", "b")} == numbers
    assert Chance(8).number("a") != numbers["a"]
    assert all(0 <= number < 1 for number in numbers.values())


def test_what_strikes_does_so_as_often_as_was_asked() -> None:
    """Over many keys; never at zero, always at one."""
    chance = Chance(1)
    assert 250 < sum(chance.strikes(f"key {number}", 0.3) for number in range(1000)) < 350
    assert not any(chance.strikes(f"key {number}", 0.0) for number in range(100))
    assert all(chance.strikes(f"key {number}", 1.0) for number in range(100))


def test_a_masked_draw_leaves_all_others_where_they_were() -> None:
    """That is what makes a failing episode small."""
    keys = [f"key {number}" for number in range(100)]
    struck = [key for key in keys if Chance(3).strikes(key, 0.5)]
    without = Chance(3, mask=frozenset(struck[:1]))
    assert [key for key in keys if without.strikes(key, 0.5)] == struck[1:]
    only = Chance(3, only=frozenset(struck[1:3]))
    assert [key for key in keys if only.strikes(key, 0.5)] == struck[1:3]


def test_what_strikes_is_told() -> None:
    """By its key, once each time; what is masked is not."""
    told: list[str] = []
    chance = Chance(3, mask=frozenset({"b"}), told=told.append)
    assert chance.strikes("a", 1)
    assert not chance.strikes("b", 1)
    assert chance.allows("c")
    assert told == ["a", "c"]


def test_nothing_strikes_once_all_is_healed() -> None:
    """Phase two is calm, whatever the numbers say."""
    chance = Chance(3)
    chance.healed = True
    assert not chance.strikes("a", 1)
    assert not chance.allows("a")


def test_a_number_from_a_range_and_one_of_several() -> None:
    """Each with a number of its own, so that neither tells the other."""
    chance = Chance(5)
    assert all(2 <= chance.between(f"{number}", 2, 3) < 3 for number in range(50))
    assert {chance.one_of(f"{number}", "xyz") for number in range(50)} == {"x", "y", "z"}
    assert chance.between("k", 0, 1) != chance.number("k")
