"""The command `fsm-arb`: a demonstration, the diagrams, and a trade's path read from the journal."""

from __future__ import annotations

import sys

EXTRA_MISSING = 1  # exit status


def main() -> None:
    """Run the command; name the extra to install where the libraries it needs are missing."""
    try:
        from fsm_arb.cli.app import command
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "fsm_arb":
            raise
        sys.stderr.write(f"fsm-arb needs {error.name}, which comes with an extra: pip install 'fsm_arb[cli]'\n")
        sys.exit(EXTRA_MISSING)
    command(prog_name="fsm-arb")
