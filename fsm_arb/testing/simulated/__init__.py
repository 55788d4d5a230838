"""Simulated venues: exchanges with ccxt's unified async surface, in this process, in virtual time, with faults.

Any bot that talks to ccxt can be run against them, ours among them::

    sim = SimulatedVenues(clock, seed=7, faults="some")
    executor = CrossExchangeExecutor(venues=sim.exchanges(), clock=clock, ...)

Afterwards `SimulatedVenues.venue_orders` and `SimulatedVenues.moved` tell what
really happened, whatever the bot was told.
"""

from fsm_arb.testing.simulated.books import Walk
from fsm_arb.testing.simulated.chances import PROFILES, FaultPlan, profile
from fsm_arb.testing.simulated.exchange import SimulatedExchange
from fsm_arb.testing.simulated.kinds import FAULTS, ROWS, FaultHit, FaultKind, FaultRow, Operation
from fsm_arb.testing.simulated.options import (
    OFFERS,
    VENUES,
    Created,
    VenueOptions,
    binance,
    binanceusdm,
    market,
    upbit,
)
from fsm_arb.testing.simulated.watching import Observer
from fsm_arb.testing.simulated.world import SimulatedVenues

__all__ = [
    "FAULTS",
    "OFFERS",
    "PROFILES",
    "ROWS",
    "VENUES",
    "Created",
    "FaultHit",
    "FaultKind",
    "FaultPlan",
    "FaultRow",
    "Observer",
    "Operation",
    "SimulatedExchange",
    "SimulatedVenues",
    "VenueOptions",
    "Walk",
    "binance",
    "binanceusdm",
    "market",
    "profile",
    "upbit",
]
