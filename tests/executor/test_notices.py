"""Calling a person about one trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hall import IN_DOUBT, D, PaperVenue, Sink, breaks, papers, placed, quick, shows, until

from fsm_arb.alerts import Alerts
from fsm_arb.errors import JournalFailed, VenueUnanswered
from fsm_arb.executor.notices import Notices, tell_turned, turned
from fsm_arb.ports import Refused
from fsm_arb.position import CrossExchangePosition
from fsm_arb.values import Leg, Side

if TYPE_CHECKING:
    from hall import Hall


async def test_a_trade_that_is_disturbed_after_its_end_is_told_at_once(hall: Hall) -> None:
    """A bot that was told of its end learns that it holds something after all: which trade, and how much."""
    venues, sink = papers(), Sink()
    venues["binance"].outcomes = [IN_DOUBT]
    venues["upbit"].outcomes = [Refused(code="invalid_order", message="no")]
    async with hall.executor(venues=venues, policy=quick(absence_fence_s="0.05"), alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "failed"
        assert sink.alerts == []
        (request,) = placed(venues["binance"])
        shows(venues["binance"], request, request.amount)
        await until(lambda: sink.alerts)
        subject, body, labels = sink.alerts[0]
        assert result.trade_id in subject
        assert "disturbed" in subject
        assert "-0.1" in body
        assert (labels["trade"], D(labels["exposure"])) == (result.trade_id, D("-0.1"))
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        assert len(sink.alerts) == 1


class Impostor(PaperVenue):
    """A venue that shows another order under our id, for a while."""

    lies = 6

    async def observe(self, ref: Any) -> Any:
        seen = await super().observe(ref)
        self.lies -= 1
        return evolve(seen, snapshot=evolve(seen.snapshot, amount=D(5))) if self.lies > 0 else seen


async def test_an_order_that_cannot_be_ours_is_told_once_and_at_once(hall: Hall) -> None:
    """Not only when the doubt has lasted."""
    venues, sink = papers() | {"binance": Impostor("binance")}, Sink()
    venues["binance"].outcomes = [IN_DOUBT]

    async def appears(what: str, detail: Any) -> None:
        if what == "place":
            shows(venues["binance"], detail, detail.amount)

    venues["binance"].wait = appears  # type: ignore[method-assign]
    async with hall.executor(venues=venues, alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "success"
    (alert,) = sink.alerts
    assert "binance shows another order under our id" in alert[0]
    assert "amount 5 instead of 0.1" in alert[1]
    assert alert[2]["trade"] == result.trade_id


async def test_a_trade_that_is_left_behind_says_what_is_naked(hall: Hall) -> None:
    """As far as it is known, and at worst."""
    venues, sink = papers(), Sink()
    venues["binance"].outcomes = [Refused(code="invalid_order", message="no")]
    for venue in venues.values():
        breaks(venue, "book", error=VenueUnanswered("nobody"))
    async with hall.executor(venues=venues, policy=quick(attempts_max=1)) as executor:
        result = await executor.execute_decision(hall.entry())
        notices = Notices(Alerts(sink))
        notices.left_behind(executor._runners[result.trade_id].trade, JournalFailed("the disk is gone"))
        await until(lambda: sink.alerts)
    ((subject, body, labels),) = sink.alerts
    assert subject == f"trade {result.trade_id} is left behind"
    assert body == "0.1 BTC is naked, 0.1 at worst; the disk is gone"
    assert set(labels) == {"trade", "exposure", "worst"}


async def test_a_trade_that_only_the_wrong_way_round_could_hedge_says_so(hall: Hall) -> None:
    """Rolled back, then its first order is taken back while its venue is away: the other venue hedges it, loudly."""
    venues, sink = papers(), Sink()
    venues["binance"].outcomes = [Refused(code="invalid_order", message="no")]
    policy = quick(attempts_max=2, remedy="unwind")
    async with hall.executor(venues=venues, policy=policy, alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "rolled_back"
        breaks(venues["upbit"], "book", error=VenueUnanswered("maintenance"))
        order = result.leg("upbit").client_order_ids[0]
        told = await executor.bust(result.trade_id, order, D("0.1"), "the venue rolled back")
        assert (told.status, told.net_exposure) == ("partial_hedged", 0)
        assert told.note == "both legs stand the wrong way round; only that could be sent after a bust"
        assert [leg.filled_qty for leg in told.legs] == [D("-0.1"), D("-0.1")]
        (position,) = executor.positions()
        assert (position.state, position.quantity, position.reversed) == ("OPEN", D("0.1"), True)
        assert told.position_id == position.position_id
        await until(lambda: len(sink.alerts) > 2)
    subjects = [subject for subject, _, _ in sink.alerts]
    assert sorted(subjects[-2:]) == [
        f"position {position.position_id} stands the wrong way round",
        f"trade {result.trade_id} is hedged the wrong way round",
    ]
    assert any(body.startswith("0.1 BTC; 0 BTC is naked") for _, body, _ in sink.alerts)


def position(left: str) -> CrossExchangePosition:
    """Return a position of one base that is left with *left*; below zero: it stands the other way round."""
    net = D(left)
    return CrossExchangePosition(
        position_id="P-t1",
        state="OPEN" if abs(net) >= D("0.1") else "CLOSED",
        legs=(Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")),
        sides=(Side.SELL, Side.BUY) if net < 0 else (Side.BUY, Side.SELL),
        entry_trade_id="t1",
        entry_quantity=D(1),
        entry_prices=(None, None),
        leasts=(D("0.1"), D("0.1")),
        fx=D(1400),
        exits=(("t2", 1 - net),),
        reversed=net < 0,
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, "1", ""),
        (None, "-1", "stands the wrong way round"),
        ("0.5", "0", ""),
        ("0.5", "-0.05", ""),  # dust, that nobody could trade
        ("0.5", "-0.1", "stands the wrong way round"),
        ("-0.5", "-0.5", ""),  # told already
        ("-0.5", "-0.4", "stands the wrong way round"),
        ("-0.5", "0", "no longer stands the wrong way round"),
        ("-0.5", "-0.05", "no longer stands the wrong way round"),
        ("-0.5", "0.5", "no longer stands the wrong way round"),
    ],
)
async def test_a_position_is_told_of_when_its_way_round_changes(before: str | None, after: str, words: str) -> None:
    """When it comes to stand the wrong way round, by how much when that changes, and when it is over."""
    sink = Sink()
    turned(alerts := Alerts(sink), None if before is None else position(before), position(after))
    alerts.raise_alert("nothing more", "", {})
    expected = [*([f"position P-t1 {words}"] if words else []), "nothing more"]
    await until(lambda: len(sink.alerts) >= len(expected))
    assert [subject for subject, _, _ in sink.alerts] == expected


async def test_after_a_start_each_position_that_stands_the_wrong_way_round_is_told_again() -> None:
    """A crash may have come between its record and the alert."""
    sink = Sink()
    tell_turned(Alerts(sink), [position("1"), position("-1.000"), position("-0.05")])
    await until(lambda: sink.alerts)
    ((subject, _, labels),) = sink.alerts
    assert (subject, labels["quantity"]) == ("position P-t1 stands the wrong way round", "1")
