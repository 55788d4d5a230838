"""fsm_arb: cross-exchange arbitrage as explicit, journaled state machines."""
