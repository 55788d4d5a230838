"""Sums over trades, and how a worth went."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve
from recorded_books import report, trade

from fsm_arb.audit.summary import Naked
from fsm_arb.backtest.report import Sums, drawdown, sums

D = Decimal
SECOND = 1_000_000_000


def test_trades_are_added_up() -> None:
    """Money and time in sum, the worst exposure as the worst of them."""
    naked = Naked(from_ns=0, to_ns=SECOND // 2, exposure=D("-0.2"))
    one, other = trade(naked=(naked, naked), worst_exposure=D("0.2"), worst_worth=D(20)), trade("b2", net=D(-7))
    assert sums([one, other]) == Sums(
        trades=2,
        gross=D(20),
        fees=D(6),
        net=D(0),
        slippage=D(2),
        naked_s=D(1),
        worst_exposure=D("0.2"),
        worst_worth=D(20),
    )
    assert sums([]) == Sums()


def test_a_trade_of_unknown_pnl_is_in_no_sum_of_money() -> None:
    """It is counted, and so is that it is unknown."""
    told = sums([trade(), trade("b2", gross=None, net=None)])
    assert (told.trades, told.unknown, told.gross, told.fees, told.net) == (2, 1, 10, 3, 7)


def test_outcomes_are_told_apart_by_kind() -> None:
    """Entries and exits, each by how they ended."""
    told = report(trade(), trade("b2", action="exit_tp"), trade("b3", status="failed"), trade("b4"))
    assert {key: each.trades for key, each in told.by_outcome.items()} == {
        ("entry", "failed"): 1,
        ("entry", "success"): 2,
        ("exit", "success"): 1,
    }
    assert told.total.trades == 4


def test_the_deepest_fall_is_from_the_height_before_it() -> None:
    """A run that never was above zero falls from there."""
    assert report(marks=(0, 5, 2, 9, 3, 8)).drawdown == 6
    assert report(marks=(-1, -4, -2)).drawdown == 4
    assert report(marks=(1, 2, 3)).drawdown == 0
    assert drawdown([]) == 0


def test_the_worth_is_that_of_the_end() -> None:
    """Nothing, where no price was seen."""
    told = report(marks=(1, -2))
    assert (told.worth, told.currency) == (-2, "KRW")
    assert evolve(told, marks=()).worth == 0
