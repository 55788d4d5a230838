"""What a bot brings along."""

from __future__ import annotations

import pytest

from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.testing.swarm.surroundings import OwnClock, SwarmAlerts, ids_for
from fsm_arb.virtual import EPOCH_NS, VirtualClock, run


def test_only_the_wall_clock_of_the_bot_jumps() -> None:
    """Monotonic time and the venues' clock stay what they are; a correction undoes every jump."""
    true = VirtualClock()
    own = OwnClock(true)
    own.jump(5)
    own.jump(-7)
    assert (own.time_ns(), own.monotonic_ns(), true.time_ns()) == (EPOCH_NS - 2, 0, EPOCH_NS)
    own.correct()
    assert own.time_ns() == EPOCH_NS


def test_an_alert_is_kept_whether_or_not_it_is_delivered() -> None:
    """What a person would have been told is known even where the sink is down."""
    struck: list[int] = []
    alerts = SwarmAlerts(Chance(1), 1.0, lambda fault, _key: struck.append(fault))

    async def main() -> None:
        for number in range(4):
            with pytest.raises(ConnectionError):
                await alerts.send(f"subject {number}", "body", {"trade": "t1"})

    clock = VirtualClock()
    run(main(), clock)
    assert alerts.told[0] == "subject 0: body {'trade': 't1'}"
    assert len(alerts.told) == 4
    assert struck == [38] * 4
    assert clock.monotonic_ns() > 0  # some of them only after a long while


def test_a_sink_that_is_up_says_nothing() -> None:
    """It takes what it is given."""
    alerts = SwarmAlerts(Chance(1), 0.0, lambda *_: None)
    run(alerts.send("subject", "body", {}), VirtualClock())
    assert alerts.told == ["subject: body {}"]


def test_ids_are_repeatable_and_differ_by_epoch() -> None:
    """The same seed gives the same ids; two processes never give the same."""
    first = [ids_for(7, Chance(7), 0.0, lambda *_: None)(1)() for _ in range(2)]
    source = ids_for(7, Chance(7), 0.0, lambda *_: None)(1)
    assert first[0] == first[1] == source()
    assert len({source(), source(), ids_for(7, Chance(7), 0.0, lambda *_: None)(2)()}) == 3


def test_a_source_of_ids_may_break() -> None:
    """As an error of our own."""
    struck: list[int] = []
    source = ids_for(7, Chance(7), 1.0, lambda fault, _key: struck.append(fault))(1)
    with pytest.raises(Injected):
        source()
    assert struck == [39]
