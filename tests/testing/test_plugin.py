"""The pytest plugin, as somebody else's tests meet it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
asyncio_mode = {mode}
filterwarnings = error
addopts = --strict-markers --strict-config -p no:cacheprovider
"""


@pytest.fixture
def ini(pytester: pytest.Pytester) -> pytest.Pytester:
    """Strict in everything, as many projects are."""
    pytester.makefile(".ini", pytest=INI.format(mode="strict"))
    return pytester


def test_loading_it_imports_nothing_of_the_package() -> None:
    """Whatever is imported before coverage measurement begins is not measured."""
    script = "import sys, _fsm_arb_pytest; print([name for name in sys.modules if name.startswith('fsm_arb')])"
    # Our own interpreter with our own words.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_a_run_that_uses_none_of_it_pays_for_none_of_it(ini: pytest.Pytester) -> None:
    """The plugin is there, and neither ccxt nor Hypothesis nor the executor has been imported by it."""
    ini.makepyfile("""
        import sys

        def test_light(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("fsm_arb.testing.plugin")
            ours = [name for name in sys.modules if name.startswith("fsm_arb")]
            assert sorted(ours) == ["fsm_arb", "fsm_arb.testing", "fsm_arb.testing.plugin"]
            assert not {"ccxt", "aiohttp", "attrs", "cattrs", "transitions"} & set(sys.modules)
    """)
    result = ini.runpytest_subprocess("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)


def test_its_fixtures_trade(ini: pytest.Pytester) -> None:
    """Venues, a journal and an executor are there to be used; an hour of waiting takes no time."""
    ini.makepyfile("""
        import asyncio

        async def enter(executor, decision):
            async with executor:
                result = await executor.execute_decision(decision)
                await asyncio.sleep(3600)
                return result

        def test_entry(run, executor, bot_world, simulated_venues, memory_journal, virtual_clock):
            result = run(enter(executor, bot_world.decision()))
            assert result.status == "success"
            assert virtual_clock.monotonic_ns() > 3600 * 10**9
            assert len(simulated_venues.venue_orders()) == 2
            assert memory_journal.disk.records
    """)
    ini.runpytest_inprocess().assert_outcomes(passed=1)


ASYNC = """
    import asyncio
    import time
    import pytest

    @pytest.mark.virtual_time
    async def test_function(virtual_clock):
        began = time.monotonic()
        await asyncio.sleep(86_400)
        assert time.monotonic() - began < 60
        assert virtual_clock.monotonic_ns() >= 86_400 * 10**9

    class TestMethods:
        @pytest.mark.virtual_time
        @pytest.mark.parametrize("seconds", [1, 2])
        async def test_method(self, seconds):
            await asyncio.sleep(seconds)
            assert asyncio.get_running_loop().clock.monotonic_ns() >= seconds * 10**9
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_async_tests_run_in_virtual_time(pytester: pytest.Pytester, mode: str) -> None:
    """Functions and methods, whichever way pytest-asyncio is set."""
    pytester.makefile(".ini", pytest=INI.format(mode=mode))
    pytester.makepyfile(ASYNC)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_async_tests_need_no_other_plugin(pytester: pytest.Pytester) -> None:
    """Those who have no pytest-asyncio run them as well."""
    pytester.makepyfile(ASYNC)
    pytester.runpytest_subprocess("-p", "no:asyncio", "-W", "error").assert_outcomes(passed=3)


def test_the_marker_on_a_plain_function_is_a_mistake(ini: pytest.Pytester) -> None:
    """It would mean nothing."""
    ini.makepyfile("""
        import pytest

        @pytest.mark.virtual_time
        def test_plain():
            pass
    """)
    result = ini.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_plain carries the marker virtual_time and is no async function*"])


SEEDED = """
    def test_seeded(fsm_arb_seed):
        print("seed", fsm_arb_seed)
        assert fsm_arb_seed % 2 == 5
"""


def test_a_failure_tells_its_seed_and_how_to_have_it_again(ini: pytest.Pytester) -> None:
    """One line, to be copied; and it gives the same seed."""
    ini.makepyfile(test_mine=SEEDED)
    failed = ini.runpytest_inprocess("--fsm-arb-seed=7", "--fsm-arb-depth=2")
    failed.assert_outcomes(failed=1)
    failed.stdout.re_match_lines(
        [
            r"-+ fsm_arb -+",
            r"seed (\d+); again: pytest 'test_mine.py::test_seeded' --fsm-arb-seed=7 --fsm-arb-depth=2",
        ]
    )
    told = next(line for line in failed.outlines if "; again: " in line)
    words = told.partition("; again: pytest ")[2].replace("'", "").split()
    again = ini.runpytest_inprocess(*words)
    assert told in again.outlines
    assert told not in ini.runpytest_inprocess(words[0], "--fsm-arb-seed=8").outlines


def test_a_failure_without_a_seed_tells_none(ini: pytest.Pytester) -> None:
    """Other tests' reports stay as they are."""
    ini.makepyfile("def test_plain():\n    assert not True")
    result = ini.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*again: pytest*")


def test_depth_reaches_hypothesis_and_whoever_asks(ini: pytest.Pytester) -> None:
    """N times the examples, unless a test says how many itself."""
    ini.makepyfile("""
        from hypothesis import settings

        def test_deep(fsm_arb_depth):
            assert fsm_arb_depth == 3
            assert settings().max_examples == 300
            assert settings(max_examples=5).max_examples == 5
    """)
    ini.runpytest_subprocess("--fsm-arb-depth=3").assert_outcomes(passed=1)


@pytest.mark.parametrize("depth", ["0", "-1", "deep", "1.5"])
def test_a_depth_that_is_none_is_refused(ini: pytest.Pytester, depth: str) -> None:
    """Before anything runs."""
    result = ini.runpytest_inprocess(f"--fsm-arb-depth={depth}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--fsm-arb-depth: *must be a whole number, 1 or more*"])
