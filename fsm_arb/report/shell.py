"""What every page shares: one file, a policy that forbids it to load anything, and one look in light and dark."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from importlib import resources

from fsm_arb.report.markup import Markup, tag


@cache
def asset(name: str) -> str:
    """Return a style sheet or a script that comes with the package."""
    return resources.files("fsm_arb.report").joinpath(name).read_text(encoding="utf-8")


def shell(
    title: str,
    body: Markup,
    *,
    styles: tuple[str, ...] = ("base.css",),
    script: str = "",
    beside: tuple[str, ...] = (),
) -> Markup:
    """Return a whole page.

    Args:
        title: What it is called.
        body: All that is in it.
        styles: Names of style sheets that come with the package.
        script: Name of a script that comes with the package; empty: none.
        beside: Style sheets that stand in the body, as a picture that is a file of its own brings one.
    """
    return Markup(f"{head(title, styles=styles, script=script, beside=beside)}{body}{foot(script)}")


def head(
    title: str, *, styles: tuple[str, ...] = ("base.css",), script: str = "", beside: tuple[str, ...] = ()
) -> Markup:
    """Return a page up to where its body begins."""
    sheet = "".join(map(asset, styles))
    sheets = " ".join(map(_digest, (sheet, *beside)))
    policy = f"default-src 'none'; style-src {sheets}; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src {_digest(asset(script))}"
    metas = (
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(sheet)),
    )
    return Markup(f'<!DOCTYPE html>\n<html lang="en"><head>{"".join(metas)}</head><body>\n')


def foot(script: str = "") -> Markup:
    """Return the end of a page, its script in it."""
    running = tag("script", Markup(asset(script))) if script else ""
    return Markup(f"{running}</body></html>\n")


def _digest(source: str) -> str:
    """Return how a policy names what stands inline: nothing else runs, not even in the same page."""
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
