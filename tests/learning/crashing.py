"""Kill `rolecall ask` at random moments, then look whether anything is lost or there twice."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from tests.faults.plan import Plan
from tests.faults.registry import Served
from tests.faults.server import FaultServer
from tests.learning.auditing import PROGRAM, audit, serving

SERVED = (Served(endpoint="openai/m"), Served(endpoint="anthropic/m", api="anthropic"))
SOONEST_S = 0.05  # before the first import
LATEST = 2.0  # times what an undisturbed ask takes


def crash(folder: Path, kills: int, seed: int = 7) -> dict[str, int]:
    """Let one ask end, start and kill so many; return what the registry then holds.

    Raises AssertionError.
    """
    chance = random.Random(seed)
    with FaultServer(Plan(first_delay_s=0.1, token_delay_s=0.02)) as server:
        path, environment = serving(folder, server, SERVED)
        started = time.monotonic()
        _started(0, environment).wait()
        latest_s = LATEST * (time.monotonic() - started)
        for number in range(1, kills + 1):
            process = _started(number, environment)
            time.sleep(chance.uniform(SOONEST_S, latest_s))
            process.kill()
            process.wait()
        received = list(server.requests)
    return {"asks": kills + 1, "received": len(received)} | audit(path, received)


def _started(number: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PROGRAM, "ask", f"prompt number {number}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
