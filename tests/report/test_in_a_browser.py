"""The pages as a person meets them: in a real browser, light and dark, wide and narrow, with a script and without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, Tab, found
from pages import Page
from reports import SECOND, every, journal, row

from fsm_arb.audit.summary import Naked
from fsm_arb.report.index_page import SHOWN, Index, index_page
from fsm_arb.report.rows import Row, file_of
from fsm_arb.report.writing import write_report

D = Decimal
COUNT = 450  # trades of the large index: three pages of its table
SCRIPT_TRADE = f"trades/{file_of(every()[-1].trade.trade_id)}"
ROWS = "[...document.querySelectorAll('#trades tbody tr')]"
PAGES = ("index.html", "trades/t-stuck.html", "trades/t-back.html", SCRIPT_TRADE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with one trade of each kind."""
    folder = tmp_path_factory.mktemp("site")
    write_report(journal(folder / "j.db", *every()), folder / "out")
    return folder / "out"


def naked_ns(number: int) -> int:
    """Return for how long a trade was naked: from nanoseconds to weeks, each fourth not at all."""
    return (number * 7_919 % 9_973) * 10 ** (number % 13) if number % 4 else 0


def large(number: int) -> Row:
    """Return one of many trades: each third was rolled back, each tenth goes on."""
    kind: dict[str, Any] = {"status": "success", "note": ""} if number % 3 else {"net": D(-number)}
    if number % 10 == 9:
        kind = {"status": "halted", "state": "HALTED", "ended_ns": None, "net": None, "note": f"wall <{number}>"}
    stretch = Naked(from_ns=0, to_ns=naked_ns(number), exposure=D(1))
    return row(
        f"bot-{number}",
        began_ns=number * 61 * SECOND,
        naked=(stretch,),
        worst_worth=D(number % 17),
        **{"ended_ns": number * 62 * SECOND, "net": D(number)} | kind,
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of more trades than its table shows at once."""
    path = tmp_path_factory.mktemp("many") / "index.html"
    rows = [large(number) for number in range(COUNT)]
    index = Index(
        name="many.db",
        outcomes=Counter(each.outcome for each in rows),
        newest=rows[::-1][:SHOWN],
        pages={"bot-449": "trades/bot-449.html"},
    )
    path.write_text("".join(index_page(index, rows)), encoding="utf-8")
    return path


def cells(tab: Tab, column: int) -> list[str]:
    """Return what one column of the table shows."""
    return list(tab.ask(f"{ROWS}.map((row) => row.cells[{column}].innerText)"))


def told(tab: Tab) -> str:
    return str(tab.ask("document.getElementById('told').textContent"))


def head(column: int) -> str:
    return f"#trades thead th:nth-child({column + 1}) button"


@pytest.mark.parametrize(("where", "ends"), [("true", "fail"), ("", "skip")])
def test_without_a_browser_the_checks_fail_and_a_reader_is_told(
    monkeypatch: pytest.MonkeyPatch, where: str, ends: str
) -> None:
    """What nobody looked at is not called good."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setenv("CI", where)
    expected = pytest.fail.Exception if ends == "fail" else pytest.skip.Exception
    with pytest.raises(expected, match="no browser is installed: none of chromium"):
        found()


# ------------------------------------------------------------------ every page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "dark"), [(360, True), (1200, False)])
def test_a_page_stands_alone_and_fits(browser: Browser, site: Path, name: str, width: int, dark: bool) -> None:
    """Nothing is asked for but the file, nothing is complained of, nothing sticks out, in either theme."""
    tab = browser.open(site / name, width=width, dark=dark)
    assert tab.requests() == [(site / name).as_uri()]
    assert tab.complaints() == []
    assert tab.ask("document.documentElement.scrollWidth") <= width
    ground = tab.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    assert tab.ask("document.getAnimations().length") == 0
    small = tab.ask(
        "[...document.querySelectorAll('main *')].filter((each) => each.childNodes.length && each.innerText"
        " && parseFloat(getComputedStyle(each).fontSize) < 11).length"
    )
    assert small == 0
    tab.close()


def test_no_word_of_a_venue_runs(browser: Browser, site: Path) -> None:
    """Neither as it stands, nor if it got into the page after all: the policy lets nothing but our script run."""
    tab = browser.open(site / SCRIPT_TRADE)
    assert tab.ask("document.scripts.length") == 1
    assert tab.ask("document.images.length") == 0
    assert "<script>alert('naked')</script>" in tab.ask("document.querySelector('h1').textContent")
    tab.ask(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.got = 1';"
        " document.body.append(s); const d = document.createElement('div');"
        " d.innerHTML = '<img src=x onerror=\"window.got = 2\">'; document.body.append(d); })()"
    )
    assert tab.ask("fetch('https://exchange.invalid/').then(() => 'out', () => 'kept in')") == "kept in"
    assert tab.ask("window.got ?? null") is None
    assert any("Content Security Policy" in each for each in tab.complaints())
    tab.close()


def test_a_screen_reader_finds_its_way(browser: Browser, site: Path) -> None:
    """Landmarks, headings in order, named tables and pictures; no picture without words."""
    tab = browser.open(site / "trades/t-stuck.html")
    tree = tab.tree()
    roles = Counter(role for role, _ in tree)
    assert (roles["main"], roles["banner"], roles["contentinfo"], roles["search"]) == (1, 1, 1, 1)
    headings = [name for role, name in tree if role == "heading"]
    assert headings[:3] == ["Trade t-stuck halted", "10 BTC is naked (short).", "What to do"]
    regions = [name for role, name in tree if role == "region"]
    assert regions == [
        "10 BTC is naked (short).", "Both legs", "The way it took", "Through time", "Orders", "Decisions", "Records",
    ]  # fmt: skip
    pictures = [name for role, name in tree if role in {"image", "img"}]
    assert all(pictures)
    assert "The trade machine and the way through it" in pictures[0]
    assert any(name.startswith("Order 1: buy on beta, first, 10 BTC. being sent") for name in pictures)
    assert all(name for role, name in tree if role in {"table", "searchbox", "combobox", "button", "link"})
    tab.close()


# ------------------------------------------------------------------ the records of a trade


def test_records_are_filtered_by_word_and_by_kind(browser: Browser, site: Path) -> None:
    """What is left is counted aloud; every payload opens at once."""
    tab = browser.open(site / "trades/t-stuck.html")
    visible = "[...document.querySelectorAll('#records tbody tr')].filter((row) => row.offsetHeight)"
    every_kind = tab.ask(f"{visible}.map((row) => row.dataset.kind)")
    tab.type("#record-text", "BETA gives")
    few = tab.ask(f"{visible}.map((row) => row.dataset.kind)")
    assert 0 < len(few) < len(every_kind)
    assert set(few) <= {"surveyed", "stalled", "wall"}
    assert tab.ask("document.getElementById('record-count').textContent") == f"{len(few)} of {len(every_kind)} records"
    tab.ask(
        "(() => { const kind = document.getElementById('record-kind'); kind.value = 'stalled';"
        " kind.dispatchEvent(new Event('change')); })()"
    )
    assert tab.ask(f"{visible}.map((row) => row.dataset.kind)") == ["stalled", "stalled"]
    tab.click("#record-open")
    assert tab.ask("document.querySelectorAll('#records details[open]').length") == 2
    assert tab.ask("document.querySelector('#record-open').getAttribute('aria-pressed')") == "true"
    tab.type("#record-text", "")
    tab.key("Enter", "\r")  # in a field of a form it would send it somewhere
    assert tab.requests() == [(site / "trades/t-stuck.html").as_uri()]
    assert tab.complaints() == []
    tab.close()


# ------------------------------------------------------------------ the index


def test_a_click_sorts_all_trades_and_another_turns_them_round(browser: Browser, many: Path) -> None:
    """Not only those that are shown; and the head says which way."""
    tab = browser.open(many)
    assert told(tab) == "450 trades, 1 to 200 shown; by begun, UTC, falling"
    assert cells(tab, 0)[:2] == ["bot-449", "bot-448"]
    tab.click(head(3))
    assert tab.ask("[...document.querySelectorAll('#trades th[aria-sort]')].map((e) => e.ariaSort).join()") == (
        "none,none,none,descending,none,none,none,none,none"
    )
    longest = sorted(range(COUNT), key=naked_ns)[-1:-4:-1]
    assert cells(tab, 0)[:3] == [f"bot-{number}" for number in longest]
    tab.click(head(3))
    assert cells(tab, 3)[0] == ""
    assert tab.ask(f"document.querySelector({head(3)!r}).closest('th').ariaSort") == "ascending"
    tab.click(head(0))
    assert cells(tab, 0)[:3] == ["bot-0", "bot-1", "bot-2"]  # as numbers, not as letters
    tab.close()


def test_what_is_not_known_comes_last_either_way(browser: Browser, many: Path) -> None:
    """An unknown PnL is neither the best nor the worst."""
    tab = browser.open(many)
    for _ in range(2):
        tab.click(head(2))
        shown = cells(tab, 2)
        assert "unknown" not in shown
        amounts = [float(each.replace("\N{MINUS SIGN}", "-").removesuffix(" USD")) for each in shown]
        assert amounts in (sorted(amounts), sorted(amounts, reverse=True))
        tab.click("#last")
        assert cells(tab, 2)[-1] == "unknown"
    tab.close()


def test_the_keyboard_sorts_too(browser: Browser, many: Path) -> None:
    """The heads are buttons; what was sorted keeps the focus."""
    tab = browser.open(many)
    tab.ask(f"document.querySelector({head(1)!r}).focus()")
    tab.key("Enter", "\r")
    assert cells(tab, 1)[0].startswith("halted")
    assert tab.ask(f"document.activeElement === document.querySelector({head(1)!r})")
    tab.close()


def test_trades_are_filtered_by_word_and_by_outcome(browser: Browser, many: Path) -> None:
    """Over all of them, whatever is shown; the address of a page stays a link."""
    tab = browser.open(many)
    tab.type("#text", "wall <44")
    tab.ask("new Promise((done) => setTimeout(done, 300))")
    assert cells(tab, 0) == ["bot-449"]
    assert told(tab).startswith("1 of 450 trades; ")
    assert tab.ask("document.querySelector('#trades tbody a').getAttribute('href')") == "trades/bot-449.html"
    tab.ask(
        "(() => { document.getElementById('text').value = ''; const outcome = document.getElementById('outcome');"
        " outcome.value = 'rolled_back'; outcome.dispatchEvent(new Event('change')); })()"
    )
    count = sum(large(number).outcome == "rolled_back" for number in range(COUNT))
    assert told(tab).startswith(f"{count} of 450 trades; ")
    assert {each.partition("\n")[0] for each in cells(tab, 1)} == {"rolled back"}
    tab.close()


def test_the_table_is_turned_page_by_page(browser: Browser, many: Path) -> None:
    """The last one is shorter, and no button leads out of it."""
    tab = browser.open(many)
    tab.click("#on")
    assert (len(cells(tab, 0)), cells(tab, 0)[0]) == (200, "bot-249")
    tab.click("#last")
    assert (len(cells(tab, 0)), cells(tab, 0)[-1]) == (50, "bot-0")
    assert tab.ask("[...document.querySelectorAll('.pager button')].map((each) => each.disabled)") == [
        False, False, True, True,
    ]  # fmt: skip
    tab.click("#back")
    tab.click("#first")
    assert cells(tab, 0)[0] == "bot-449"
    tab.close()


def test_the_script_shows_what_the_page_showed_without_it(browser: Browser, many: Path) -> None:
    """The same words in the same cells: durations, moments and money are told in one way."""
    tab = browser.open(many)
    static = Page(many.read_text(encoding="utf-8")).tables[0][1:]
    drawn = tab.ask(f"{ROWS}.map((row) => [...row.cells].map((cell) => cell.textContent))")
    assert len(static) == SHOWN
    assert drawn == static
    tab.close()


def test_without_a_script_the_newest_are_there_and_nothing_is_dead(browser: Browser, many: Path, site: Path) -> None:
    """No field, no button, every record and payload."""
    tab = browser.open(many, scripts=False)
    shown = "[...document.querySelectorAll('form, button')].filter((each) => each.offsetHeight).length"
    assert tab.ask(shown) == 0
    assert len(cells(tab, 0)) == SHOWN
    tab.close()
    tab = browser.open(site / "trades/t-back.html", scripts=False)
    assert tab.ask(shown) == 0
    tab.click("#record-1 summary")
    assert "prices" in tab.ask("document.querySelector('#record-1 pre').innerText")
    tab.close()


def test_the_pictures_of_a_trade_stand_on_one_axis(browser: Browser, site: Path) -> None:
    """Every row of the timeline begins and ends at the same place, however wide the window is."""
    for width in (360, 1200):
        tab = browser.open(site / "trades/t-back.html", width=width)
        edges = tab.ask(
            "[...document.querySelectorAll('.lane')].map((lane) => { const r = lane.getBoundingClientRect();"
            " return [Math.round(r.left), Math.round(r.right), Math.round(r.top)]; })"
        )
        assert len({(left, right) for left, right, _ in edges}) == 1
        assert all(upper < lower for (_, _, upper), (_, _, lower) in pairwise(edges))
        tab.close()
