"""What an episode is made of."""

from __future__ import annotations

from fsm_arb.testing.simulated import binance
from fsm_arb.testing.swarm.episode import Act, Mishap, Planned, VenuePlan


def test_a_venue_is_blind_that_lacks_a_list_or_cuts_it_short() -> None:
    """Then absence may be beyond proof, and somebody must look."""
    from attrs import evolve

    whole = binance()
    assert not VenuePlan(options=whole).blind
    assert VenuePlan(options=whole, lacks=("fetchOrders",)).blind
    assert VenuePlan(options=evolve(whole, page=20)).blind
    assert VenuePlan(options=whole).name == "binance"


def test_mishaps_and_acts_share_no_name() -> None:
    """A planned thing is told apart by its name alone."""
    assert not {each.value for each in Mishap} & {each.value for each in Act}
    assert Planned(key="k", what=Act.BUST, at_s=1).state == ""
