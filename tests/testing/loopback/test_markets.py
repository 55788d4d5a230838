"""What each venue trades, and the keys it takes."""

from __future__ import annotations

from decimal import Decimal

from fsm_arb.testing.loopback.markets import DIALECTS, credentials

D = Decimal


def test_every_venue_has_keys_of_its_own() -> None:
    """Which never change, so that a leak is found in old logs too."""
    keys = [credentials(dialect) for dialect in DIALECTS]
    assert len({pair.key for pair in keys} | {pair.secret for pair in keys}) == 6
    assert credentials("upbit") == keys[0]
