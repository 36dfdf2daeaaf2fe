"""The installed `rolecall` as a process, run to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import Result

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
_LONGEST_S = 120.0


def run(*words: str | Path) -> Result:
    """Run one command to its end, into pipes."""
    ran = subprocess.run(
        [PROGRAM, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
    )
    return Result(ran.returncode, ran.stdout, ran.stderr)


def run_json(*words: str | Path, exit_code: int = 0) -> Any:
    """Run a command with --json and return its object."""
    ran = run(*words, "--json")
    assert ran.exit_code == exit_code, ran.stderr
    return json.loads(ran.stdout)


def calls_of(decision_id: str) -> list[dict[str, Any]]:
    """Return the recorded calls of a decision, in their order."""
    found: list[dict[str, Any]] = run_json("telemetry", "show", decision_id)["calls"]
    return found


def last_calls() -> list[dict[str, Any]]:
    """Return the calls of the last decision that led to any, in their order."""
    latest = run_json("telemetry", "list", "--limit", "1")["calls"][0]
    return calls_of(latest["decision_id"])
