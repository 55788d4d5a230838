"""The state machines: one table each, and the strict wrapper that runs them."""
