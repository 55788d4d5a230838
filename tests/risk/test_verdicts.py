"""Verdicts: the strictest wins, and each carries tier, code and numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.risk.verdicts import Approved, RiskCode, RiskTier, Verdict, reduced, refused, strictest
from fsm_arb.values import Money

D = Decimal
LITTLE = reduced(RiskCode.SYMBOL_EXPOSURE, "n", Money(1, "KRW"))
MORE = reduced(RiskCode.GLOBAL_EXPOSURE, "n", Money(2, "KRW"))
NO = refused(RiskCode.COOLDOWN, "9 s left", 5)


@pytest.mark.parametrize(
    ("said", "wins"),
    [
        ((), Approved()),
        ((Approved(), MORE), MORE),
        ((MORE, LITTLE), LITTLE),
        ((LITTLE, NO), NO),
        ((NO, refused(RiskCode.VENUE_DOWN, "x")), NO),
    ],
)
def test_the_strictest_wins(said: tuple[Verdict, ...], wins: Verdict) -> None:
    """A refusal before a reduction, the smaller room before the larger, of equals the first."""
    assert strictest(said) == wins


def test_a_verdict_says_it_all_in_one_line() -> None:
    """Tier, code, numbers; what still fits, where something does."""
    assert str(NO) == "cross_exchange COOLDOWN: 9 s left"
    assert (NO.tier, NO.cooldown_until_ns, NO.approved) == (RiskTier.CROSS_EXCHANGE, 5, False)
    assert str(LITTLE) == "symbol SYMBOL_EXPOSURE: n; room for 1 KRW"
    assert str(Approved()) == "approved"


def test_no_room_is_no_approval() -> None:
    """And room is never below zero."""
    full = reduced(RiskCode.SYMBOL_EXPOSURE, "n", Money(-7, "KRW"))
    assert full.room == Money(0, "KRW")
    assert not full.approved
    assert LITTLE.approved


def test_every_code_knows_its_tier_and_says_why() -> None:
    """The table in the documentation is drawn from these; a code is its own value."""
    for code in RiskCode:
        assert RiskCode(code.value) is code
        assert code.why.endswith(".")
        assert isinstance(code.tier, RiskTier)
    assert {code.tier for code in RiskCode} == set(RiskTier)
