"""What pytest loads in every run: it brings in the plugin once coverage measurement, if any, has begun.

It stands beside the package, not in it: what is imported before measurement
begins is not measured, and importing a module imports its package.
"""

from __future__ import annotations

import pytest


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Register the plugin: after pytest-cov has begun, before any conftest file is read."""
    early_config.pluginmanager.import_plugin("fsm_arb.testing.plugin")
