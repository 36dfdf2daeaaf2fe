"""Run what was typed."""

from __future__ import annotations

import gc
import os
import sys

from rolecall.cli.signals import leaving_at_once

COMPLETE_VARIABLE = "_ROLECALL_COMPLETE"
_GARBAGE_THRESHOLD = 50_000


def run() -> None:
    """Run what was typed; the console script's entry point."""
    with leaving_at_once():
        # Most of what a start makes stays: looking for garbage in it is a twentieth of the start.
        gc.set_threshold(_GARBAGE_THRESHOLD)
        # Imported here, as an interrupt meanwhile must be quiet.
        from rolecall.cli.errors import guarded

        code = guarded(_complete if COMPLETE_VARIABLE in os.environ else _run)
        gc.freeze()  # the process is over: nor is there garbage worth looking for now
        sys.exit(code)


def _run() -> object:
    from rolecall.cli.tree import tree

    return tree().main(prog_name="rolecall", standalone_mode=False)


def _complete() -> int:
    from rolecall.cli.completion.engine import reply
    from rolecall.cli.tree import tree

    offers = reply(os.environ[COMPLETE_VARIABLE], tree())
    sys.stdout.write(offers or "")
    return offers is None
