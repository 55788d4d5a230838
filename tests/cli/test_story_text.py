"""A story for a person: what stands first, what is told, and in which words."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from histories import bad_nights, calm, doubtful, halted, tale, tale_of, unwound
from rich.console import Console
from rich.table import Table
from worlds import Walk, entry, leaving

from fsm_arb.audit.story import story_of
from fsm_arb.cli.story_text import ago, price, record_lines, since, story_parts
from fsm_arb.values import Side

D = Decimal
S = 1_000_000_000


def told(walk: Walk, *, upto: int | None = None, later_s: int = 0) -> str:
    found = tale_of(walk)
    as_of_ns = found.lines[-1].record.at_ns + later_s * S if later_s else None
    return printed(story_of(found, upto=upto, as_of_ns=as_of_ns))


def printed(story: object, *, plain: bool = True) -> str:
    out = Console(file=io.StringIO(), width=160, highlight=False)
    for part in story_parts(story, plain=plain):  # type: ignore[arg-type]
        out.print(part, soft_wrap=isinstance(part, str))
    said: str = out.file.getvalue()  # type: ignore[attr-defined]
    return said


def section(said: str, title: str) -> list[str]:
    """Return the lines below a title, up to the next empty one."""
    lines = [line.strip() for line in said.splitlines()]
    start = lines.index(title) + 1
    return lines[start : lines.index("", start) if "" in lines[start:] else None]


# ------------------------------------------------------------------ the head


def test_a_trade_that_is_over_says_so_first() -> None:
    """What, how it ended, when, what is naked and what it brought."""
    head = told(unwound()).splitlines()[:5]
    naked = "naked for 1.000s in all, at worst 10 BTC (1,000.00 USD)"
    assert head == [
        "unwound  entry_positive: sell BTC/USD on alpha and buy BTC/USDT on beta",
        "  ROLLED_BACK: beta: insufficient_funds: no",
        "  began 2023-11-14 22:13:20 UTC, took 1.500s; 14 records",
        f"  exposure now 0 BTC (nothing naked; dust is below 0.1); {naked}",
        "  matched 0 BTC; PnL 0.00 USD",
    ]


def test_a_halted_trade_says_what_to_do_before_anything_else() -> None:
    """Nobody scrolls at two in the morning."""
    lines = told(halted(), later_s=600).splitlines()
    assert lines[1].startswith("  HALTED: no remedy can be sent; complete: beta gives no answer")
    assert "NAKED: exposure now -10 BTC; naked for 10m00.000s in all" in lines[3]
    assert lines[5] == "  What to do:"
    assert lines[6].startswith("    1. Buy 10 BTC on alpha or beta and record it")
    assert lines[8] == ""


def test_a_trade_that_goes_on_has_no_outcome() -> None:
    """Where it stands is told instead."""
    said = told(Walk(name="going"))
    assert "  STILL PLACING" in said
    assert "has not ended" in said
    assert "How it stands" in said
    assert "Outcome" not in said


def test_what_was_naked_from_this_moment_on_is_not_called_never_naked() -> None:
    """It has only just begun."""
    assert "NAKED: exposure now -10 BTC; since this moment" in told(halted())


# ------------------------------------------------------------------ what it was decided on


def test_the_decision_is_told_with_its_prices_and_its_policy() -> None:
    """Why, for how much, and under which numbers that are not the defaults."""
    walk = Walk(entry(reason="spread of 40 bps"), attempts_max=2)
    assert section(told(walk), "Decision") == [
        "for 1000 USD, because: spread of 40 bps",
        "sell on alpha at 100 USD",
        "buy on beta at 100 USDT",
        "policy: attempts_max 2",
    ]


def test_an_exit_names_its_position() -> None:
    """And how much of it is closed."""
    walk = Walk(leaving(reason="target"), sides=(Side.BUY, Side.SELL), quantity=D(4))
    assert section(told(walk), "Decision")[0] == "closing 4 BTC of position P-d1, because: target"


def test_a_refusal_is_told_where_it_was_made() -> None:
    """By a check, or by the size."""
    from fsm_arb.messages import Checked, Sized

    checked, sized = Walk(begin=False), Walk(begin=False)
    checked.tell(Checked(now=0, refusal="health: alpha is down", readings={"fx": "1 from par"}))
    assert section(told(checked), "Checks") == ["refused: health: alpha is down", "fx: 1 from par"]
    sized.tell(Checked(now=0))
    sized.tell(Sized(now=0, refusal="funds: 3 USD is too little"))
    assert section(told(sized), "Size") == ["refused: funds: 3 USD is too little"]
    assert section(told(sized), "Outcome")[-1] == "nothing was sent"
    assert "Exposure" not in told(sized)


def test_a_size_is_told_with_both_legs() -> None:
    """What each leg should receive, and what is dust."""
    lines = section(told(calm()), "Size")
    assert lines[0] == "10 BTC on each leg; less than 0.1 is dust"
    assert len(lines) == 4


# ------------------------------------------------------------------ orders and decisions


def test_each_order_has_a_line_its_ids_and_its_times() -> None:
    """What it was and where it stands; when it was intended, answered, filled and over."""
    rows = section(told(unwound()), "Orders")
    assert rows[:6] == [
        "0  first: sell 10 BTC on alpha, ioc 99.80: acknowledged, filled whole",
        "c0",
        "1  first: buy 10 BTC on beta, ioc 100.20: refused",
        "c1: insufficient_funds: no",
        "2  unwind: buy 10 BTC on alpha, ioc 100.21: acknowledged, filled whole",
        "c2",
    ]
    assert rows[6].split()[:3] == ["#", "intended", "answered"]
    assert rows[7].split() == ["0", "+0.000s", "+0.500s", "+0.500s", "+0.500s", "10", "100", "none"]
    assert rows[8].split() == ["1", "+0.000s", "+0.500s", "+0.500s", "0", "not", "told"]
    assert rows[9].split() == ["2", "+1.000s", "+1.500s", "+1.500s", "+1.500s", "10", "100", "none"]


def test_a_table_of_orders_fits_a_terminal() -> None:
    """A hundred columns, with prices and fees as long as real ones."""
    for name, entries in bad_nights().items():
        out = Console(file=io.StringIO(), width=110, highlight=False)
        for part in story_parts(story_of(tale(name, entries)), plain=True):
            if isinstance(part, Table):
                out.print(part)
        lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert not any("…" in line for line in lines), name


def test_a_remedy_is_told_with_what_it_was_compared_with() -> None:
    """The one that was chosen is marked, and what the other would have cost."""
    lines = section(told(unwound()), "What was weighed")
    assert lines[0].startswith("+1.000s  unwind: cheaper (exposure -10 BTC, attempt 1)")
    assert lines[1].startswith("complete: buy 10 BTC on beta; touch 102.00")
    assert lines[2].startswith("> unwind: buy 10 BTC on alpha; touch 100.01")
    assert lines[3] == "to complete would cost 19.9199 USD more"


def test_where_nothing_was_weighed_nothing_is_told_of_it() -> None:
    """Both legs filled: there was nothing to choose."""
    assert "What was weighed" not in told(calm())


def test_a_decision_in_doubt_tells_how_far_it_could_go() -> None:
    """The exposure as it is known, and the far end of what it could become."""
    lines = section(told(doubtful()), "What was weighed")
    assert lines[-1].startswith("+21.000s  halt: in doubt for longer than 20 s (exposure -10 BTC")


# ------------------------------------------------------------------ over time


def test_records_of_one_moment_share_its_time() -> None:
    """So that what happened at once is seen to have."""
    lines = told(unwound()).splitlines()
    start = lines.index("What happened") + 1
    times = [line[:14].strip() for line in lines[start : start + 17]]
    assert times[0] == "+0.000s"
    assert times.count("+0.500s") == 1
    assert "" in times
    assert any("PARTIAL → ROLLBACK: cheaper" in line for line in lines)


def test_the_outcome_adds_up() -> None:
    """PnL is what it was before fees, less fees."""
    *_, money = section(told(unwound()), "Outcome")
    assert (
        money
        == "PnL 0.00 USD = 0.00 USD before fees, less 0.00 USD of fees; fills were at the prices it was decided on"
    )


def test_the_last_record_can_be_told_in_full() -> None:
    """Its number on the journal, its sentence, its numbers."""
    lines = list(record_lines(story_of(tale_of(unwound()), upto=12)))
    assert lines[1].startswith("[bold]Record 12[/] (")
    assert lines[-1] == "  exposure -10 BTC, at worst -10"


def test_every_bad_night_can_be_printed() -> None:
    """With blocks and without; whatever stands in an exchange's message, nothing of it is taken for markup."""
    for name, entries in bad_nights().items():
        story = story_of(tale(name, entries))
        for plain in (True, False):
            assert printed(story, plain=plain).startswith(f"{name}  ")


def test_an_average_is_told_to_twelve_digits() -> None:
    """A division of two decimals may have thirty."""
    assert price(D("67966.666666666666666666")) == "67966.6666667"
    assert price(D("868.00")) == "868"


@pytest.mark.parametrize(
    ("span_ns", "said"),
    [
        (0, "0.000s"),
        (1_500_000, "0.002s"),
        (59_999 * 10**6, "59.999s"),
        (61 * S, "1m01.000s"),
        (3_723 * S, "1h02m03s"),
        (190_000 * S, "2d04h"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits(span_ns: int, said: str) -> None:
    """Milliseconds matter in the first minute, and no longer after an hour."""
    assert ago(span_ns) == said
    assert since(5 + span_ns, 5) == f"+{said}"
    assert since(None, 5) == ""
