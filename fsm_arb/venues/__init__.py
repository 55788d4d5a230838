"""Adapters of the venue port."""

from fsm_arb.venues.ccxt_venue import CcxtVenue, as_venue

__all__ = ["CcxtVenue", "as_venue"]
