"""Crash at every effect: what is durable must be enough, wherever a process dies; and what was spoilt is refused."""
