"""Effects are counted, and one of them goes wrong as it was asked to."""

from __future__ import annotations

from fsm_arb.testing.crash.effects import Fence, Kind, Mode, Strike


class Now:
    ns = 0

    def __call__(self) -> int:
        return self.ns


def reached(fence: Fence, *places: str) -> list[bool]:
    return [fence.reach(Kind.LEAVES, place, "x") for place in places]


def test_effects_are_numbered_in_order() -> None:
    """From one on, with where and what."""
    fence = Fence(None, Now(), 10)
    assert reached(fence, "alpha", "beta") == [False, False]
    assert [str(effect) for effect in fence.effects] == [
        "1: request leaves (alpha: x)",
        "2: request leaves (beta: x)",
    ]
    assert fence.struck is None


def test_one_effect_fails_once() -> None:
    """That one, and no other."""
    fence = Fence(Strike(2, Mode.ONCE), Now(), 10)
    assert reached(fence, "alpha", "alpha", "alpha") == [False, True, False]
    assert fence.struck == fence.effects[1]
    assert str(Strike(2, Mode.ONCE)) == "fails once at 2"


def test_what_fails_from_then_on_is_healed() -> None:
    """The place of that effect fails, no other does, and not for ever."""
    now = Now()
    fence = Fence(Strike(2, Mode.ON), now, 10)
    assert reached(fence, "alpha", "alpha", "alpha", "beta") == [False, True, True, False]
    now.ns = 10
    assert reached(fence, "alpha") == [False]


def test_a_dead_process_reaches_nothing() -> None:
    """From the moment of its death on, and nothing is counted any more."""
    deaths: list[str] = []
    fence = Fence(Strike(2, Mode.DIES), Now(), 10, lambda: deaths.append("died"))
    assert reached(fence, "alpha", "alpha", "beta") == [False, True, True]
    assert (fence.alive, deaths, len(fence.effects)) == (False, ["died"], 2)


def test_a_process_can_be_cut_off() -> None:
    """As when it has ended and something of it still runs."""
    fence = Fence(None, Now(), 10)
    fence.kill()
    assert reached(fence, "alpha") == [True]
    assert fence.effects == []
