"""Many episodes."""

from __future__ import annotations

import itertools

from fsm_arb.testing.swarm.many import orders, run_many


def test_seeds_are_run_in_order() -> None:
    """As many as were asked for, from the first one on; or without end."""
    assert [order.seed for order in orders(5, 3)] == [5, 6, 7]
    assert [order.focus for order in orders(5, 2, focus="disk")] == ["disk", "disk"]
    assert [order.seed for order in itertools.islice(orders(0, None), 4)] == [0, 1, 2, 3]


def test_no_more_are_begun_when_the_time_is_over() -> None:
    """However many were asked for."""
    assert list(orders(0, None, for_s=0.0)) == []


def test_two_processes_find_what_one_finds() -> None:
    """The same journals, whichever process they were written in."""
    alone = {told.order.seed: told.digest for told in run_many(orders(40, 4))}
    shared = {told.order.seed: told.digest for told in run_many(orders(40, 4), jobs=2)}
    assert shared == alone
    assert len(alone) == 4
