"""Reads a page as a strict reader would, and tells what is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

VOID = {"br", "hr", "input", "link", "meta", "wbr"}
ADDRESSES = {"href", "src", "srcset", "action", "data", "poster", "xlink:href", "formaction", "background", "ping"}
LOADERS = {"link", "img", "iframe", "object", "embed", "video", "audio", "base", "frame", "applet", "image"}


class Page(HTMLParser):
    """One page, read.

    Attributes:
        tags: Every element: its name and attributes.
        headings: Level and text of each, in order.
        words: All that is shown, without what stands in scripts and sheets.
        tables: Of each the caption, the heads and the cells of every row.
        problems: What is wrong with it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self.words = ""
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.problems: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        self._judge()

    def attributes(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of each element of that name."""
        return [given for tag, given in self.tags if tag == name]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if len(given) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append((tag, given))
        if tag == "table":
            self.tables.append([])
        if tag == "tr" and self.tables:
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        if tag == "caption":
            self.captions.append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if not any(name == "svg" for name, _ in self._open):
            self.problems.append(f"<{tag}/> outside a picture")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.problems.append(f"</{tag}> closes nothing: open are {[name for name, _ in self._open]}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = [name for name, _ in self._open]
        if inside and inside[-1] in self.inline:
            if self._open[-1][1].get("type") != "application/json":
                self.inline[inside[-1]].append(data)
            return
        self.words += data
        if self.tables and ({"td", "th"} & set(inside)) and "pre" not in inside:
            self.tables[-1][-1][-1] += data
        if "caption" in inside:
            self.captions[-1] += data
        if self.headings and any(re.fullmatch("h[1-6]", name) for name in inside):
            level, text = self.headings[-1]
            self.headings[-1] = level, text + data

    # -------------------------------------------------------------- judging

    def _judge(self) -> None:
        if self._open:
            self.problems.append(f"left open: {[name for name, _ in self._open]}")
        self._judge_ids()
        self._judge_outside()
        self._judge_policy()
        self._judge_reading()

    def _judge_ids(self) -> None:
        ids = [given["id"] for _, given in self.tags if "id" in given]
        self.problems += [f"id {each} stands twice" for each in {each for each in ids if ids.count(each) > 1}]
        for name, given in self.tags:
            for key in ("aria-labelledby", "aria-describedby", "for"):
                wanted = (given.get(key) or "").split()
                self.problems += [f"<{name} {key}={each}> names nothing" for each in wanted if each not in ids]

    def _judge_outside(self) -> None:
        """Nothing is loaded, and nothing runs but what the policy names."""
        for name, given in self.tags:
            if name in LOADERS:
                self.problems.append(f"<{name}> loads something")
            for key, value in given.items():
                if key.startswith("on") or key == "style":
                    self.problems.append(f"<{name} {key}> stands inline")
                if key in ADDRESSES and not re.fullmatch(r"(?:\.\./|[\w-]+/)?[\w-]+(?:\.[\w-]+)*\.html", value or ""):
                    self.problems.append(f"<{name} {key}={value}> points outside")
                if "url(" in (value or "") and not re.fullmatch(r"url\(#[\w-]+\)", value or ""):
                    self.problems.append(f"<{name} {key}={value}> points outside")
        for sheet in self.inline["style"]:
            outside = [each for each in re.findall(r"url\([^)]*\)", sheet) if not each.startswith("url(#")]
            self.problems += [f"the sheet loads {each}" for each in outside]
            if "@import" in sheet or "expression(" in sheet:
                self.problems.append("the sheet loads another")

    def _judge_policy(self) -> None:
        given = [each for each in self.attributes("meta") if each.get("http-equiv") == "Content-Security-Policy"]
        if len(given) != 1:
            self.problems.append("it has no policy, or several")
            return
        parts = [part.split() for part in (given[0]["content"] or "").split(";") if part.strip()]
        policy = {name: allowed for name, *allowed in parts}
        for kind in ("default-src", "base-uri", "form-action"):  # the last two are not covered by the first
            if policy.get(kind) != ["'none'"]:
                self.problems.append(f"its policy allows a {kind}: {policy}")
        for kind in ("script", "style"):
            known = policy.get(f"{kind}-src", [])
            hashes = [_hash(each) for each in self.inline[kind]]
            if sorted(known) != sorted(set(hashes)):
                self.problems.append(f"its policy allows {known}, and its {kind}s are {hashes}")
        first = next(at for at, (name, _) in enumerate(self.tags) if name in {"style", "script", "title"})
        if not any(given.get("http-equiv") for _, given in self.tags[:first]):
            self.problems.append("its policy comes too late")

    def _judge_reading(self) -> None:
        """What a screen reader needs."""
        names = [name for name, _ in self.tags]
        for wanted, count in (("main", 1), ("h1", 1), ("title", None), ("header", 1)):
            found = names.count(wanted)
            if found != count and (count is not None or not found):
                self.problems.append(f"it has {found} <{wanted}>")
        if self.attributes("html")[0].get("lang") != "en":
            self.problems.append("it does not say its language")
        levels = [level for level, _ in self.headings]
        self.problems += [f"a heading skips from {one} to {two}" for one, two in pairwise(levels) if two > one + 1]
        self.problems += [f"an empty heading of level {level}" for level, text in self.headings if not text.strip()]
        if len(self.captions) != len(self.tables) or not all(self.captions):
            self.problems.append("a table has no caption")
        self.problems += ["a head has no scope" for given in self.attributes("th") if not given.get("scope")]
        for given in self.attributes("svg"):
            named = given.get("aria-label") or given.get("aria-labelledby")
            within = given.get("class") in {"sign", "cut"}
            if not within and given.get("aria-hidden") != "true" and not (given.get("role") == "img" and named):
                self.problems.append(f"a picture without a name: {given}")
        for name in ("input", "select"):
            labels = self.source.count("<label")
            if labels < len(self.attributes("input")) + len(self.attributes("select")):
                self.problems.append(f"an {name} without a label")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
