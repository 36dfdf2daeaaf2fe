"""Whole processes side by side: `rolecall route` against its floor and against importing torch."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rolecall.registry.scorer.card import PRETRAINED

PROMPT = (
    "We have a Postgres table with 40 million rows and a query that joins it to itself on a "
    "timestamp range. It used to take two seconds and now takes ninety. What should I check first?"
)
HERE = Path(__file__).parent
TAB = "Tab after `roles show`"


def commands() -> dict[str, list[str]]:
    """Return what is timed, by name; `floor` and `route` read the same prompt."""
    folder = str(PRETRAINED)
    rolecall = str(Path(sys.executable).with_name("rolecall"))
    return {
        "floor": [sys.executable, str(HERE / "floor.py"), folder, PROMPT],
        "rolecall route": [rolecall, "route", PROMPT],
        "rolecall --help": [rolecall, "--help"],
        TAB: [rolecall],
        "import typer": [sys.executable, "-c", "import typer.main"],
        "import torch": [sys.executable, "-c", "import torch"],
        "import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"],
    }


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Run one process to its end and return its wall time."""
    started = time.perf_counter()
    subprocess.run(
        command,
        env=environment,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def measure(rounds: int) -> dict[str, list[float]]:
    """Return each command's wall times over interleaved rounds, after one warm-up each."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "ROLECALL_REGISTRY": f"{folder}/registry.db",
            "HF_HUB_OFFLINE": "1",
        }
        # The warm-up compiles what an installer has compiled.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        timed = commands()
        times: dict[str, list[float]] = {name: [] for name in timed}
        for command in timed.values():
            seconds(command, environment)
        for round_ in range(rounds):
            for name, command in timed.items():
                line = {"_ROLECALL_COMPLETE": "rolecall roles show "} if name == TAB else {}
                if round_ < 3 or not name.startswith("import"):
                    times[name].append(seconds(command, environment | line))
        return times


def report(rounds: int = 15) -> None:
    """Print the table: medians, and ratios taken round by round against the floor."""
    times = measure(rounds)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"whole process, wall seconds, {rounds} interleaved rounds (imports: 3)")
    print(
        f"{'':<30} {'min':>7} {'median':>7} {'max':>7}   / floor   / import sentence_transformers"
    )
    for name, values in times.items():
        ratios = [one / floor for one, floor in zip(values, times["floor"], strict=False)]
        against = median[name] / median["import sentence_transformers"]
        print(
            f"{name:<30} {min(values):7.3f} {median[name]:7.3f} {max(values):7.3f}"
            f"   {statistics.median(ratios):7.2f}   {against:7.3f}"
        )


if __name__ == "__main__":
    report()
