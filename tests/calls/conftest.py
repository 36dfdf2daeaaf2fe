"""A fault server and a registry of endpoints at it, with the scorer loaded once for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.registry.calls import retry
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.scorer.model import Scorer
from tests.calls.serving import Serving
from tests.faults.registry import registry_yaml
from tests.faults.server import FaultServer


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    return Scorer.load()


@pytest.fixture(autouse=True)
def scorer_loaded_once(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every command its load; each still asks for the scorer as it always does."""
    monkeypatch.setattr(Scorer, "load", staticmethod(lambda **_: scorer))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare commands that are called in this process the waits between their tries."""
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry file without a model; filling a copy is quicker than a file of its own."""
    path = tmp_path_factory.mktemp("empty") / "registry.db"
    with FaultServer() as server, open_registry(path) as db:
        apply_document(db, registry_yaml(server, ()), "registry.yaml", prune=True)
    return path


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as one:
        yield one


@pytest.fixture
def serving(server: FaultServer, own_home: Path, empty_registry: Path) -> Serving:  # noqa: ARG001
    """Return the test's own registry, which holds no endpoint yet."""
    shutil.copy(empty_registry, os.environ["ROLECALL_REGISTRY"])
    return Serving(server)
