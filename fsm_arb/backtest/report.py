"""What a backtest came to: sums over its trades, and how its worth went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsm_arb.audit.summary import Summary
    from fsm_arb.backtest.curve import Curve, Mark
    from fsm_arb.backtest.setup import Setup
    from fsm_arb.backtest.trades import Traded
    from fsm_arb.values import Leg


@frozen(kw_only=True)
class Sums:
    """Several trades together. Money in the quote currency of legs[0].

    Attributes:
        trades: How many.
        gross: Sells less buys, as if nothing had been charged.
        fees: What was charged.
        net: Gross less fees.
        slippage: What the fills were worse than the decisions' prices; part of gross, not taken off again.
        naked_s: Seconds for which one side stood without the other, beyond dust, added up.
        worst_exposure: Base; the most that any one of them had naked.
        worst_worth: The most that any one of them had naked, at its decision's price.
        unknown: How many have no PnL, since a price or a fee is unknown; they are in no sum of money.
    """

    trades: int = 0
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    net: Decimal = ZERO
    slippage: Decimal = ZERO
    naked_s: Decimal = ZERO
    worst_exposure: Decimal = ZERO
    worst_worth: Decimal = ZERO
    unknown: int = 0


def sums(trades: Iterable[Summary]) -> Sums:
    """Return what several trades come to together."""
    every = tuple(trades)
    known = [trade for trade in every if trade.net is not None]
    return Sums(
        trades=len(every),
        gross=sum((trade.gross for trade in known if trade.gross is not None), ZERO),
        fees=sum((trade.fees for trade in known), ZERO),
        net=sum((trade.net for trade in known if trade.net is not None), ZERO),
        slippage=sum((trade.slippage for trade in known), ZERO),
        naked_s=sum((trade.naked_s for trade in every), ZERO),
        worst_exposure=max((trade.worst_exposure for trade in every), default=ZERO),
        worst_worth=max((trade.worst_worth for trade in every), default=ZERO),
        unknown=len(every) - len(known),
    )


@frozen(kw_only=True)
class Report:
    """What a backtest came to.

    Attributes:
        legs: The pair.
        seed: It was run with.
        trades: Oldest first.
        marks: What it was worth, moment by moment.
        opened: How many positions.
        closed: How many of them are closed.
        why: What was said about entries, and how often: reason codes of the strategy.
        digest: The hash of the journal's last record: the same for the same run.
    """

    legs: tuple[Leg, Leg]
    seed: int
    trades: tuple[Summary, ...]
    marks: tuple[Mark, ...]
    opened: int
    closed: int
    why: Mapping[str, int]
    digest: str

    @property
    def currency(self) -> str:
        """What all money is in."""
        return self.legs[0].quote

    @property
    def total(self) -> Sums:
        """Every trade."""
        return sums(self.trades)

    @property
    def by_outcome(self) -> dict[tuple[str, str], Sums]:
        """Sums by kind (``entry``, ``exit``) and outcome."""
        groups: dict[tuple[str, str], list[Summary]] = {}
        for trade in self.trades:
            groups.setdefault(("entry" if trade.is_entry else "exit", trade.status), []).append(trade)
        return {key: sums(trades) for key, trades in sorted(groups.items())}

    @property
    def worth(self) -> Decimal:
        """What it made or lost in the end, open positions marked to the middle of both books."""
        return self.marks[-1].worth if self.marks else ZERO

    @property
    def drawdown(self) -> Decimal:
        """The deepest fall of its worth below an earlier height; zero or more."""
        return drawdown(self.marks)


def drawdown(marks: Sequence[Mark]) -> Decimal:
    """Return the deepest fall below an earlier height; it begins at zero."""
    height = deepest = ZERO
    for mark in marks:
        height = max(height, mark.worth)
        deepest = max(deepest, height - mark.worth)
    return deepest


def report_of(setup: Setup, traded: Traded, curve: Curve, *, why: Mapping[str, int], digest: str) -> Report:
    """Return the report of one run."""
    return Report(
        legs=setup.legs,
        seed=setup.seed,
        trades=traded.trades,
        marks=tuple(curve.marks),
        opened=traded.opened,
        closed=traded.closed,
        why=Counter(why),
        digest=digest,
    )
