"""Venues without a server."""

from fixed_venues import make, order

__all__ = ["make", "order"]
