"""A swarm of seeded episodes: the real executor on simulated venues, in virtual time, judged after every step.

Phase one lets go wrong whatever the seed has drawn; phase two lets nothing go
wrong any more, and everything must come to rest::

    told = run_episode(Order(seed=7))
    assert not told.violations

After TigerBeetle's VOPR: in any one episode most faults are switched off, so
that those which are on meet each other.
"""
