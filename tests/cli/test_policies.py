"""A policy from a file."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from fsm_arb.cli.policies import read_changes, read_policy
from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy, Placement
from fsm_arb.values import OrderType

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_left_out_stays_as_it_is(tmp_path: Path) -> None:
    """An empty file is the default policy."""
    assert read_policy(written(tmp_path, "")) == ExecutionPolicy()


def test_numbers_and_words_are_read(tmp_path: Path) -> None:
    """Whole numbers, fractions and text all become exact; words become members."""
    text = 'placement = "sequential"\norder_type = "limit"\nbackoff_s = 0.1\nslippage_bps = "7.5"\nattempts_max = 3\n'
    policy = read_policy(written(tmp_path, text))
    assert policy.placement is Placement.SEQUENTIAL
    assert policy.order_type is OrderType.LIMIT
    assert (policy.backoff_s, policy.slippage_bps, policy.attempts_max) == (Decimal("0.1"), Decimal("7.5"), 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("backoff_s = ", "is no TOML"),
        ("backof_s = 1", "names backof_s, which no policy has"),
        ("fill_timeout_s = -1", "^fill_timeout_s="),
        ("attempts_max = 2.5", "^attempts_max="),
        ('placement = "both"', "^placement=.*must be one of"),
        ("backoff_s = [1]", "^(policy|backoff_s)="),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The file, the field and the value stand in the message."""
    with pytest.raises(InvalidInput, match=said):
        read_policy(written(tmp_path, text))


def test_only_what_is_named_is_a_change(tmp_path: Path) -> None:
    """As a policy holds it; what is wrong is named as for a whole one."""
    assert read_changes(written(tmp_path, "")) == {}
    changes = read_changes(written(tmp_path, 'backoff_s = 0.1\nplacement = "sequential"\n'))
    assert changes == {"backoff_s": Decimal("0.1"), "placement": Placement.SEQUENTIAL}
    with pytest.raises(InvalidInput, match="which no policy has"):
        read_changes(written(tmp_path, "backof_s = 1"))
