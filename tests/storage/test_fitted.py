"""Fitted models are kept for the version of the scorer that they were fitted for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rolecall.registry.evidence import FittedModel
from rolecall.registry.storage.database import open_database
from rolecall.registry.storage.fitted import read_fitted, remove_fitted, write_fitted
from rolecall.registry.storage.pool import read_revision

FITTED = FittedModel(
    scorer_version="v1",
    model="new-9b",
    mean=b"\x00\x01",
    covariance=b"\x02",
    tokens=b"\x03\x04",
    rows=7,
    tasks=(("math", 4), ("café", 3)),
    fitted_at="2026-11-22T10:00:00.000+00:00",
    source="a.jsonl, b.jsonl",
)


def test_a_fitted_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    without_lengths = replace(FITTED, model="another", tokens=None, tasks=())
    with open_database(tmp_path / "registry.db") as db:
        write_fitted(db, FITTED)
        write_fitted(db, without_lengths)
        assert read_fitted(db, "v1") == (without_lengths, FITTED)
        assert read_fitted(db, "v2") == ()


def test_a_later_fit_replaces_the_one_of_the_same_scorer_only(tmp_path: Path) -> None:
    later, other = replace(FITTED, rows=9), replace(FITTED, scorer_version="v2")
    with open_database(tmp_path / "registry.db") as db:
        for one in (FITTED, other, later):
            write_fitted(db, one)
        assert read_fitted(db, "v1") == (later,)
        assert read_fitted(db, "v2") == (other,)


def test_a_model_is_forgotten_for_every_scorer(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        kept = replace(FITTED, model="kept")
        for one in (FITTED, replace(FITTED, scorer_version="v2"), kept):
            write_fitted(db, one)
        assert remove_fitted(db, "new-9b") == 2
        assert remove_fitted(db, "new-9b") == 0
        assert (read_fitted(db, "v1"), read_fitted(db, "v2")) == ((kept,), ())


def test_what_changes_predictions_changes_the_revision(tmp_path: Path) -> None:
    with open_database(tmp_path / "registry.db") as db:
        revisions = [read_revision(db)]
        write_fitted(db, FITTED)
        revisions.append(read_revision(db))
        remove_fitted(db, "nobody")
        revisions.append(read_revision(db))
        remove_fitted(db, "new-9b")
        revisions.append(read_revision(db))
    assert revisions == [0, 1, 1, 2]
