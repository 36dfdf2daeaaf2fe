"""The shipped scorer, and a seeded registry whose examples are encoded already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.task_detection import ExampleIndex
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import read_registry


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    """Return the shipped scorer."""
    return Scorer.load()


@pytest.fixture(scope="session")
def seeded(scorer: Scorer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry file that nothing was changed in."""
    path = tmp_path_factory.mktemp("seeded") / "registry.db"
    with open_registry(path) as db:
        ExampleIndex(db, scorer, read_registry(db))
    return path


@pytest.fixture
def db(seeded: Path, tmp_path: Path) -> Iterator[Database]:
    """Return a registry of the test's own, open."""
    path = tmp_path / "registry.db"
    copyfile(seeded, path)
    with open_registry(path) as opened:
        yield opened


@pytest.fixture
def index(db: Database, scorer: Scorer) -> ExampleIndex:
    """Return the index of the seeded examples."""
    return ExampleIndex(db, scorer, read_registry(db))
