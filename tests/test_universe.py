"""The pairs to watch: who is in, in what order, and why the others are not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moments import spot, swap

from fsm_arb.errors import CurrencyMismatch, InvalidInput, UnknownVenue
from fsm_arb.fx import StaticFx
from fsm_arb.symbols import Listing, MarketKind, SymbolMap
from fsm_arb.universe import LeftOutCode, Selection, daily_volumes, rank_pairs, score
from fsm_arb.values import Leg, Money

D = Decimal
FX = StaticFx({"USDT/KRW": 1300})
BASES = ("BTC", "ETH", "XRP", "DOGE")


def krw(amount: Any) -> Money:
    return Money(D(amount), "KRW")


def symbols(upbit: dict[str, Any] | None = None, binance: dict[str, Any] | None = None) -> SymbolMap:
    return SymbolMap({
        "upbit": Listing(markets=upbit or spot(*(f"{base}/KRW" for base in BASES))),
        "binance": Listing(markets=binance or spot(*(f"{base}/USDT" for base in BASES))),
    })  # fmt: skip


VOLUMES = {
    Leg("upbit", "BTC/KRW"): krw(13_000),
    Leg("binance", "BTC/USDT"): Money(D(30), "USDT"),  # 39,000 KRW
    Leg("upbit", "ETH/KRW"): krw(26_000),
    Leg("binance", "ETH/USDT"): Money(D(20), "USDT"),  # 26,000 KRW
    Leg("upbit", "XRP/KRW"): krw(13_000),
    Leg("binance", "XRP/USDT"): Money(D(10), "USDT"),  # 13,000 KRW
    Leg("upbit", "DOGE/KRW"): krw(1_000_000),
}


def ranked(**changes: Any) -> Any:
    selection = Selection(**({"volume_min": krw(1)} | changes))
    return rank_pairs(symbols(), ("upbit", "binance"), VOLUMES, FX, selection)


def test_pairs_are_ranked_by_the_harmonic_mean_of_their_volumes() -> None:
    """In one currency: 26,000 twice, then 13,000 with 39,000, then 13,000 twice."""
    found = ranked()
    assert [(each.pair.base, each.score) for each in found.members] == [
        ("ETH", D(26_000)),
        ("BTC", D(19_500)),
        ("XRP", D(13_000)),
    ]
    assert found.members[1].volumes == (krw(13_000), krw(39_000))
    assert found.members[0].pair.legs == (Leg("upbit", "ETH/KRW"), Leg("binance", "ETH/USDT"))


def test_a_large_venue_does_not_make_up_for_one_without_volume() -> None:
    """A million against nothing is nothing, and the venue is named."""
    (left,) = ranked().left_out
    assert (left.base, left.code) == ("DOGE", LeftOutCode.VOLUME)
    assert str(left) == "DOGE: volume: DOGE/USDT on binance trades 0 of 1 KRW a day"
    assert [each.pair.base for each in ranked(volume_min=krw(0)).members][-1] == "DOGE"


@pytest.mark.parametrize(
    ("changes", "bases", "left"),
    [
        ({"volume_min": krw(13_000)}, ["ETH", "BTC", "XRP"], {"DOGE": LeftOutCode.VOLUME}),
        (
            {"volume_min": krw(13_001)},
            ["ETH"],
            {"BTC": LeftOutCode.VOLUME, "XRP": LeftOutCode.VOLUME, "DOGE": LeftOutCode.VOLUME},
        ),
        ({"excluded": ["ETH", "DOGE"]}, ["BTC", "XRP"], {"ETH": LeftOutCode.EXCLUDED, "DOGE": LeftOutCode.EXCLUDED}),
        ({"quotes": ["KRW", "USDT"], "excluded": ["DOGE"]}, ["ETH", "BTC", "XRP"], {"DOGE": LeftOutCode.EXCLUDED}),
        ({"quotes": ["KRW"]}, [], dict.fromkeys(BASES, LeftOutCode.QUOTE)),
        ({"kinds": ["swap"]}, [], dict.fromkeys(BASES, LeftOutCode.KIND)),
        (
            {"count_max": 2, "excluded": ["DOGE"]},
            ["ETH", "BTC"],
            {"DOGE": LeftOutCode.EXCLUDED, "XRP": LeftOutCode.RANK},
        ),
        ({"volume_min": Money(D(10), "USDT")}, ["ETH", "BTC", "XRP"], {"DOGE": LeftOutCode.VOLUME}),
    ],
)
def test_what_is_not_wanted_is_left_out_with_its_reason(
    changes: dict[str, Any], bases: list[str], left: dict[str, LeftOutCode]
) -> None:
    """Each pair is either a member or left out, once."""
    found = ranked(**changes)
    assert [each.pair.base for each in found.members] == bases
    assert {each.base: each.code for each in found.left_out} == left
    assert len(found.left_out) + len(found.members) == len(BASES)


def test_reasons_carry_what_was_found() -> None:
    """For whoever wonders where a pair is."""
    words = {each.base: each.why for each in ranked(count_max=1).left_out}
    assert words["BTC"] == "place 2 of 3, 1 are wanted"
    assert words["XRP"] == "place 3 of 3, 1 are wanted"
    assert ranked(quotes=["KRW"]).left_out[0].why == "BTC/USDT on binance is in USDT"
    assert ranked(kinds=["swap"]).left_out[0].why == "BTC/KRW on upbit is a spot"
    assert ranked(excluded=["BTC"]).left_out[0].why == "its base is not wanted"


def test_a_volume_that_cannot_be_converted_leaves_its_pair_out() -> None:
    """And no other."""
    mixed = symbols(binance=spot("BTC/TRY", "ETH/USDT"))
    found = rank_pairs(mixed, ("upbit", "binance"), VOLUMES, FX, Selection(volume_min=krw(1)))
    assert [each.pair.base for each in found.members] == ["ETH"]
    assert (found.left_out[0].base, found.left_out[0].code) == ("BTC", LeftOutCode.NO_RATE)
    assert "no rate from TRY to KRW" in found.left_out[0].why


def test_what_is_ambiguous_is_left_out_and_says_between_what() -> None:
    """It is for a person to say."""
    mixed = symbols(binance=spot("BTC/USDT", "BTC/USDC", "ETH/USDT"))
    found = rank_pairs(mixed, ("upbit", "binance"), VOLUMES, FX, Selection(volume_min=krw(1)))
    assert str(found.left_out[0]) == "BTC: ambiguous: of upbit could be BTC/USDC, BTC/USDT: say which"


def test_a_kind_may_be_wanted() -> None:
    """Perpetuals against spot are left to who wants them."""
    mixed = symbols(binance=swap("BTC/USDT:USDT") | spot("ETH/USDT"))
    volumes = VOLUMES | {Leg("binance", "BTC/USDT:USDT"): Money(D(30), "USDT")}
    only_spot = Selection(volume_min=krw(1), kinds=[MarketKind.SPOT])
    assert [each.pair.base for each in rank_pairs(mixed, ("upbit", "binance"), volumes, FX, only_spot).members] == [
        "ETH"
    ]
    both = Selection(volume_min=krw(1))
    assert len(rank_pairs(mixed, ("upbit", "binance"), volumes, FX, both).members) == 2


def test_an_unknown_venue_is_an_error() -> None:
    """Not an empty universe."""
    with pytest.raises(UnknownVenue):
        rank_pairs(symbols(), ("upbit", "kraken"), VOLUMES, FX, Selection(volume_min=krw(1)))


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"volume_min": krw(-1)}, "volume_min"), ({"count_max": 0}, "count_max"), ({"count_max": True}, "count_max")],
)
def test_a_selection_that_makes_no_sense_is_refused(changes: dict[str, Any], name: str) -> None:
    """By name."""
    with pytest.raises(InvalidInput) as error:
        ranked(**changes)
    assert error.value.field == name


VOLUME = st.decimals(0, 10**12, places=2)


@given(VOLUME, VOLUME)
def test_a_score_lies_between_the_smaller_volume_and_twice_that(first: Decimal, second: Decimal) -> None:
    """And does not depend on the order of the venues."""
    least = min(first, second)
    assert least * (1 - D("1e-50")) <= score(krw(first), krw(second)) <= 2 * least * (1 + D("1e-50"))
    assert score(krw(first), krw(second)) == score(krw(second), krw(first))


def test_a_score_of_two_currencies_is_an_error() -> None:
    """They are converted first."""
    with pytest.raises(CurrencyMismatch):
        score(krw(1), Money(D(1), "USDT"))


def test_equal_scores_are_ranked_by_name() -> None:
    """So that two runs watch the same pairs."""
    sides = ("upbit", "KRW"), ("binance", "USDT")
    volumes = {Leg(venue, f"{base}/{quote}"): Money(D(1), quote) for venue, quote in sides for base in BASES}
    found = rank_pairs(symbols(), ("upbit", "binance"), volumes, FX, Selection(volume_min=krw(0)))
    assert [each.pair.base for each in found.members] == sorted(BASES)


def test_volumes_come_from_ccxt_s_tickers() -> None:
    """In quote currency where it says so, else from base and price; what says neither is left out."""
    tickers = {
        "BTC/USDT": {"quoteVolume": 1000.5, "baseVolume": 7, "last": 1},
        "ETH/USDT": {"quoteVolume": None, "baseVolume": 2.5, "last": "3000"},
        "XRP/USDT": {"baseVolume": 2.5, "last": None},
        "DOGE/USDT": {"last": 1},
    }
    assert daily_volumes("binance", tickers) == {
        Leg("binance", "BTC/USDT"): Money(D("1000.5"), "USDT"),
        Leg("binance", "ETH/USDT"): Money(D(7500), "USDT"),
    }
    with pytest.raises(InvalidInput, match="quoteVolume"):
        daily_volumes("binance", {"BTC/USDT": {"quoteVolume": "much"}})
