"""The page on risk says what the code says: every code, every limit, every default."""

from __future__ import annotations

from pathlib import Path

from attrs import NOTHING, fields

from fsm_arb.risk import (
    GlobalLimits,
    RiskCode,
    RiskLimits,
    RouteLimits,
    SymbolLimits,
    VenueLimits,
    VolatilityScaling,
)

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "risk.md").read_text(encoding="utf-8")
CLASSES = (RiskLimits, VenueLimits, RouteLimits, SymbolLimits, GlobalLimits, VolatilityScaling)


def rows(name: str) -> list[list[str]]:
    table = PAGE.split(f"<!-- {name}:")[1].split(f"<!-- end of {name}")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_code_is_on_the_page() -> None:
    """With its tier and its reason, as the enum has them."""
    assert rows("codes") == [[code.tier.value, f"`{code.value}`", code.why] for code in RiskCode]


def test_every_limit_is_on_the_page() -> None:
    """With its default, as the classes have them."""
    expected = []
    for kind in CLASSES:
        for each in fields(kind):
            if each.name not in {"venue", "route", "symbol", "overall", "volatility"}:
                default = "required" if each.default is NOTHING else str(each.default)
                expected.append([kind.__name__, f"`{each.name}`", default])
    assert [row[:3] for row in rows("limits")] == expected
    assert all(len(row[3]) > 10 for row in rows("limits"))
