"""What may still be traded against."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fsm_arb.matching.liquidity import Liquidity
from fsm_arb.values import Side

D = Decimal


class Counting:
    """A book a millisecond, its number in its prices."""

    def version(self, symbol: str, now_ms: int) -> int:
        return now_ms

    def levels(self, symbol: str, version: int) -> tuple[list[Any], list[Any]]:
        return [(D(version), D(1))], [(D(version + 1), D(1))]

    def missed(self, symbol: str, version: int, now_ms: int) -> range:
        return range(version + 1, now_ms + 1)


def test_a_book_moves_on_and_never_back() -> None:
    """A late event that looks back sees the newest."""
    liquidity = Liquidity(Counting())
    assert liquidity.book("X", 5).bids[0][0] == 5
    assert liquidity.book("X", 7).bids[0][0] == 7
    assert liquidity.book("X", 6).bids[0][0] == 7
    assert (liquidity.touch("X", Side.BUY, 7), liquidity.mark("X", 7)) == (D(8), D("7.5"))


def test_each_book_is_met_once() -> None:
    """Those that nobody looked at as well."""
    liquidity = Liquidity(Counting())
    assert [live.version for live in liquidity.unmet("X", 5)] == [5]
    assert [live.version for live in liquidity.unmet("X", 5)] == []
    assert [live.version for live in liquidity.unmet("X", 8)] == [6, 7, 8]


def test_a_fixed_book_stays_until_it_is_freed() -> None:
    """Sorted, best first; an empty side has no touch and no middle."""
    liquidity = Liquidity(Counting())
    liquidity.fix("X", [(D(1), D(1)), (D(2), D(1))], [])
    assert [live.bids[0][0] for live in liquidity.unmet("X", 9)] == [2]
    assert list(liquidity.unmet("X", 99)) == []
    assert (liquidity.touch("X", Side.BUY, 9), liquidity.mark("X", 9)) == (None, 0)
    liquidity.free("X")
    assert liquidity.book("X", 9).version == 9
