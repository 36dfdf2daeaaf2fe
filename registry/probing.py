"""Rounds of probes: one, or one after another."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from rolecall.registry.core.chat import Timeouts
from rolecall.registry.opening import open_registry
from rolecall.registry.paths import registry_path
from rolecall.registry.probe import Probed, Prober
from rolecall.registry.transport.client import Client


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of probes is: where, whom, from where, and for how much at worst."""

    registry: Path | None
    globs: tuple[str, ...] = ()
    region: str | None = None
    max_cost_usd: float = 0.10
    timeouts: Timeouts = field(default_factory=Timeouts)


def probed(wanted: Round) -> Generator[Probed]:
    """Yield each endpoint's probe as it ends; raises as `Prober.probe` does."""
    environment = dict(os.environ)
    with Client(timeouts=wanted.timeouts) as client, open_registry(wanted.registry) as db:
        prober = Prober(db, client, environment)
        yield from prober.probe(
            wanted.globs, region=wanted.region, max_cost_usd=wanted.max_cost_usd
        )


def probe_command(wanted: Round) -> list[str]:
    """Return the command line of one round, with full paths, as a timer needs it."""
    program = shutil.which("rolecall") or sys.argv[0]
    command = [program, "probe", *wanted.globs, "--max-cost", f"{wanted.max_cost_usd:g}"]
    if wanted.region is not None:
        command += ["--region", wanted.region]
    return [*command, "--registry", str(registry_path(wanted.registry).absolute())]
