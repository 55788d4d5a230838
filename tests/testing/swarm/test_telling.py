"""The path of a trade, to be read."""

from __future__ import annotations

from fsm_arb.testing.swarm.running import Order, run_episode
from fsm_arb.testing.swarm.telling import path_diagram, story
from fsm_arb.testing.swarm.world import World


def test_a_trade_is_told_record_by_record_and_edge_by_edge(monkeypatch: object) -> None:
    """Each record is a line, each edge an arrow, in order; nothing is told of a trade without records."""
    kept: list[World] = []
    real = World._close

    async def close(self: World, *rest: object) -> None:
        kept.append(self)
        await real(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(World, "_close", close)  # type: ignore[attr-defined]
    run_episode(Order(seed=2))
    trade_id, entries = next(iter(kept[0].witness.entries.items()))
    lines = list(story(trade_id, entries))
    assert len(lines) == len(entries)
    assert "begun" in lines[0]
    assert all("exposure" in line for line in lines)
    moves = [entry for entry in entries if entry.before != entry.after]
    drawn = path_diagram(trade_id, entries)
    assert drawn.count(" --> ") == len(moves) + 2
    assert f"{moves[0].before} --> {moves[0].after}: 1. {moves[0].trigger}" in drawn
    assert list(story("none", ())) == []
    assert " --> " not in path_diagram("none", ())
