"""A large journal is a small one again and again, and as sound."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from fsm_arb.audit.auditing import audit
from fsm_arb.audit.survey import summaries

TOOL = Path(__file__).resolve().parents[2] / "tools" / "big_journal.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("big_journal", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["big_journal"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trades_are_repeated_under_other_names(
    tool: ModuleType, ended: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As many as were asked for, in whole rounds; each round ends as the first did, and the audit finds nothing."""
    path = tmp_path / "big.db"
    words = ["big_journal", str(path), "--trades", "20", "--template", str(ended / "trades.db")]
    monkeypatch.setattr(sys, "argv", words)
    tool.main()
    assert "records" in capsys.readouterr().out
    found = audit(path)
    assert found.findings == []
    assert not found.notes
    assert found.trades.total() == 24
    told = list(summaries(path))
    assert len({each.trade_id for each in told}) == 24
    rounds = [Counter((each.status, each.net) for each in told[start : start + 8]) for start in (0, 8, 16)]
    assert rounds[0] == rounds[1] == rounds[2]
    assert told[0].began_ns < told[8].began_ns < told[16].began_ns
