"""Kill `rolecall ask` at random moments, then look whether anything is lost or there twice.

python -m tests.learning.crashing --kills 200
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.plan import Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer
from tests.learning.auditing import audit

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
SERVED = (Served(endpoint="openai/m"), Served(endpoint="anthropic/m", api="anthropic"))
SOONEST_S = 0.05  # before the first import
LATEST = 2.0  # times what an undisturbed ask takes


def crash(folder: Path, kills: int, seed: int = 7) -> dict[str, int]:
    """Let one ask end, start and kill so many; return what the registry then holds.

    Raises AssertionError.
    """
    chance = random.Random(seed)
    path = folder / "registry.db"
    environment = os.environ | {"ROLECALL_REGISTRY": str(path)}
    with FaultServer(Plan(first_delay_s=0.1, token_delay_s=0.02)) as server:
        document = folder / "registry.yaml"
        document.write_text(registry_yaml(server, SERVED))
        subprocess.run(
            [PROGRAM, "registry", "apply", str(document)],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
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


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = crash(Path(folder), asked.kills, asked.seed)
    sys.stdout.write(", ".join(f"{count} {name}" for name, count in found.items()) + "\n")
    sys.stdout.write("nothing lost, nothing twice, statistics and spending as the rows say\n")


if __name__ == "__main__":
    _main()
