"""How much was naked, in characters."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.cli.exposure_plot import COLUMNS, ROWS, Held, peaks, plot_lines

D = Decimal
S = 1_000_000_000


def lines(*held: tuple[float, str], to: float = 64, plain: bool = False) -> list[str]:
    return list(
        plot_lines([Held(int(at * S), D(value)) for at, value in held], int(to * S), "BTC", "+64s", plain=plain)
    )


def test_long_stands_above_the_axis_and_short_below_it() -> None:
    """Each side with its own most, at its far end."""
    said = lines((0, "0"), (16, "2"), (32, "-1"), (48, "0"))
    assert len(said) == 2 * ROWS + 2
    assert said[0].startswith("+2 BTC ")
    assert set(said[0][len("+2 BTC ") :]) == {" ", "█"}
    axis = said.index(next(line for line in said if "─" in line))
    assert axis == ROWS
    assert "▀" in said[axis + 2]
    assert said[-2].startswith("-1 BTC")
    assert said[-1].endswith("+64s")


def test_the_time_of_an_exposure_is_where_it_stands() -> None:
    """A column is a sixty-fourth of the time."""
    said = lines((0, "0"), (16, "2"), (32, "0"))[0][len("+2 BTC ") :]
    assert said == " " * 16 + "█" * 16


def test_a_peak_is_seen_however_short_it_was() -> None:
    """A millisecond of a big exposure matters more than a minute of dust."""
    columns = peaks(
        [Held(0, D(0)), Held(10 * S, D(5)), Held(10 * S + 1_000_000, D("0.001")), Held(20 * S, D(0))], 64 * S
    )
    assert columns[10] == 5
    assert columns[11] == D("0.001")
    said = lines((0, "0"), (10, "5"), (10.001, "0.001"), (20, "0"))
    assert said[ROWS - 1][len("+5 BTC ") :].rstrip()[-1] == "▁"


def test_two_replies_of_one_moment_leave_nothing_between_them() -> None:
    """What was never naked for any time is not drawn."""
    assert lines((0, "0"), (1, "5"), (1, "0")) == ["nothing was naked at any time"]


def test_what_is_naked_at_the_last_moment_is_drawn() -> None:
    """It has only just begun."""
    said = lines((0, "0"), (64, "5"))
    assert said[0] == "+5 BTC " + " " * (COLUMNS - 1) + "█"


def test_a_file_gets_plain_characters() -> None:
    """Nothing that a log viewer might not show."""
    said = lines((0, "0"), (16, "2"), (32, "-1"), plain=True)
    assert set("".join(said)) <= set("#-+-0123456789.s BTC")


def test_a_trade_without_time_is_drawn_all_the_same() -> None:
    """All of it happened in one moment."""
    assert lines((0, "3"), to=0)[0].startswith("+3 BTC █")


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.decimals(-100, 100, places=3)), min_size=1, max_size=30),
    st.integers(0, 10**6),
)
def test_no_exposure_that_lasted_is_left_out(held: list[tuple[int, Decimal]], more: int) -> None:
    """The worst of the plot is the worst that was held for any time, or is held at the end."""
    ordered = [Held(at, value) for at, value in sorted(held, key=lambda each: each[0])]
    to_ns = ordered[-1].at_ns + more
    lasted = [
        one.exposure
        for one, after in zip(ordered, [*ordered[1:], None], strict=True)
        if after is None or after.at_ns > one.at_ns
    ]
    columns = peaks(ordered, to_ns)
    assert len(columns) == COLUMNS
    assert max(map(abs, columns)) == max(map(abs, lasted))
