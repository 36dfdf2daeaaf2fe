"""Vectors of example utterances are stored once per encoder."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import read_revision
from rolecall.registry.storage.vectors import read_vectors, write_vectors


def test_vectors_are_found_by_text_and_encoder(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        write_vectors(db, "v1", {"a": b"\x00\x01", "b": b"\x02"})
        assert read_vectors(db, "v1", ["b", "a", "missing"]) == {"a": b"\x00\x01", "b": b"\x02"}
        assert read_vectors(db, "v2", ["a"]) == {}
        assert read_vectors(db, "v1", []) == {}


def test_a_new_encoder_replaces_the_vectors_of_the_old(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        write_vectors(db, "v1", {"a": b"old"})
        write_vectors(db, "v2", {"a": b"new"})
        assert read_vectors(db, "v1", ["a"]) == {}
        assert read_vectors(db, "v2", ["a"]) == {"a": b"new"}


def test_writing_a_vector_twice_is_no_error_and_no_change_of_content(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        write_vectors(db, "v1", {"a": b"first"})
        write_vectors(db, "v1", {"a": b"first", "b": b"second"})
        assert read_vectors(db, "v1", ["a", "b"]) == {"a": b"first", "b": b"second"}
        assert read_revision(db) == 0


def test_more_texts_than_sqlite_takes_variables_are_found(tmp_path: Path) -> None:
    many = {f"{number:064x}": number.to_bytes(4, "big") for number in range(40_000)}
    with open_database(tmp_path / "registry.db") as db:
        write_vectors(db, "v1", many)
        assert read_vectors(db, "v1", list(many)) == many
