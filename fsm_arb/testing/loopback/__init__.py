"""The exchange on loopback: an HTTP server that speaks Upbit's, Binance's and Binance USD-M's REST dialects.

It is there for the real ccxt classes to talk to. It keeps its own books, which
are the truth that tests judge by, and it goes wrong on command. It listens on
127.0.0.1 only. Needs the extra `testing` (aiohttp).
"""

from __future__ import annotations

from fsm_arb.testing.loopback.client import LoopbackExchange, LoopbackUnavailable
from fsm_arb.testing.loopback.faults import PROFILES, Fault, FaultKind, Operation
from fsm_arb.testing.loopback.options import Options
from fsm_arb.testing.loopback.truth import Log, TrueCreate, TrueFill, TrueOrder, Truth, VenueTruth, WireCreate

__all__ = [
    "PROFILES",
    "Fault",
    "FaultKind",
    "Log",
    "LoopbackExchange",
    "LoopbackUnavailable",
    "Operation",
    "Options",
    "TrueCreate",
    "TrueFill",
    "TrueOrder",
    "Truth",
    "VenueTruth",
    "WireCreate",
]
