"""The command `fsm-arb diagram`: every machine drawn from its rows, or the trade machine as one policy reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from fsm_arb.cli.render import console
from fsm_arb.diagrams import Reach, can_draw_svg, check_diagrams, write_diagrams
from fsm_arb.errors import FsmArbError
from fsm_arb.machines.order import ORDER_TABLE
from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.trade import TRADE_TABLE

if TYPE_CHECKING:
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.testing.explorer import Bounds, Report

TABLES = (TRADE_TABLE, POSITION_TABLE, ORDER_TABLE)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
@click.option("--check", is_flag=True, help="Write nothing; fail where a file differs from what would be written.")
@click.option("--policy", "file", type=EXISTING_FILE, help="A TOML file of the policy's fields: what it can reach.")
@click.option(
    "--lots", type=click.IntRange(1, 7), default=1, show_default=True, help="With --policy: size of the trade."
)
@click.option("--faults", type=click.IntRange(0, 9), default=2, show_default=True, help="With --policy: of one run.")
def diagram(folder: Path | None, *, check: bool, file: Path | None, lots: int, faults: int) -> None:
    """Draw every machine from its rows, into DIR (diagrams).

    With --policy: the trade machine alone, into DIR (named after FILE). Which
    edges the policy can reach is found by exploring the real core within
    bounds; those it has not taken are drawn faint and listed, apart from those
    that no policy takes within these bounds.
    """
    if not can_draw_svg():
        raise click.ClickException("an SVG needs Graphviz, which comes with an extra: pip install 'fsm_arb[svg]'")
    if file is not None:
        if check:
            raise click.UsageError("--check compares with what the tables draw under any policy: leave --policy out")
        _draw_policy(folder or Path(f"{file.stem}-diagrams"), file, lots, faults)
        return
    folder = folder or Path("diagrams")
    if not check:
        _tell(folder, write_diagrams(folder, TABLES))
        return
    different = check_diagrams(folder, TABLES)
    for name in different:
        click.echo(f"{folder / name} is not what the tables would draw", err=True)
    if different:
        raise click.ClickException("run `fsm-arb diagram` and commit what it writes")


def _tell(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        click.echo(folder / name)


def _draw_policy(folder: Path, file: Path, lots: int, faults: int) -> None:
    # Drawing the tables as they are need not load what this needs.
    from fsm_arb.cli.policies import read_policy
    from fsm_arb.testing.explorer import Bounds

    try:
        bounds = Bounds(lots=lots, faults=faults, policy=read_policy(file))
        own = _explored(bounds, f"what {file.name} reaches")
        usual = _explored(Bounds(lots=lots, faults=faults), "what the default policy reaches")
    except FsmArbError as error:
        raise click.ClickException(str(error)) from error
    reach = reach_of(file.name, bounds, own, usual)
    _tell(folder, write_diagrams(folder, [TRADE_TABLE], reach))
    click.echo(reach.within)
    for row in reach.cut:
        click.echo(f"Not reached, though the default policy reaches it: {row}")
    for row in reach.beyond:
        click.echo(f"Not reached by either: {row}")


def _explored(bounds: Bounds, what: str) -> Report:
    """Explore, with a bar where somebody looks on.

    Raises:
        ClickException: A run breaks an invariant, so that the exploration stopped before it had seen everything.
    """
    from fsm_arb.testing.explorer import explore

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    out = console()
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        progress.add_task(f"exploring {what}", total=None)
        report = explore(bounds)
    if report.counterexamples:
        raise click.ClickException(f"{what}: a run breaks an invariant; `fsm-arb verify --policy` tells it")
    return report


def reach_of(name: str, bounds: Bounds, own: Report, usual: Report) -> Reach:
    """Return what two explorations within the same bounds say of each row of the trade machine.

    Args:
        name: What the policy is called.
        bounds: Of both.
        own: Under the policy that is drawn.
        usual: Under the default policy.
    """
    missed = [row for row in TRADE_TABLE.rows if (row.source, row.trigger, row.dest) not in own.rows]
    cut = tuple(row for row in missed if (row.source, row.trigger, row.dest) in usual.rows)
    return Reach(
        whose=f"as {name} reaches it",
        within=(
            f"Found by exploring the real core under this policy: {own.states:,} states, trades of"
            f" {_count(bounds.lots, 'lot')}, at most {_count(bounds.faults, 'fault')} in one run and"
            f" {_count(_attempts(bounds.policy, bounds), 'remedy', 'remedies')} before it halts, a crash at any point,"
            " the policy's durations in their own order. It holds within these bounds and no further."
        ),
        cut=cut,
        beyond=tuple(row for row in missed if row not in cut),
    )


def _attempts(policy: ExecutionPolicy, bounds: Bounds) -> int:
    return min(policy.attempts_max, bounds.attempts)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
