"""Checks of the installed command that were written without knowledge of its code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = os.environ.get("ROLECALL_CHECKS")  # a program that runs them all; exit 1 if one fails


@pytest.mark.skipif(CHECKS is None, reason="no program of checks (set ROLECALL_CHECKS)")
def test_every_check_from_outside_holds() -> None:
    commands = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(CHECKS), "-j", "2"], env=environment, capture_output=True, text=True, check=False
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 0, "\n".join(failed) or done.stderr
    assert done.stdout.splitlines()[-1].endswith("hold")
