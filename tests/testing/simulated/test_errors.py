"""Errors are ccxt's own, and ccxt is loaded for them alone."""

from __future__ import annotations

import subprocess
import sys

import ccxt
import pytest

from fsm_arb.matching.orders import Refusal
from fsm_arb.testing.simulated.errors import DEFINITE, REFUSALS, ccxt_error, error_class
from fsm_arb.venues.classify import classify
from fsm_arb.venues.dialects import DEFAULT


def test_every_refusal_has_a_class_and_words() -> None:
    """None is left for a KeyError to tell."""
    assert set(REFUSALS) == set(Refusal)
    assert all(issubclass(error_class(name), ccxt.BaseError) for name, _ in REFUSALS.values())


@pytest.mark.parametrize("refusal", [refusal for refusal in Refusal if refusal is not Refusal.DUPLICATE])
def test_a_refusal_is_read_as_one(refusal: Refusal) -> None:
    """The adapter takes each for a proof that there is no order."""
    assert classify(ccxt_error(*REFUSALS[refusal]), DEFAULT).refused


def test_a_duplicate_is_read_as_doubt() -> None:
    """It says that the id was used, which an order that exists may have done."""
    verdict = classify(ccxt_error(*REFUSALS[Refusal.DUPLICATE]), DEFAULT)
    assert (verdict.refused, verdict.code) == (False, "duplicate_client_order_id")


def test_what_is_definite_is_an_error_of_ccxt() -> None:
    """By its class's own name."""
    assert all(error_class(name).__name__ == name for name in DEFINITE)


def test_an_unknown_name_is_told() -> None:
    """A typo here is ours."""
    with pytest.raises(AttributeError, match="NoSuchError"):
        ccxt_error("NoSuchError", "")


def test_importing_simulated_venues_loads_no_ccxt() -> None:
    """It costs a second, and a run in which nothing is refused never needs it."""
    script = "import sys, fsm_arb.testing.simulated; print('ccxt' in sys.modules)"
    # Our own interpreter with our own words.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "False"
