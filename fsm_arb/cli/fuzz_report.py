"""What a run of episodes has found: tables, sentences, and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.testing.swarm.census import edges_of
from fsm_arb.testing.swarm.reach import FAULTS, STATES, UNREACHABLE
from fsm_arb.testing.swarm.running import trade_of
from fsm_arb.testing.swarm.telling import path_diagram, story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsm_arb.testing.swarm.census import Census
    from fsm_arb.testing.swarm.reducing import Reduced
    from fsm_arb.testing.swarm.running import Told

HOURS = 3600.0  # seconds in one


def reach_table(census: Census) -> Table:
    """Return how often each fault met a trade in each state; a dot where it cannot."""
    table = Table(title="Faults that took effect, by the state of the trade they met", title_justify="left", box=None)
    table.add_column("fault", no_wrap=True)
    for state in STATES:
        table.add_column(str(state), justify="right", no_wrap=True)
    for fault in FAULTS:
        cells = []
        for state in STATES:
            count = census.met(fault.number, state)
            if count:
                cells.append(f"{count}")
            else:
                cells.append("[red]0[/]" if state in fault.states else "·")
        table.add_row(f"{fault.number:2} {escape(fault.name)}", *cells)
    return table


def summary_lines(census: Census, seconds: float, failed: int) -> Iterator[str]:
    """Yield edges, invariants, shares and speed, a sentence a line."""
    for table, taken in ((TRADE_TABLE, census.trade_edges), (POSITION_TABLE, census.position_edges)):
        yield f"Edges of the {table.name} machine:"
        for edge in sorted(set(edges_of(table)), key=lambda each: -taken[each]):
            source, trigger, dest = edge
            why = UNREACHABLE.get(edge, "")
            yield f"{taken[edge]:9,}  {source} -- {trigger} --> {dest}{f'  (unreachable: {why})' if why else ''}"
    yield "Invariants judged:"
    for name, count in sorted(census.judged.items()):
        yield f"{count:9,}  {name}"
    yield "Operators: " + (", ".join(f"{count:,} {name}" for name, count in sorted(census.operated.items())) or "none")
    yield "Outcomes: " + ", ".join(f"{count:,} {name}" for name, count in census.outcomes.most_common())
    for level, count in sorted(census.trades.items()):
        halted, still = census.halted[level], census.still_halted[level]
        share = halted / count if count else 0.0
        yield f"Faults {level}: {count:,} trades, {share:.2%} ever halted, {still:,} still (no venue takes a remedy)"
    episodes = sum(census.episodes.values())
    rate = episodes / seconds if seconds else 0.0
    yield (
        f"{episodes:,} episodes in {seconds:,.1f} s ({rate:.1f}/s), {census.virtual_s / HOURS:,.1f} h of virtual time; "
        f"{failed:,} failed"
    )


def failure_lines(told: Told, small: Reduced | None) -> Iterator[str]:
    """Yield what is wrong, how to run it again, and the path of the trade at hand."""
    shown = small.told if small is not None else told
    yield ""
    yield f"Seed {told.order.seed} fails:"
    yield from (f"  {violation}" for violation in told.violations)
    if small is not None:
        yield f"Run it again: {small.command}"
        yield f"What it takes ({len(small.keys)} of {len(told.struck)}, found in {small.runs} runs):"
        yield from (f"  {key}" for key in small.keys or ("nothing but the trades",))
        yield from (f"  {violation}" for violation in shown.violations)
    trade_id = trade_of(shown)
    if trade_id is None:
        return
    entries = shown.entries[trade_id]
    yield f"Trade {trade_id}, record by record:"
    yield from story(trade_id, entries)
    yield ""
    yield path_diagram(trade_id, entries)


def run_json(census: Census, failed: Sequence[Told], missed: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return a run as JSON."""
    return {
        "census": census.to_json(),
        "seconds": round(seconds, 3),
        "holes": list(missed),
        "failed": [
            {
                "seed": told.order.seed,
                "focus": told.order.focus,
                "violations": [str(violation) for violation in told.violations],
                "struck": list(told.struck),
            }
            for told in failed
        ],
    }
