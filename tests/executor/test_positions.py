"""The positions of one executor, kept in step with its trades."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hall import ASK, BID, PaperVenue, Sink, Watched, breaks, mends, quick, until

from fsm_arb import Action, CrossExchangePositionManager, PositionState
from fsm_arb.errors import JournalFailed, PositionNotOpen
from fsm_arb.executor.positions import position_id_of
from fsm_arb.ports import Refused
from fsm_arb.values import Fee, Side

if TYPE_CHECKING:
    from hall import Hall

D = Decimal


def venues() -> dict[str, PaperVenue]:
    return {name: PaperVenue(name) for name in ("upbit", "binance")}


async def test_a_hedged_entry_opens_a_position(hall: Hall) -> None:
    """With the matched quantity and the true average prices, by whose fills it was opened."""
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        (position,) = executor.positions()
    assert position.position_id == result.position_id == position_id_of(result.trade_id)
    assert position.state == PositionState.OPEN
    assert position.legs == result.decision.legs
    assert position.sides == (Side.BUY, Side.SELL)
    assert position.quantity == position.entry_quantity == D("0.1")
    assert position.entry_prices == (ASK["upbit"], BID["binance"])
    assert position.entry_trade_id == result.trade_id
    assert position.fx == 1400
    assert position.exit_trade_id is None
    assert position.realised_pnl == result.pnl


@pytest.mark.parametrize("outcomes", [[Refused(code="no", message="no")], [D(0)]])
async def test_an_entry_that_matched_nothing_opens_none(hall: Hall, outcomes: list[object]) -> None:
    """Refused on both venues, or ended empty."""
    paper = venues()
    for venue in paper.values():
        venue.outcomes = list(outcomes)
    async with hall.executor(venues=paper) as executor:
        result = await executor.execute_decision(hall.entry())
        assert (result.status, result.position_id) == ("failed", None)
        assert executor.positions() == ()


async def test_what_both_venues_would_not_take_back_opens_none(hall: Hall) -> None:
    """A match too small to be left again is dust of the trade, told in its result, and no position."""
    paper = venues()
    for venue in paper.values():
        venue.outcomes = [D("0.00001")]
    async with hall.executor(venues=paper) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
        assert [leg.filled_qty for leg in result.legs] == [D("0.00001")] * 2
        assert executor.positions() == ()


async def test_a_position_goes_out_in_parts(hall: Hall) -> None:
    """Each exit takes what it matched; the last closes it; every trade's PnL stands on it."""
    paper = venues()
    async with hall.executor(venues=paper) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        trades = [entered]
        for left, share in ((D("0.07"), D("0.03")), (D("0.05"), D("0.02"))):
            for venue in paper.values():
                venue.outcomes = [share]
            trades.append(await executor.execute_decision(hall.exit(entered)))
            (position,) = executor.positions()
            assert (position.state, position.quantity) == ("OPEN", left)
        trades.append(await executor.execute_decision(hall.exit(entered)))
        (position,) = executor.positions()
        assert (position.state, position.quantity) == ("CLOSED", 0)
        assert [name for name, _ in position.exits] == [trade.trade_id for trade in trades[1:]]
        assert [trade.decision.action for trade in trades] == [Action.ENTRY_NEGATIVE] + [Action.EXIT_TP] * 3
        assert position.realised_pnl == sum(trade.pnl for trade in trades)
        assert {trade.position_id for trade in trades} == {position.position_id}


async def test_the_rest_of_an_exit_that_nobody_would_take_closes_the_position(hall: Hall) -> None:
    """When either leg's remainder is below its least order; it is recorded."""
    paper = venues()
    async with hall.executor(venues=paper) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        for venue in paper.values():
            venue.outcomes = [D("0.09999")]
        await executor.execute_decision(hall.exit(entered))
        (position,) = executor.positions()
        assert (position.state, position.quantity) == ("CLOSED", D("0.00001"))


async def test_positions_are_read_back_as_they_were(hall: Hall) -> None:
    """Those that are not closed at the start, a closed one when it is asked for, an unknown one never."""
    async with hall.executor(venues=venues()) as executor:
        first = await executor.execute_decision(hall.entry("0.1"))
        second = await executor.execute_decision(hall.entry("0.2"))
        await executor.execute_decision(hall.exit(first))
        before = {position.position_id: position for position in executor.positions()}
    async with hall.executor(venues=venues(), policy=quick()) as executor:
        manager = executor._services.positions
        assert isinstance(manager, CrossExchangePositionManager)
        open_ones = [position for position in executor.positions() if position.state != "CLOSED"]
        assert open_ones == [before[str(second.position_id)]]
        assert manager.get(str(first.position_id)) == before[str(first.position_id)]
        assert executor.trade(first.trade_id).position_id == first.position_id
        with pytest.raises(PositionNotOpen, match="P-unknown"):
            manager.get("P-unknown")


async def test_a_position_that_is_reread_is_what_is_durable(hall: Hall) -> None:
    """An exit that was begun in memory and never written is forgotten."""
    async with hall.executor(venues=venues()) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        manager = executor._services.positions
        manager.start_exit(str(entered.position_id), "an exit", 0)
        assert manager.get(str(entered.position_id)).state == "CLOSING"
        with pytest.raises(PositionNotOpen, match="CLOSING"):
            manager.start_exit(str(entered.position_id), "another", 0)
        manager.reread(str(entered.position_id))
        assert manager.get(str(entered.position_id)).state == "OPEN"
        manager.reread("P-unknown")
        assert len(manager.all()) == 1


# ------------------------------------------------------------------ the wrong way round


async def test_a_position_that_comes_to_stand_the_wrong_way_round_is_told_and_can_be_left(hall: Hall) -> None:
    """Its entry is taken back after its exit and only its twin can be traded: on record, loud, told again, undone."""
    paper, sink = venues(), Sink()
    async with hall.executor(venues=paper, alerts=sink) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        await executor.execute_decision(hall.exit(entered))
        assert executor.positions()[0].state == "CLOSED"
        breaks(paper["upbit"], "book", error=ValueError("maintenance"))
        order = entered.leg("upbit").client_order_ids[0]
        told = await executor.bust(entered.trade_id, order, D("0.04"), "the venue rolled back")
        mends(paper["upbit"])
        assert (told.state, told.net_exposure) == ("DONE", 0)
        (turned,) = executor.positions()
        assert (turned.state, turned.quantity, turned.reversed) == ("OPEN", D("0.04"), True)
        assert turned.sides == (Side.SELL, Side.BUY)
        name = f"position {turned.position_id}"
        await until(lambda: any(subject == f"{name} stands the wrong way round" for subject, _, _ in sink.alerts))
    again = Sink()
    async with hall.executor(venues=paper, alerts=again) as executor:
        assert executor.positions() == (turned,)
        await until(lambda: again.alerts)
        ((subject, body, labels),) = again.alerts
        assert subject == f"{name} stands the wrong way round"
        assert "0.04 BTC is hedged the other way round on upbit and binance; nothing is naked" in body
        assert labels == {"position": turned.position_id, "quantity": "0.04"}
        undone = await executor.execute_decision(hall.exit(entered))
        assert (undone.status, undone.leg("upbit").filled_qty) == ("success", D("0.04"))
        (closed,) = executor.positions()
        assert (closed.state, closed.quantity, closed.reversed) == ("CLOSED", 0, False)
        await until(lambda: len(again.alerts) > 1)
        assert again.alerts[1][:2] == (
            f"{name} no longer stands the wrong way round",
            "0.04 BTC stood so; it is CLOSED with 0",
        )
    async with hall.executor(venues=paper, alerts=(silent := Sink())) as executor:
        assert [position.state for position in executor.positions()] == ["CLOSED"]
    assert silent.alerts == []


# ------------------------------------------------------------------ two trades of one position


async def half_open(hall: Hall, **parts: Any) -> Any:
    """Set up an entry whose first order on upbit may fill further after it was called over."""
    paper = venues()
    for venue in paper.values():
        venue.outcomes = [D("0.05")]
    return paper, hall.executor(venues=paper, policy=quick(remedy="complete"), **parts)


async def test_an_entry_and_an_exit_that_move_one_position_at_once(hall: Hall) -> None:
    """Each is computed from what the other has made durable: neither fails, and the position knows both."""
    journal = Watched(hall.path)
    paper, executor = await half_open(hall, journal=journal)
    async with executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        assert entered.status == "partial_hedged"
        for venue in paper.values():
            venue.outcomes = [D("0.02")]
        exits = (await executor.execute_decision(hall.exit(entered))).trade_id
        failed: list[Any] = []
        sent = executor._services.alerts.raise_alert
        executor._services.alerts.raise_alert = lambda *words: (failed.append(words), sent(*words))  # type: ignore[method-assign]
        journal.lag_s = 0.05  # both commits are under way together
        await asyncio.gather(
            executor.bust(entered.trade_id, entered.leg("upbit").client_order_ids[0], D("0.000005"), "rounding"),
            executor.bust(exits, executor.trade(exits).leg("upbit").client_order_ids[0], D("0.000004"), "rounding"),
            executor.execute_decision(hall.exit(entered, decision_id="another")),
        )
        journal.lag_s = 0
        assert failed == []
        (position,) = executor.positions()
    async with hall.executor(venues=paper) as executor:
        assert executor._services.positions.get(position.position_id) == position
        pnls = {trade_id: executor.trade(trade_id).pnl for trade_id, _ in position.pnls}
        assert dict(position.pnls) == pnls


async def test_a_commit_that_fails_takes_its_change_of_the_position_back_at_once(hall: Hall) -> None:
    """Before another trade can build on it."""
    journal = Watched(hall.path)
    paper = venues()
    async with hall.executor(venues=paper, journal=journal) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        failures = [JournalFailed("a hiccup")]
        journal.fail = lambda _: failures.pop() if failures else None
        with pytest.raises(JournalFailed):
            await executor.execute_decision(hall.exit(entered))
        assert executor.positions()[0].state == "OPEN"
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"


async def test_a_late_fee_amends_what_its_position_earned(hall: Hall) -> None:
    """A trade that is DONE and does not move is worth less all the same."""
    paper = venues()
    async with hall.executor(venues=paper, policy=quick(poll_interval_s="0.01")) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        (before,) = executor.positions()
        for request, shown in list(paper["upbit"].orders.items()):
            paper["upbit"].orders[request] = evolve(shown, fees=(Fee(D(500), "KRW"),))
        await until(lambda: executor.trade(entered.trade_id).pnl != entered.pnl)
        (after,) = executor.positions()
        assert after.realised_pnl == before.realised_pnl - 500 == executor.trade(entered.trade_id).pnl
        assert after.quantity == before.quantity
    async with hall.executor(venues=paper) as executor:
        assert executor.positions() == (after,)


async def test_a_late_fee_of_a_position_closed_in_another_life_amends_it_too(hall: Hall) -> None:
    """The trade is watched on after a restart; its position is read back with it, and opened no second time."""
    paper = venues()
    async with hall.executor(venues=paper) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        await executor.execute_decision(hall.exit(entered))
    async with hall.executor(venues=paper) as executor:
        request = entered.leg("upbit").client_order_ids[0]
        paper["upbit"].orders[request] = evolve(paper["upbit"].orders[request], fees=(Fee(D(500), "KRW"),))
        for runner in executor._runners.values():
            for look in runner._tending._looks.values():
                look.next_at = 0
        await until(lambda: executor.trade(entered.trade_id).pnl != entered.pnl)
        position = executor._services.positions.get(str(entered.position_id))
        assert (position.state, dict(position.pnls)[entered.trade_id]) == ("CLOSED", entered.pnl - 500)
