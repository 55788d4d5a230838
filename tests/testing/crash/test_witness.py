"""The witness sees what is durable and what the venues' books say, and judges each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsm_arb.testing.crash.lives import tried
from fsm_arb.testing.crash.scenarios import SCENARIOS
from fsm_arb.testing.glimpse import Glimpse
from fsm_arb.values import ZERO

PLOTS = {scenario.name: scenario.plot for scenario in SCENARIOS}


class Notes:
    """A checker that objects to everything, in words that tell what it was shown."""

    number, name, claim = 0, "notes", "nothing ever happens"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        if after.creates is not before.creates:
            yield f"sent {after.creates[-1].client_order_id[-1]} durable {after.creates[-1].durable}"
        if after.orders is not before.orders:
            live = sum(order.live for order in after.orders.values())
            yield f"{len(after.orders)} orders, {live} live, {sum(o.told_over for o in after.orders.values())} told"

    def rest(self, glimpse: Glimpse) -> Iterable[str]:
        return (f"at rest: {sorted(glimpse.trades)}, faults {glimpse.faults_on}",)


def test_every_step_is_shown_to_the_checkers() -> None:
    """Requests that leave, orders that arrive, what is told of them; and the end."""
    trial = tried(PLOTS["both fill"], checkers=(Notes(),))
    assert [violation.what for violation in trial.outside.witness.violations] == [
        "sent 1 durable True",
        "1 orders, 1 live, 0 told",
        "sent 2 durable True",
        "2 orders, 2 live, 0 told",
        "2 orders, 1 live, 0 told",
        "2 orders, 0 live, 0 told",
        "2 orders, 0 live, 1 told",
        "2 orders, 0 live, 2 told",
        "at rest: ['entry'], faults False",
    ]


def test_a_trade_is_the_fold_of_what_is_durable() -> None:
    """Its orders, its position, and all commits, as they stand at the end."""
    glimpse = tried(PLOTS["exit"]).outside.witness.glimpse
    assert {name: trade.state for name, trade in glimpse.trades.items()} == {"entry": "DONE", "exit-1": "DONE"}
    assert [position.state for position in glimpse.positions.values()] == ["CLOSED"]
    assert len(glimpse.trades["exit-1"].orders) == 2
    assert all(glimpse.entries[name][0].trigger == "begun" for name in glimpse.trades)
    assert {append.epoch for append in glimpse.appends} == {1}


def test_balances_move_by_what_has_filled() -> None:
    """By asset, on each venue."""
    glimpse = tried(PLOTS["both fill"]).outside.witness.glimpse
    for name, order in glimpse.orders.items():
        assert glimpse.moved[order.venue]["BTC"] == order.received, name
        assert glimpse.moved[order.venue]["USD" if order.venue == "alpha" else "USDT"] * order.side.sign < ZERO


def test_alerts_are_shown_at_the_end() -> None:
    """A halt calls a person, and its words are kept."""
    glimpse = tried(PLOTS["halted, resumed"]).outside.witness.glimpse
    assert any("halted" in alert for alert in glimpse.alerts)
    assert glimpse.errors == ()
