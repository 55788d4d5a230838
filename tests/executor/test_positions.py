"""The positions of one executor, kept in step with its trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hall import ASK, BID, PaperVenue, quick

from fsm_arb import Action, CrossExchangePositionManager, PositionState
from fsm_arb.errors import PositionNotOpen
from fsm_arb.executor.positions import position_id_of
from fsm_arb.ports import Refused
from fsm_arb.values import Side

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
