"""A whole run, and what it is held to: the same again, and books that add up."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from recorded_books import BEGINS_NS, BINANCE, MS, SWAP, UPBIT, Swing, Wild, book, csv_of, rules, setup

from fsm_arb.backtest import BookEvent, CsvBooks, Report, backtest
from fsm_arb.backtest.run import Stage
from fsm_arb.backtest.trades import trades_of
from fsm_arb.codec import loads
from fsm_arb.context import MarketContext
from fsm_arb.errors import InvalidInput
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.memory import Entry, Memory
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.risk import RiskLimits
from fsm_arb.strategy.verdicts import Verdict
from fsm_arb.values import Leg, Money
from fsm_arb.virtual import VirtualClock, run

D = Decimal


def played(*, books: Any = None, **changes: Any) -> tuple[Report, MemoryDisk]:
    disk = MemoryDisk()
    return backtest(setup(**changes), books or Swing(), disk=disk), disk


def test_the_same_again_is_the_same() -> None:
    """Every record to the last digit of its hash; another seed has other ids."""
    books = Swing()
    (first, disk), (again, _) = played(books=books, jitter_ms=30), played(books=books, jitter_ms=30)
    assert first == again
    assert first.digest == disk.records[-1].hash
    assert books.played == 2
    assert played(books=books, jitter_ms=30, seed=8)[0].digest != first.digest


def test_it_enters_and_leaves_as_the_strategy_says() -> None:
    """Both ways of the swing; ids count up, and positions open and close."""
    report, _ = played()
    assert [trade.trade_id for trade in report.trades] == [f"b{n:06d}" for n in range(1, len(report.trades) + 1)]
    actions = {trade.action for trade in report.trades}
    assert {"entry_positive", "entry_negative", "exit_tp"} <= actions
    assert {trade.status for trade in report.trades} == {"success"}
    assert report.opened >= report.closed >= 1
    assert report.why["entry"] == sum(trade.is_entry for trade in report.trades)
    assert set(report.why) >= {"entry", "positions", "neutral"}
    # One a second and one when a trade has ended, and the end; the first look found a market without a book.
    assert len(report.marks) == 89 + len(report.trades) + 1
    assert sum(report.why.values()) == 90
    assert report.seed == 7
    assert report.currency == "KRW"


def by_hand(disk: MemoryDisk) -> dict[str, Decimal]:
    """Sells less buys less fees of each trade, what is left valued at the decision's price: from the bare JSON."""
    plans: dict[str, Any] = {}
    orders: dict[tuple[str, int], Any] = {}
    for record in disk.records:
        if not record.stream.startswith("trade/"):
            continue
        fact = json.loads(record.payload)
        for plan in found(fact, "quantity", "legs", "dust"):
            plans[record.stream] = plan
        for intent in found(fact, "client_order_id", "purpose"):
            orders[record.stream, intent["index"]] = {"intent": intent, "fills": {}}
        for snapshot in found(fact, "fills", "filled", "client_order_id"):
            (key,) = [
                key
                for key, order in orders.items()
                if key[0] == record.stream and order["intent"]["client_order_id"] == snapshot["client_order_id"]
            ]
            orders[key]["fills"].update({fill["fill_id"]: fill for fill in snapshot["fills"]})
    total: dict[str, Decimal] = defaultdict(Decimal)
    for (stream, _), order in orders.items():
        plan, intent = plans[stream], order["intent"]
        worth = D(plan["fx"]) if intent["leg"] else D(1)
        sign = 1 if intent["side"] == "buy" else -1
        for fill in order["fills"].values():
            amount, price, fee = D(fill["amount"]), D(fill["price"]), fill["fee"]
            base_fee = D(fee["amount"]) if fee["currency"] == "BTC" else D(0)
            total[stream] += worth * (-sign * amount * price - (D(0) if base_fee else D(fee["amount"])))
            total[stream] += (sign * amount - base_fee) * D(plan["legs"][0]["price"])
    return dict(total)


def found(value: Any, *names: str) -> list[dict[str, Any]]:
    """Every object in some JSON that has all these names."""
    if isinstance(value, list):
        return [each for part in value for each in found(part, *names)]
    if not isinstance(value, dict):
        return []
    return ([value] if set(names) <= value.keys() else []) + found(list(value.values()), *names)


@pytest.mark.parametrize("thin", [0, 3])
@pytest.mark.parametrize("second", [BINANCE, SWAP])
def test_its_pnl_is_that_of_the_fills_on_its_journal(second: Leg, thin: int) -> None:
    """Reckoned again from the bare records, trade by trade."""
    report, disk = played(second=second, books=Swing(second=second, thin=thin))
    expected = by_hand(disk)
    told = {f"trade/{trade.trade_id}": trade.net for trade in report.trades if trade.orders}
    assert told == expected
    assert len(told) > 3
    assert report.total.net == sum(expected.values())
    assert report.total.gross - report.total.fees == report.total.net
    if thin:
        assert report.total.naked_s > 0
        assert report.total.worst_exposure > 0


@pytest.mark.parametrize("second", [BINANCE, SWAP])
def test_what_the_accounts_have_gained_is_what_the_trades_say(second: Leg) -> None:
    """With nothing left open the two differ by no more than what dust is worth, and prices it was valued at."""
    calm = Swing(seconds=55, second=second)  # it ends while the spread is near its middle, with nothing held
    report, _ = played(second=second, books=calm)
    assert report.opened == report.closed > 0
    dust = D("0.00002") * 95_000_000
    assert abs(report.worth - report.total.net) < dust * len(report.trades)
    assert report.drawdown >= -report.worth


POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"placement": "sequential", "remedy": "complete"},
    {"order_type": "limit", "fill_timeout_s": 1, "remedy": "unwind"},
    {"order_type": "market", "attempts_max": 2, "halted_retry_s": 5},
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("second", [BINANCE, SWAP])
def test_in_a_wild_market_the_journal_says_what_the_accounts_say(second: Leg, seed: int) -> None:
    """Base that trades say they have received is base that the accounts have; a trade is hedged, undone or told."""
    changed = setup(second=second, seed=seed, policy=ExecutionPolicy(**POLICIES[seed]), jitter_ms=50)
    books, disk = Wild(seed + 10, second, seconds=90), MemoryDisk()
    clock = VirtualClock(epoch_ns=books.begins_ns)
    stage = Stage(changed, books, None, disk, clock)
    began = {name: venue.owned() for name, venue in stage.venues.items()}
    run(stage.play(lambda _: None), clock)
    moved = D(0)
    for name, venue in stage.venues.items():
        moved += venue.owned().get("BTC", D(0)) - began[name].get("BTC", D(0))
        moved += sum((position.amount for position in venue.positions()), D(0))
    received: dict[str, Decimal] = defaultdict(Decimal)
    for trade_id, exposure, state, dust in left_over(disk):
        received[trade_id] = exposure
        assert state == "HALTED" or abs(exposure) < dust or not exposure
    assert len(received) > 2
    assert moved == sum(received.values())
    expected = by_hand(disk)
    for trade in trades_of(disk.records).trades:
        assert trade.net == expected.get(f"trade/{trade.trade_id}", 0)


def left_over(disk: MemoryDisk) -> list[tuple[str, Decimal, str, Decimal]]:
    """Return what each trade on a journal has left naked, its state, and what counts as dust."""
    streams: dict[str, list[Entry]] = defaultdict(list)
    for record in disk.records:
        if record.stream.startswith("trade/"):
            fact = loads(record.payload)
            streams[record.stream].append(
                Entry(record.at_ns, record.trigger, record.state_before, record.state_after, fact)
            )
    folded = [Memory.fold(name, entries, str) for name, entries in streams.items()]
    return [
        (each.trade_id, each.exposure, each.state, each.ledger.plan.dust if each.ledger else D(0)) for each in folded
    ]


def test_a_file_of_the_user_s_own_trades_like_any_other(tmp_path: Any) -> None:
    """The same books read back from CSV are the same run."""
    books = Swing(seconds=60)
    again = CsvBooks([csv_of(tmp_path / "books.csv", books)])
    assert played(books=again)[0].digest == played(books=books)[0].digest


def test_the_risk_guard_stands_in_the_way_as_it_would_for_money() -> None:
    """A day's loss of nothing blocks every entry after the first loss."""
    limits = RiskLimits(daily_loss=Money(D(1), "KRW"))
    report, _ = played(books=Swing(seconds=300), limits=limits)
    blocked = [trade for trade in report.trades if trade.status == "blocked"]
    assert blocked
    assert all(trade.is_entry and "CROSS_DAILY_LOSS_LIMIT" in trade.note for trade in blocked)
    assert {trade.orders for trade in blocked} == {0}
    assert len(report.trades) > len(blocked)


def test_the_rate_may_come_from_a_book() -> None:
    """As old as that book; a market that is watched and not traded."""
    pair = Leg("upbit", "USDT/KRW")
    swing = Swing()

    class WithRate(Swing):
        def events(self) -> Any:
            yield BookEvent(BEGINS_NS, pair, book(D(1400), D(1)))
            for number, row in enumerate(swing.events()):
                yield row
                if number % 10 == 0:
                    yield BookEvent(row.at_ns, pair, book(D(1400), D(1)))

        @property
        def legs(self) -> frozenset[Leg]:
            return swing.legs | {pair}

    report, disk = played(books=WithRate(), rates={}, fx_book=pair)
    assert {trade.status for trade in report.trades} == {"success"}
    assert any("USDT/KRW on upbit" in record.payload for record in disk.records)


@pytest.mark.parametrize("changes", [{"second": SWAP}, {"fx_book": Leg("upbit", "USDT/KRW")}])
def test_markets_without_books_are_named(changes: dict[str, Any]) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidInput, match="there are no books of it"):
        backtest(setup(**changes), Swing(seconds=5))


def test_a_look_that_takes_longer_than_a_tick_is_not_asked_for_twice() -> None:
    """As a bot that waits for its venues would not."""
    slow = played(books=Swing(seconds=30), latency_ms=900, tick_s="0.25")[0]
    quick = played(books=Swing(seconds=30), latency_ms=0, tick_s="0.25")[0]
    assert sum(slow.why.values()) < sum(quick.why.values()) == 117


def test_progress_is_told_from_nothing_to_all() -> None:
    """For a bar."""
    shares: list[float] = []
    backtest(setup(), Swing(seconds=10), progress=shares.append)
    assert (shares[0], shares[-1], shares == sorted(shares)) == (0.0, 1.0, True)


class Broken:
    """A strategy that raises."""

    def entry(self, context: MarketContext) -> Verdict:
        raise ArithmeticError("a bug of the bot's")

    def exit(self, context: MarketContext, held: Any) -> Verdict:
        raise NotImplementedError


def test_an_error_of_the_strategy_ends_the_run() -> None:
    """And is raised, not swallowed."""
    with pytest.raises(ArithmeticError, match="a bug of the bot's"):
        backtest(setup(), Swing(seconds=10), strategy=Broken())


def test_a_venue_that_trades_both_legs_has_one_account() -> None:
    """Two markets of one venue."""
    one, other = Leg("upbit", "BTC/KRW"), Leg("upbit", "BTC/USDT")
    changed = setup(
        legs=(one, other),
        rules=(rules(one), rules(other)),
        balances={"upbit": {"KRW": D(10**8), "BTC": D(3), "USDT": D(10**5)}},
    )

    class OneVenue(Swing):
        def events(self) -> Any:
            for row in super().events():
                yield BookEvent(row.at_ns, other if row.leg == BINANCE else row.leg, row.book)

        @property
        def legs(self) -> frozenset[Leg]:
            return frozenset({one, other})

    report = backtest(changed, OneVenue(seconds=55))
    assert report.opened == report.closed > 0
    assert abs(report.worth - report.total.net) < 2000 * len(report.trades)


def test_books_are_fed_when_they_were_seen() -> None:
    """Never a moment earlier: nobody trades on what is not known yet."""
    clock = VirtualClock(epoch_ns=BEGINS_NS)
    books = Swing(seconds=3)
    stage = Stage(setup(), books, None, MemoryDisk(), clock)
    fed: list[tuple[int, str]] = []
    for name, venue in stage.venues.items():
        real = venue.feed

        def feed(symbol: str, what: Any, name: str = name, real: Any = real) -> bool:
            fed.append((clock.time_ns(), name))
            return bool(real(symbol, what))

        venue.feed = feed  # type: ignore[method-assign]
    run(stage.play(lambda _: None), clock)
    assert [name for _, name in fed] == ["upbit", "binance"] * 3
    for (at_ns, _), row in zip(fed, books.events(), strict=True):
        assert at_ns == pytest.approx(row.at_ns, abs=MS)
        assert at_ns >= row.at_ns - 1000
    assert UPBIT.exchange in stage.venues
