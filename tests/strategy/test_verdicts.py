"""What a strategy answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from moments import NOTIONAL, held, moment, strategy

from fsm_arb.errors import InvalidInput
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Strategy, Verdict
from fsm_arb.values import Action, Money

WHY = Reason(code=ReasonCode.HOLD, words="1.0 %, now 0.9 %", numbers={"now_pct": Decimal("0.9")})


def test_a_reason_reads_as_code_and_sentence() -> None:
    """For a program the code and the numbers, for a person the rest."""
    assert str(WHY) == "hold: 1.0 %, now 0.9 %"
    assert WHY.numbers == {"now_pct": Decimal("0.9")}
    assert Reason(code=ReasonCode.HOLD, words="").numbers == {}


@pytest.mark.parametrize(
    ("action", "notional"),
    [
        (Action.ENTRY_POSITIVE, None),
        (Action.ENTRY_NEGATIVE, Money(Decimal(0), "KRW")),
        (Action.EXIT_TP, NOTIONAL),
        (Action.NO_ACTION, NOTIONAL),
    ],
)
def test_an_entry_says_how_much_and_nothing_else_does(action: Action, notional: Any) -> None:
    """An exit is sized by its position."""
    with pytest.raises(InvalidInput, match="notional"):
        Verdict(action=action, reason=WHY, notional=notional)


def test_what_fits_is_taken() -> None:
    """An entry with its notional, the others without."""
    assert Verdict(action=Action.ENTRY_NEGATIVE, reason=WHY, notional=NOTIONAL).notional == NOTIONAL
    assert Verdict(action=Action.NO_ACTION, reason=WHY).notional is None
    assert Verdict(action=Action.EXIT_SL, reason=WHY).spread is None


def test_the_strategy_that_stands_ready_fits_the_port() -> None:
    """As a bot's own would; mypy holds it to the signatures."""
    ready: Strategy = strategy()
    assert {ready.entry(moment()).action, ready.exit(moment("1"), held()).action} == {Action.NO_ACTION}
