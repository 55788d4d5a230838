"""What is wrong with a trial is said in words, once."""

from __future__ import annotations

from attrs import evolve

from fsm_arb.ports import OrderRequest
from fsm_arb.testing.crash.exchange import Exchange
from fsm_arb.testing.crash.judging import wrongs
from fsm_arb.testing.crash.lives import Trial, tried
from fsm_arb.testing.crash.scenarios import SCENARIOS
from fsm_arb.testing.glimpse import Violation
from fsm_arb.values import OrderType

BOTH_FILL = SCENARIOS[0].plot


def spoilt(**changes: object) -> list[str]:
    """Return what is said of a good trial whose last glimpse was changed."""
    trial = tried(BOTH_FILL)
    trial.outside.witness.glimpse = evolve(trial.outside.witness.glimpse, **changes)  # type: ignore[arg-type]
    return list(wrongs(trial))


def test_nothing_is_said_of_a_good_trial() -> None:
    """It came to rest, everything was sent once, nothing lives."""
    assert spoilt() == []


def test_what_was_sent_twice_or_too_early_is_said() -> None:
    """No client order id goes out twice, ever, and none before its intent is durable."""
    create = tried(BOTH_FILL).outside.witness.glimpse.creates[0]
    name = create.client_order_id
    assert spoilt(creates=(create, create)) == [f"order {name} was sent 2 times"]
    assert spoilt(creates=(evolve(create, durable=False),)) == [f"order {name} was sent before its intent was durable"]


def test_what_lives_on_is_said() -> None:
    """An order on a venue, a trade that is not finished, an error of our own."""
    glimpse = tried(BOTH_FILL).outside.witness.glimpse
    name, order = next(iter(glimpse.orders.items()))
    assert spoilt(orders={name: evolve(order, live=True)}) == [f"order {name} is live on {order.venue}"]
    trade = glimpse.trades["entry"].copy()
    trade.watch_ended = False
    assert spoilt(trades={"entry": trade}) == ["trade entry is DONE"]
    assert spoilt(errors=("a bug",)) == ["an error of our own: a bug"]


def test_what_stands_on_is_said_once() -> None:
    """A violation that is found at every step is one."""
    trial = tried(BOTH_FILL)
    found = Violation(number=1, name="exposure", what="too much")
    trial.outside.witness.violations += [found, found]
    assert list(wrongs(trial)) == ["invariant 1 (exposure): too much"]


def test_a_trial_that_never_rests_says_why() -> None:
    """And nothing else of its end is judged."""
    trial = tried(BOTH_FILL)
    life = evolve(trial.lives[-1], error="JournalFailed: no disk")
    assert list(wrongs(Trial(outside=trial.outside, lives=(life,)))) == [
        "it never came to rest: JournalFailed: no disk"
    ]


def test_a_resting_order_that_nobody_knows_is_seen() -> None:
    """By the venue's own books, not by ours."""
    trial = tried(BOTH_FILL)
    alpha: Exchange = trial.outside.exchanges["alpha"]
    stray: OrderRequest = evolve(alpha.orders[0].request, client_order_id="stray", order_type=OrderType.LIMIT)
    stray = evolve(stray, bound=stray.bound * 2)
    alpha.place(stray, alpha.leaves(stray))
    trial.outside.witness.moved()
    assert list(wrongs(trial)) == ["order stray is live on alpha"]
