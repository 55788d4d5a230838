"""Hypothesis strategies for everything a cross trade meets. Money is never a float.

Each shrinks towards what is easiest to read: whole fills, the default policy,
coarse lots, prices that have not moved. Needs the extra `testing`.
"""

from __future__ import annotations

from fsm_arb.testing.strategies.amounts import decimals, moves, parts, shares
from fsm_arb.testing.strategies.books import balances, deep_book, order_books, rich
from fsm_arb.testing.strategies.decisions import decision_ids, decisions
from fsm_arb.testing.strategies.faults import Injection, fault_plans, injections
from fsm_arb.testing.strategies.fills import fee_of, fills, readings
from fsm_arb.testing.strategies.markets import market_pairs, market_rules
from fsm_arb.testing.strategies.policies import policies
from fsm_arb.testing.strategies.scenarios import Scenario, scenarios

__all__ = [
    "Injection",
    "Scenario",
    "balances",
    "decimals",
    "decision_ids",
    "decisions",
    "deep_book",
    "fault_plans",
    "fee_of",
    "fills",
    "injections",
    "market_pairs",
    "market_rules",
    "moves",
    "order_books",
    "parts",
    "policies",
    "readings",
    "rich",
    "scenarios",
    "shares",
]
