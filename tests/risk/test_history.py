"""History: days, runs of losses, the best there was, and corrections."""

from __future__ import annotations

from decimal import Decimal

from fsm_arb.clock import NS_PER_S
from fsm_arb.risk.history import NS_PER_DAY, RiskHistory
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.values import Money

D = Decimal
LIMITS = RiskLimits(daily_loss=Money(1000, "KRW"))
NOON = 100 * NS_PER_DAY + NS_PER_DAY // 2


def told(*results: tuple[str, int], history: RiskHistory | None = None, now_ns: int = NOON) -> RiskHistory:
    after = history or RiskHistory()
    for name, pnl in results:
        after = after.with_result(name, "r", "BTC", D(pnl), now_ns=now_ns, limits=LIMITS)
    return after


def test_results_add_up_by_day_asset_and_in_all() -> None:
    """The best is the highest that the asset's result has ever been."""
    after = told(("a", 50), ("b", -20))
    assert (after.day, after.daily, after.result) == (100, 30, 30)
    assert (after.symbols["BTC"].result, after.symbols["BTC"].best) == (30, 50)


def test_a_new_day_begins_at_nothing() -> None:
    """The sum of all days goes on."""
    after = told(("b", 7), history=told(("a", 50)), now_ns=NOON + NS_PER_DAY)
    assert (after.day, after.daily, after.result) == (101, 7, 57)
    same = told(("a", 1))
    assert same.on(NOON) is same


def test_runs_of_losses_cool_down_the_route_and_everything() -> None:
    """Three in a row, of one route or of all."""
    after = told(("a", -1), ("b", -1), ("c", -1))
    assert (after.losses, after.cooldown_until_ns) == (3, NOON + 300 * NS_PER_S)
    assert (after.routes["r"].losses, after.routes["r"].cooldown_until_ns) == (3, NOON + 300 * NS_PER_S)
    other = after.with_result("d", "other", "BTC", D(-1), now_ns=NOON, limits=LIMITS)
    assert (other.losses, other.routes["other"].losses, other.routes["other"].cooldown_until_ns) == (4, 1, 0)


def test_a_correction_changes_sums_and_no_run() -> None:
    """A fee that comes late is no second loss."""
    after = told(("a", -1), ("b", -1), ("b", -5))
    assert (after.daily, after.losses, after.symbols["BTC"].result) == (-6, 2, -6)
    assert told(("b", -5), history=after) is after


def test_a_correction_of_yesterday_is_no_loss_of_today() -> None:
    """It changes the sum of all days alone."""
    after = told(("a", -9), history=told(("a", -1)), now_ns=NOON + NS_PER_DAY)
    assert (after.daily, after.result) == (0, -9)


def test_what_is_forgotten_is_no_longer_corrected() -> None:
    """Its result stays counted; the same name again is another trade."""
    after = told(("a", -1)).forget("a")
    assert after.counted == {}
    assert after.daily == -1
    assert after.forget("a") is after


def test_a_clock_that_is_set_back_begins_no_new_day() -> None:
    """Else a step over midnight and back would forget the day's loss."""
    lost = told(("a", -900))
    back = lost.on(NOON - NS_PER_DAY)
    assert back is lost
    assert told(("b", -50), history=lost, now_ns=NOON - NS_PER_DAY).daily == -950


def test_what_was_forgotten_and_is_taken_back_is_corrected_and_counts_once() -> None:
    """No sum changes as it is taken back; then only the difference counts, and no run of losses."""
    first = told(("a", -10))
    kept, over = first.counted["a"], first.forget("a")
    again = over.recall("a", kept)
    assert again.sums == over.sums
    after = told(("a", -12), history=again)
    assert (after.daily, after.result, after.losses) == (-12, -12, 1)


def test_sums_are_of_one_size_however_many_trades_there_were() -> None:
    """What corrections need is kept apart."""
    after = told(*((f"t{number}", 1) for number in range(50)))
    assert len(after.counted) == 50
    assert after.sums == after.sums.sums
    assert (after.sums.counted, after.sums.result, list(after.sums.symbols)) == ({}, 50, ["BTC"])


def test_rates_are_kept_with_what_was_counted() -> None:
    """Those of a correction too, where it needed another one."""
    one, two = {"USDT": D(1400)}, {"USDT": D(1400), "BNB": D(800_000)}
    after = RiskHistory().with_result("a", "r", "BTC", D(1), now_ns=NOON, limits=LIMITS, rates=one)
    assert after.counted["a"].rates == one
    assert told(("a", 2), history=after).counted["a"].rates == one
    later = after.with_result("a", "r", "BTC", D(1), now_ns=NOON, limits=LIMITS, rates=two)
    assert (later.counted["a"].rates, later.result) == (two, 1)
