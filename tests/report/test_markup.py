"""HTML in which text stays text."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.report.markup import Markup, join, tag, text


def test_text_stays_text() -> None:
    """Nothing of it opens a tag or ends an attribute."""
    assert tag("p", "<b>&\"'") == "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"
    assert tag("p", title='"><script>') == '<p title="&quot;&gt;&lt;script&gt;"></p>'
    assert text(Markup("<b>")) == "<b>"


def test_markup_is_not_escaped_twice() -> None:
    """What was built goes into what is built; nothing goes where None stands."""
    assert tag("p", tag("b", "x"), None, " & ") == "<p><b>x</b> &amp; </p>"
    assert join(["<", tag("b", "x")], " & ") == "&lt; &amp; <b>x</b>"


def test_attributes_are_written_as_html_writes_them() -> None:
    """Underscores stand for what Python cannot write; None and False leave one out."""
    assert tag("div", class_="a", aria_label="b", hidden=True, open=False, title=None, tabindex=0) == (
        '<div class="a" aria-label="b" hidden tabindex="0"></div>'
    )
    assert tag("meta", name="x") == '<meta name="x">'
    assert tag("rect", x=1.5) == '<rect x="1.5"/>'
    assert tag("rect", tag("title", "t")) == "<rect><title>t</title></rect>"
    assert tag("td") == "<td></td>"


def test_what_no_page_may_hold_is_shown_as_such() -> None:
    """Controls, halves of surrogate pairs, and what turns the direction of writing."""
    assert text("a\0b\ud800c\u202egnp.exe\u2066\x7f\x85") == "a\ufffdb\ufffdc\ufffdgnp.exe\ufffd\ufffd\ufffd"
    assert tag("p", title="\u202e\0") == '<p title="\ufffd\ufffd"></p>'
    assert text("tab\tline\n") == "tab\tline\n"


@given(st.text())
def test_whatever_it_holds_it_can_be_written_and_read_back(value: str) -> None:
    """As it was, save for what no page may hold."""
    written = text(value)
    assert not set("<>\"'") & set(written)
    read = html.unescape(written.encode().decode())
    assert len(read) == len(value)
    assert all(mine in {theirs, "\ufffd"} for mine, theirs in zip(read, value, strict=True))
