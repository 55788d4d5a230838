"""The trades that are driven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hall import papers, quick, until

from fsm_arb.errors import UnknownTrade

if TYPE_CHECKING:
    from hall import Hall


async def test_a_trade_that_is_over_is_let_go_and_can_be_roused(hall: Hall) -> None:
    """It is folded again; with nothing to do, it is let go once more and writes nothing."""
    async with hall.executor(venues=papers(), policy=quick(watch_after_done_s=0)) as executor:
        result = await executor.execute_decision(hall.entry())
        crew = executor._crew
        await until(lambda: not crew.runners)
        with pytest.raises(UnknownTrade, match="not being driven"):
            crew.driving(result.trade_id)
        records = len(list(executor._services.scribe.entries(result.trade_id)))
        runner = crew.roused(result.trade_id)
        assert crew.roused(result.trade_id) is runner is crew.driving(result.trade_id)
        await until(lambda: not crew.runners)
        assert len(list(executor._services.scribe.entries(result.trade_id))) == records
        with pytest.raises(UnknownTrade, match="nobody"):
            crew.roused("nobody")


async def test_a_trade_that_is_driven_holds_its_funds(hall: Hall) -> None:
    """From before its first order until a younger balance is known."""
    async with hall.executor(venues=papers()) as executor:
        result = await executor.execute_decision(hall.entry())
        assert executor._crew.driving(result.trade_id).result() == result
        assert executor._services.funds.held("upbit", "KRW") > 0
        executor._services.funds.read("upbit", 2**62)
        assert executor._services.funds.held("upbit", "KRW") == 0
