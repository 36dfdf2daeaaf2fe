"""Run what was typed."""

from __future__ import annotations

import gc
import os
import sys

from rolecall.cli.errors import guarded
from rolecall.cli.tree import tree

COMPLETE_VARIABLE = "_ROLECALL_COMPLETE"
_GARBAGE_THRESHOLD = 50_000


def run() -> None:
    """Run what was typed; the console script's entry point."""
    # Most of what a start makes stays: looking for garbage among it is a twentieth of the start.
    gc.set_threshold(_GARBAGE_THRESHOLD)
    line = os.environ.get(COMPLETE_VARIABLE)
    if line is not None:
        from rolecall.cli.completion.engine import reply

        offers = reply(line, tree())
        sys.stdout.write(offers or "")
        sys.exit(offers is None)
    code = guarded(lambda: tree().main(prog_name="rolecall", standalone_mode=False))
    gc.freeze()  # the process is over: nor is there garbage worth looking for now
    sys.exit(code)
