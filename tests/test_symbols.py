"""Pairs across venues: read off ccxt's own markets, both ways, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moments import spot, swap

from fsm_arb.errors import AmbiguousSymbol, FsmArbError, InvalidInput, UnknownSymbol, UnknownVenue
from fsm_arb.symbols import Instrument, Listing, MarketKind, SymbolMap, read_market
from fsm_arb.values import Leg

KRW = Leg("upbit", "BTC/KRW")
USDT = Leg("binance", "BTC/USDT")
TETHER, USDC = Leg("upbit", "USDT/KRW"), Leg("binance", "USDT/USDC")


def two(first: Mapping[str, Any], second: Mapping[str, Any], *overrides: tuple[Leg, Leg], **counted: Any) -> SymbolMap:
    """Return Upbit's and Binance's markets; what counts on Binance may be said."""
    return SymbolMap({"upbit": Listing(markets=first), "binance": Listing(markets=second, **counted)}, overrides)


@pytest.fixture(scope="module")
def real() -> dict[str, Mapping[str, Any]]:
    """Markets as ccxt's own classes make them of what the two venues say."""
    upbit, binance = ccxt.upbit(), ccxt.binance()
    binance.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    upbit.set_markets([upbit.parse_market({"market": name}) for name in ("KRW-BTC", "KRW-USDT", "BTC-ETH")])
    binance.set_markets([
        binance.parse_market({
            "symbol": base + quote,
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": quote,
            "permissionSets": [["SPOT"]],
            "orderTypes": [],
            "filters": [],
        })
        for base, quote in (("BTC", "USDT"), ("USDT", "USDC"), ("ETH", "USDT"))
    ])  # fmt: skip
    return {"upbit": upbit.markets, "binance": binance.markets}


# ------------------------------------------------------------------ the scenarios of symbols


def test_upbit_btc_krw_and_binance_btc_usdt(real: dict[str, Mapping[str, Any]]) -> None:
    """Mapped through ccxt's markets, both ways."""
    symbols = two(real["upbit"], real["binance"])
    assert symbols.counterpart(KRW, "binance") == USDT
    assert symbols.counterpart(USDT, "upbit") == KRW


def test_usdt_krw_and_usdt_usdc(real: dict[str, Mapping[str, Any]]) -> None:
    """By an explicit override, and by nothing else: of money it has to be said what is traded against what."""
    says = "'USDT/KRW': of upbit is a market of money, which only an override pairs; on binance: "
    with pytest.raises(UnknownSymbol, match=f"{says}BTC/USDT, ETH/USDT, USDT/USDC"):
        two(real["upbit"], real["binance"]).counterpart(TETHER, "binance")
    symbols = two(real["upbit"], real["binance"], (TETHER, USDC))
    assert symbols.counterpart(TETHER, "binance") == USDC
    assert symbols.counterpart(USDC, "upbit") == TETHER
    assert symbols.pair(TETHER, "binance").overridden
    assert symbols.counterpart(KRW, "binance") == USDT


def test_what_counts_as_money_can_be_said() -> None:
    """None, and it is paired like any other asset."""
    listings = {"upbit": Listing(markets=spot("USDT/KRW")), "binance": Listing(markets=spot("USDT/USDC"))}
    assert SymbolMap(listings, money=()).counterpart(TETHER, "binance") == USDC
    assert SymbolMap(listings).pairs("upbit", "binance") == ((), ())
    with pytest.raises(InvalidInput, match="not one text"):
        SymbolMap(listings, money="USDT")


def test_unknown_symbol(real: dict[str, Mapping[str, Any]]) -> None:
    """An error that names it, and what there is; no guess."""
    symbols = two(real["upbit"], real["binance"])
    with pytest.raises(UnknownSymbol, match=r"symbol='BTC/EUR': is not listed on upbit; of BTC: BTC/KRW, ETH/BTC"):
        symbols.counterpart(Leg("upbit", "BTC/EUR"), "binance")
    with pytest.raises(UnknownSymbol, match=r"symbol='DOGE/KRW': is not listed on upbit; of DOGE: nothing"):
        symbols.counterpart(Leg("upbit", "DOGE/KRW"), "binance")
    eth = SymbolMap(
        {"upbit": Listing(markets=spot("ETH/KRW")), "binance": Listing(markets=spot("BTC/USDT", "XRP/ETH"))}
    )
    with pytest.raises(UnknownSymbol, match=r"'ETH/KRW': of upbit has no counterpart on binance; near: XRP/ETH"):
        eth.counterpart(Leg("upbit", "ETH/KRW"), "binance")


# ------------------------------------------------------------------ one market


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ({"type": "spot", "active": True}, (MarketKind.SPOT, None, True)),
        ({"type": "spot", "active": None}, (MarketKind.SPOT, None, True)),
        ({"type": "spot"}, (MarketKind.SPOT, None, True)),
        ({"type": "spot", "active": False, "contractSize": 3}, (MarketKind.SPOT, None, False)),
        ({"type": "swap", "contractSize": 0.001, "linear": True}, (MarketKind.SWAP, "0.001", True)),
        ({"type": "swap", "contractSize": None}, (MarketKind.SWAP, "1", True)),
    ],
)
def test_a_market_is_read_as_ccxt_describes_it(market: Mapping[str, Any], expected: Any) -> None:
    """A venue that does not tell whether it trades a market trades it; a contract without a size is of one."""
    found = read_market("binance", "BTC/USDT:USDT", market)
    assert found is not None
    size = None if found.contract_size is None else str(found.contract_size)
    assert (found.kind, size, found.active) == expected
    assert (found.base, found.quote, found.leg.exchange) == ("BTC", "USDT", "binance")


@pytest.mark.parametrize(
    "market",
    [
        {},
        {"type": "option"},
        {"type": "future", "linear": True},
        {"type": "swap", "inverse": True},
        {"type": "swap", "contractSize": -1},
        {"type": "swap", "contractSize": "one"},
    ],
)
def test_what_no_cross_trade_can_use_is_no_instrument(market: Mapping[str, Any]) -> None:
    """And does not keep the rest of a venue from being read."""
    assert read_market("binance", "BTC/USD:BTC", market) is None
    symbols = two(spot("BTC/KRW"), {**spot("BTC/USDT"), "BTC/USD:BTC": market})
    assert symbols.counterpart(KRW, "binance") == USDT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quotes": "USDT"}, "not one text"),
        ({"excluded": "BTC"}, "not one text"),
        ({"kinds": ["margin"]}, "must be of spot, swap"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(changes: dict[str, Any], reason: str) -> None:
    """``"USDT"`` would be four currencies."""
    with pytest.raises(InvalidInput, match=reason):
        Listing(markets={}, **changes)


# ------------------------------------------------------------------ which one is meant


def test_an_ambiguous_symbol_names_its_candidates() -> None:
    """Both ways round."""
    symbols = two(spot("BTC/KRW"), spot("BTC/USDT", "BTC/USDC"))
    with pytest.raises(AmbiguousSymbol, match=r"symbol='BTC/KRW': of upbit could be BTC/USDC, BTC/USDT: say which"):
        symbols.counterpart(KRW, "binance")
    with pytest.raises(AmbiguousSymbol, match=r"shares BTC/KRW of upbit with others: BTC/USDC, BTC/USDT: say which"):
        symbols.counterpart(USDT, "upbit")


def test_many_candidates_are_counted() -> None:
    """The message stays readable."""
    many = spot(*(f"BTC/{quote}" for quote in ("AA", "BB", "CC", "DD", "EE", "FF", "GG")))
    with pytest.raises(AmbiguousSymbol, match="BTC/AA, BTC/BB, BTC/CC, BTC/DD, BTC/EE and 2 more"):
        two(spot("BTC/KRW"), many).counterpart(KRW, "binance")


@pytest.mark.parametrize(
    "counted",
    [{"quotes": ["USDT"], "kinds": ["spot"]}, {"quotes": {"USDT"}, "kinds": [MarketKind.SPOT]}],
)
def test_quotes_and_kinds_say_which_is_meant(counted: dict[str, Any]) -> None:
    """And then the others are left out, by name."""
    markets = spot("BTC/USDT", "BTC/USDC") | swap("BTC/USDT:USDT")
    symbols = two(spot("BTC/KRW"), markets, **counted)
    assert symbols.counterpart(KRW, "binance") == USDT
    with pytest.raises(UnknownSymbol, match=r"BTC/USDC'.*listed on binance and left out; meant: BTC/USDT"):
        symbols.counterpart(Leg("binance", "BTC/USDC"), "upbit")


def test_what_is_not_active_is_not_meant_and_still_known() -> None:
    """A market that is halted is no counterpart."""
    symbols = two(spot("BTC/KRW"), spot("BTC/USDT") | spot("BTC/USDC", active=False))
    assert symbols.counterpart(KRW, "binance") == USDT
    assert symbols.instrument(Leg("binance", "BTC/USDC")) == Instrument(
        leg=Leg("binance", "BTC/USDC"), kind=MarketKind.SPOT, contract_size=None, active=False
    )


def test_a_ticker_that_means_another_asset_is_excluded_where_it_does() -> None:
    """Two coins of one name are no pair."""
    symbols = two(spot("GTC/KRW"), spot("GTC/USDT"), excluded=["GTC"])
    with pytest.raises(UnknownSymbol, match="has no counterpart on binance; near: GTC/USDT"):
        symbols.counterpart(Leg("upbit", "GTC/KRW"), "binance")


def test_spot_may_be_paired_with_a_perpetual() -> None:
    """Where it alone is listed."""
    perpetual = Leg("binance", "BTC/USDT:USDT")
    symbols = two(spot("BTC/KRW"), swap("BTC/USDT:USDT", contractSize=0.01))
    assert symbols.pair(KRW, "binance").legs == (KRW, perpetual)
    assert symbols.pair(perpetual, "upbit").legs == (perpetual, KRW)
    assert symbols.pair(KRW, "binance").base == "BTC"


# ------------------------------------------------------------------ overrides


def test_an_override_ends_an_ambiguity() -> None:
    """Between its two venues; the market that it does not name has no counterpart then."""
    symbols = two(spot("BTC/KRW"), spot("BTC/USDT", "BTC/USDC"), (KRW, USDT))
    assert symbols.counterpart(KRW, "binance") == USDT
    assert symbols.counterpart(USDT, "upbit") == KRW
    with pytest.raises(UnknownSymbol, match="no counterpart on upbit; near: BTC/KRW"):
        symbols.counterpart(Leg("binance", "BTC/USDC"), "upbit")


def test_an_override_between_two_venues_says_nothing_of_a_third() -> None:
    """There the markets speak for themselves."""
    third = Leg("bybit", "BTC/USDT")
    listings = {
        "upbit": Listing(markets=spot("BTC/KRW")),
        "binance": Listing(markets=spot("BTC/USDT", "BTC/USDC"), quotes=["USDC"]),
        "bybit": Listing(markets=spot("BTC/USDT")),
    }
    symbols = SymbolMap(listings, [(USDT, KRW)])
    assert symbols.counterpart(KRW, "binance") == USDT
    assert symbols.counterpart(KRW, "bybit") == third
    assert symbols.counterpart(third, "binance") == Leg("binance", "BTC/USDC")


@pytest.mark.parametrize(
    ("overrides", "error", "reason"),
    [
        ([(KRW, Leg("upbit", "USDT/KRW"))], InvalidInput, "must join two venues"),
        ([(KRW, Leg("binance", "ETH/USDT"))], InvalidInput, "must trade the same base asset"),
        ([(KRW, USDT), (KRW, Leg("binance", "BTC/USDC"))], InvalidInput, "has two counterparts on binance"),
        ([(KRW, USDT), (Leg("upbit", "BTC/USDT"), USDT)], InvalidInput, "has two counterparts on upbit"),
        ([(KRW, Leg("binance", "BTC/EUR"))], UnknownSymbol, "BTC/EUR.*not listed on binance"),
        ([(KRW, Leg("kraken", "BTC/USDT"))], UnknownVenue, "kraken.*is not one of binance, upbit"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused_at_once(
    overrides: Any, error: type[FsmArbError], reason: str
) -> None:
    """Not at the first tick."""
    with pytest.raises(error, match=reason):
        two(spot("BTC/KRW", "USDT/KRW", "BTC/USDT"), spot("BTC/USDT", "BTC/USDC", "ETH/USDT"), *overrides)


# ------------------------------------------------------------------ whom to ask


def test_a_venue_without_a_listing_is_unknown() -> None:
    """On either side, and where there is none at all."""
    symbols = two(spot("BTC/KRW"), spot("BTC/USDT"))
    for ask in (
        lambda: symbols.counterpart(Leg("kraken", "BTC/USD"), "upbit"),
        lambda: symbols.counterpart(KRW, "kraken"),
        lambda: symbols.pairs("kraken", "upbit"),
        lambda: symbols.pairs("upbit", "kraken"),
    ):
        with pytest.raises(UnknownVenue, match=r"kraken.*is not one of binance, upbit"):
            ask()
    with pytest.raises(UnknownVenue, match="is not one of none"):
        SymbolMap({}).counterpart(KRW, "binance")


def test_a_venue_is_no_counterpart_of_itself() -> None:
    """Two markets of one venue are no cross trade across venues."""
    symbols = two(spot("BTC/KRW", "BTC/USDT"), {})
    with pytest.raises(InvalidInput, match="is the venue of BTC/KRW itself"):
        symbols.counterpart(KRW, "upbit")
    with pytest.raises(InvalidInput, match="is the venue of"):
        symbols.pairs("upbit", "upbit")


# ------------------------------------------------------------------ all of them


def test_all_pairs_of_two_venues_by_base() -> None:
    """What one venue alone lists is none; what is not clear comes as an error of its own; overrides are in."""
    symbols = two(
        spot("BTC/KRW", "ETH/KRW", "USDT/KRW", "AAA/KRW", "XRP/KRW", "XRP/BTC"),
        spot("ETH/USDT", "BTC/USDT", "BTC/USDC", "USDT/USDC", "USDT/TRY", "ZZZ/USDT", "XRP/USDT"),
        (TETHER, USDC),
    )
    pairs, unclear = symbols.pairs("upbit", "binance")
    assert [(pair.base, pair.overridden) for pair in pairs] == [("ETH", False), ("USDT", True)]
    assert [error.value for error in unclear] == ["BTC/KRW", "XRP/KRW"]
    back, unclear_back = symbols.pairs("binance", "upbit")
    assert [pair.legs[::-1] for pair in back] == [pair.legs for pair in pairs]
    assert len(unclear_back) == 2


SYMBOLS = st.frozensets(st.tuples(st.sampled_from("ABC"), st.sampled_from(["X", "Y", "X:X"])).map("/".join), max_size=6)


@given(SYMBOLS, SYMBOLS, st.frozensets(st.sampled_from("XY")))
def test_what_is_mapped_maps_back(first: frozenset[str], second: frozenset[str], quotes: frozenset[str]) -> None:
    """Whatever is listed: an answer is of the same base, listed, the only one meant, and leads back."""
    listings = {
        name: Listing(
            markets=spot(*(s for s in listed if ":" not in s)) | swap(*(s for s in listed if ":" in s)), quotes=q
        )
        for name, listed, q in (("one", first, frozenset[str]()), ("two", second, quotes))
    }
    symbols = SymbolMap(listings)
    mapped = set()
    for symbol in first:
        leg = Leg("one", symbol)
        try:
            there = symbols.counterpart(leg, "two")
        except (UnknownSymbol, AmbiguousSymbol):
            continue
        mapped.add((leg, there))
        assert there.base == leg.base
        assert there.symbol in second
        assert symbols.counterpart(there, "one") == leg
    pairs, _ = symbols.pairs("one", "two")
    assert {pair.legs for pair in pairs} == mapped
