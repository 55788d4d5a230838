"""``python -m fsm_arb.testing.loopback``: the exchange on loopback as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from attrs import evolve

from fsm_arb.testing.loopback.faults import PROFILES
from fsm_arb.testing.loopback.markets import DIALECTS
from fsm_arb.testing.loopback.options import Options
from fsm_arb.testing.loopback.server import LoopbackServer, describe


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: must be NAME=VALUE")
    return name, value


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    arguments = argparse.ArgumentParser(prog="python -m fsm_arb.testing.loopback", description=__doc__)
    arguments.add_argument("--port", type=int, default=0, help="zero: a free one")
    arguments.add_argument("--state", type=Path, help="file for pid, port and control token, for those who rejoin")
    arguments.add_argument("--options", help="all options as JSON; those below come on top")
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--step-ms", type=int, help="how long a book stands; zero: moves on command only")
    arguments.add_argument("--premium-bps", type=float, help="how far KRW prices swing around the common price")
    arguments.add_argument("--profile", choices=sorted(PROFILES), help="faults that are drawn")
    arguments.add_argument("--speed", type=float, help="recorded seconds per second")
    arguments.add_argument("--idle-exit-s", type=float, help="end after so long without a request; zero: never")
    arguments.add_argument(
        "--latency", type=_pair, action="append", default=[], metavar="DIALECT=MS", help=f"of {', '.join(DIALECTS)}"
    )
    arguments.add_argument(
        "--recording",
        type=_pair,
        action="append",
        default=[],
        metavar="DIALECT:SYMBOL=FILE",
        help="replay a recorded book, for example binance:BTC/USDT=spot.gz",
    )
    return arguments


def options_of(given: argparse.Namespace) -> Options:
    """Return the options that the command line asks for."""
    options = Options.from_json(given.options) if given.options else Options()
    simple = ("seed", "step_ms", "premium_bps", "profile", "speed", "idle_exit_s")
    changes = {name: getattr(given, name) for name in simple if getattr(given, name) is not None}
    latency = {**options.latency_ms, **{name: float(value) for name, value in given.latency}}
    recordings = dict(options.recordings)
    for name, path in given.recording:
        dialect, _, symbol = name.partition(":")
        recordings[dialect, symbol] = Path(path)
    return evolve(options, latency_ms=latency, recordings=recordings, **changes)


def write_state(path: Path, content: dict[str, object]) -> None:
    """Write the state file whole, readable by its owner only."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    part.replace(path)


async def serve(options: Options, port: int, state: Path | None) -> None:
    """Serve until told to stop, or idle for too long."""
    server = LoopbackServer(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopped.set)
    await server.start(port)
    description = describe(server, os.getpid())
    if state is not None:
        write_state(state, description)
    sys.stdout.write(f"listening on http://127.0.0.1:{server.port} (pid {os.getpid()})\n")
    sys.stdout.flush()
    while not server.stopped.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.stopped.wait(), 1.0)
        if options.idle_exit_s and time.monotonic() - server.world.touched > options.idle_exit_s:
            break
    await server.close()


def main() -> None:
    """Run."""
    given = parser().parse_args()
    asyncio.run(serve(options_of(given), given.port, given.state))
    if given.state is not None:
        given.state.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
