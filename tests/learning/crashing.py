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
# From before the first import to after the end of an undisturbed ask.
SOONEST_S, LATEST_S = 0.05, 1.1


def crash(folder: Path, kills: int, seed: int = 7) -> dict[str, int]:
    """Start and kill so many asks; return what the registry then holds. Raises AssertionError."""
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
        for number in range(kills):
            _killed(number, chance.uniform(SOONEST_S, LATEST_S), environment)
        received = list(server.requests)
    return {"asks": kills, "received": len(received)} | audit(path, received)


def _killed(number: int, after_s: float, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [PROGRAM, "ask", f"prompt number {number}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    process.kill()
    process.wait()


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
