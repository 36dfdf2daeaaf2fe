"""One process may have the registry open twice; neither opening disturbs the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Model
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_registry, write_record

# Closing the last connection deletes the write-ahead log: nobody else's may be mistaken for it.
VISIT = """
import sqlite3, sys
visitor = sqlite3.connect(sys.argv[1])
visitor.execute("SELECT count(*) FROM models").fetchall()
visitor.close()
"""


def visit(path: Path) -> None:
    """Open and close the registry from another process."""
    subprocess.run([sys.executable, "-c", VISIT, str(path)], check=True)


def test_opening_it_again_leaves_the_first_connection_its_log(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with open_database(path) as first:
        write_record(first, Model("before"))
        open_database(path).close()
        visit(path)
        assert path.with_name("registry.db-wal").exists()
        write_record(first, Model("after"))
        with open_database(path) as second:
            assert [model.id for model in read_registry(second).models] == ["after", "before"]


@pytest.mark.parametrize("name", ["a b.db", "50% #1?.db", "ünï.db"])
def test_any_file_name_can_be_opened_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / "folder" / name
    for model in ("one", "two"):
        with open_database(path) as db:
            write_record(db, Model(model))
    with open_database(path) as db:
        assert len(read_registry(db).models) == 2
    assert sorted(one.name for one in path.parent.iterdir()) == [name]
