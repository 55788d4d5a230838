"""How every test runs: seeded where it must be, and without the network."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

# Machines are noisy, so no example has a deadline; the suite has a time-out for each test.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile(
    "nightly", deadline=None, max_examples=5_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "default"))


def stays_here(host: Any) -> bool:
    """Whether *host* is this machine. None and the empty name are what a server binds to."""
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False  # a name, which only a server elsewhere could resolve
    return address.is_loopback or address.is_unspecified


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails at once, whatever it would have caught."""

    def guarded(name: str, address_of: Any) -> None:
        real = getattr(socket.socket, name)

        def call(self: socket.socket, *args: Any) -> Any:
            address = address_of(args)
            if isinstance(address, tuple) and not stays_here(address[0]):
                # No Exception: code under test that survives a lost network must not survive this.
                pytest.fail(f"a test must not reach {address[0]}:{address[1]}")
            return real(self, *args)

        monkeypatch.setattr(socket.socket, name, call)

    guarded("connect", lambda args: args[0])
    guarded("connect_ex", lambda args: args[0])
    guarded("sendto", lambda args: args[-1])

    real_lookup = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not stays_here(host) and not _is_address(host):
            pytest.fail(f"a test must not look up {host}")
        return real_lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def _is_address(host: Any) -> bool:
    """Whether *host* is written as an address, so that looking it up asks nobody."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


# What a test file imports counts for its own coverage, so nothing of the package is imported above.


def _invoke(arguments: list[str], **options: Any) -> Result:
    from click.testing import CliRunner

    from fsm_arb.cli.app import command

    return CliRunner().invoke(command, arguments, **options)


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run the command in this process, as a pipe would see it."""
    return lambda *arguments: _invoke([str(each) for each in arguments])


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demonstration of eight trades with many faults, run to its end."""
    folder = tmp_path_factory.mktemp("ended") / "demo"
    result = _invoke(
        f"demo --seed 3 --trades 8 --faults many --latency 0 --dir {folder}".split(), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return folder
