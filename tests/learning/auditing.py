"""Hold what a registry recorded against what a server received, and statistics against rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.check import check_registry
from rolecall.registry.storage.calls import CallFilter, stream_calls
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.outcomes import outcomes_for
from rolecall.registry.storage.spending import spent
from rolecall.registry.storage.statistics import (
    all_outcome_statistics,
    read_samples,
    read_statistics,
)
from rolecall.registry.telemetry.statistics import after_outcome
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer, Received
from tests.telemetry.calls import replayed

PROGRAM = str(Path(sys.executable).with_name("rolecall"))
_NUMBER = re.compile(r"prompt number (\d+)")
_NOT_IN_ROWS = ("trial_until",)  # a claim, made by a command that may have been killed since


def serving(
    folder: Path, server: FaultServer, served: Sequence[Served]
) -> tuple[Path, dict[str, str]]:
    """Make a registry of what is served; return its file, and the environment that names it."""
    path, document = folder / "registry.db", folder / "registry.yaml"
    document.write_text(registry_yaml(server, served))
    environment = os.environ | {"ROLECALL_REGISTRY": str(path)}
    apply = [PROGRAM, "registry", "apply", str(document)]
    subprocess.run(apply, env=environment, stdout=subprocess.DEVNULL, check=True)
    return path, environment


def audit(path: Path, received: Iterable[Received]) -> dict[str, int]:
    """Return counts of what was found; raises AssertionError for whatever does not add up."""
    with open_database(path) as db:
        calls = list(stream_calls(db, CallFilter()))
        _sent_are_recorded(db, calls, list(received))
        _statistics_are_those_of_the_rows(db, calls)
        _outcomes_are_those_of_the_rows(db)
        _spending_is_that_of_the_rows(db, calls)
        assert check_registry(db) == ()
    return {
        "calls": len(calls),
        "unfinished": sum(call.finished_at is None for call in calls),
        "failed": sum(call.error_type is not None for call in calls),
    }


def _sent_are_recorded(db: Database, calls: list[Call], received: list[Received]) -> None:
    assert len({call.id for call in calls}) == len(calls), "a call is there twice"
    prompts: dict[str | None, str] = dict(db.rows("SELECT id, prompt FROM decisions"))
    recorded = Counter(_number(prompts[call.decision_id]) for call in calls)
    sent = Counter(_number(json.dumps(one.body)) for one in received)
    unrecorded = sent - recorded
    assert not unrecorded, f"sent and not recorded: {unrecorded}"
    for call in calls:
        if call.finished_at is not None and call.error_type is None:
            number = _number(prompts[call.decision_id])
            assert sent[number] > 0, f"recorded as answered and never sent: {number}"


def _number(text: str) -> str:
    return str(_NUMBER.findall(text)[-1])


def _statistics_are_those_of_the_rows(db: Database, calls: list[Call]) -> None:
    stored = read_statistics(db)
    finished = [call for call in calls if call.finished_at is not None]
    assert stored.keys() == {call.endpoint for call in finished}
    for name, statistics in stored.items():
        rows = [call for call in finished if call.endpoint == name]
        rows.sort(key=lambda call: call.finished_at or "")
        again, samples = replayed(rows)
        assert again is not None
        for field in fields(statistics):
            if field.name not in _NOT_IN_ROWS:
                found, expected = getattr(statistics, field.name), getattr(again, field.name)
                assert found == expected, f"{name}.{field.name}: {found}, by the rows {expected}"
        assert read_samples(db, name) == samples


def _outcomes_are_those_of_the_rows(db: Database) -> None:
    for (endpoint, task), stored in all_outcome_statistics(db).items():
        again = None
        for outcome in outcomes_for(db, endpoint, task):
            again = after_outcome(again, outcome)
        assert again is not None
        assert (stored.outcomes, stored.weight) == (again.outcomes, again.weight)
        assert stored.residual == pytest.approx(again.residual)


def _spending_is_that_of_the_rows(db: Database, calls: list[Call]) -> None:
    known = (call.reserved_usd if call.cost_usd is None else call.cost_usd for call in calls)
    total = sum(usd or 0.0 for usd in known)
    assert spent(db, "all", "2000-01-01") == pytest.approx(total, abs=1e-9)
