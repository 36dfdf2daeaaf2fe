"""Judged rows are kept, fitted, compared, promoted, switched off, exported and forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.errors import UnknownRecord, UsageError
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.core.reporting import Tell, say_nothing
from rolecall.registry.editing.apply import apply_text
from rolecall.registry.editing.edit import export_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.learning.fit import (
    FitRequest,
    FitResult,
    SuggestedPrompts,
    fit_judged,
    forget_model,
    suggest_prompts,
)
from rolecall.registry.learning.fits import cross_fitted
from rolecall.registry.learning.loading import read_known
from rolecall.registry.learning.rows import counts
from rolecall.registry.learning.train import TrainRequest, TrainResult, train
from rolecall.registry.learning.versions import FitsInUse, fits_in_use, use_version
from rolecall.registry.scorer.artifact import write_seen
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.judged_rows import read_judged_rows
from tests.scorer.judged_files import write
from tests.scorer.tiny import tiny_rows as rows
from tests.scorer.tiny import tiny_scorer

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let the tiny scorer be the shipped one; return its folder, which says what it has seen."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(Scorer, "load", lambda _folder=None, **_: tiny_scorer())
    monkeypatch.setattr("rolecall.registry.scorer.artifact.PRETRAINED", folder)
    return folder


def silent(_done: int, _total: int) -> None:
    pass


def fit(path: Path, given: list[dict[str, Any]], model: str = "stranger", **more: Any) -> FitResult:
    return fit_files(model, FitRequest((write(path / "a.jsonl", *given),), **more))


def fit_files(model: str, request: FitRequest) -> FitResult:
    with open_registry(None) as db:
        return fit_judged(db, model, request, silent, now=lambda: NOON)


def forget(model: str) -> None:
    with open_registry(None) as db:
        forget_model(db, model)


def suggest(pool: Path, given: FitRequest, count: int) -> SuggestedPrompts:
    with open_registry(None) as db:
        return suggest_prompts(db, "stranger", pool, given, silent, count=count)


def use(name: str) -> str:
    with open_registry(None) as db:
        return use_version(db, name)


def in_use() -> FitsInUse:
    with open_registry(None) as db:
        return fits_in_use(db)


def loaded(path: Path | None = None, tell: Tell = say_nothing) -> Scorer:
    with open_registry(path) as db:
        return read_known(db, tell).scorer


def trained(path: Path, given: list[dict[str, Any]], **more: Any) -> TrainResult:
    request = TrainRequest(files=(write(path / "a.jsonl", *given),), **more)
    with open_registry(None) as db:
        return train(db, request, silent)


def stored(*, active: bool = True) -> tuple[JudgedRow, ...]:
    with open_registry(None) as db:
        return read_judged_rows(db, active=active)


def predicted(prompt: str = "sums: new", model: str = "stranger") -> tuple[float, str]:
    scorer = loaded()
    [one] = scorer.predict(scorer.read(prompt), [ModelFacts(model)])
    return one.success, one.basis


def test_rows_are_kept_with_what_they_came_from_and_decide_predictions(tmp_path: Path) -> None:
    assert predicted()[1] == "facts"
    done = fit(tmp_path, rows(40), "house/Stranger")
    assert (done.rows, done.before, done.tasks) == (40, 0, {"sums": 20, "poems": 20})
    assert {(row.added_at, row.source) for row in stored()} == {
        ("2026-11-30T12:00:00+00:00", str(tmp_path / "a.jsonl"))
    }
    assert [one.model for one in stored()[0].answers] == ["stranger"]
    assert predicted("sums: new", "x/STRANGER")[1] == "fitted"
    assert predicted("sums: new", "stranger-high")[1] == "facts"
    assert predicted()[0] > 0.75
    assert predicted("poems: new")[0] < 0.4


def test_before_is_what_routing_used_and_fits_are_judged_on_rows_held_back(tmp_path: Path) -> None:
    first = fit(tmp_path, rows(60)).comparison
    assert first is not None
    assert (first.groups, first.scores) == (60, 60)
    assert first.fitted.brier < first.in_use.brier
    more = fit(tmp_path, rows(60, 100))
    assert more.known_by == "fitted"
    assert more.comparison is not None
    assert more.comparison.groups == 60  # the earlier rows were learned from
    assert more.comparison.in_use.brier < 0.6 * first.in_use.brier
    again = fit(tmp_path, rows(60, 100))
    assert (again.comparison, again.rows) == (None, 120)
    use("pretrained")  # which learned from none of them
    unused = fit(tmp_path, rows(60, 100)).comparison
    assert unused is not None
    assert unused.groups == 120


def test_new_rows_add_to_the_old_and_the_newer_answer_wins(tmp_path: Path) -> None:
    fit(tmp_path, rows(300))
    few = fit(tmp_path, rows(5, 1000))
    assert (few.given, few.before, few.rows) == (5, 300, 305)
    fit(tmp_path, [{"prompt": "sums: 0", "scores": {"stranger": 0.25}}])
    [row] = [row for row in stored() if row.prompt == "sums: 0"]
    assert [one.score for one in row.answers] == [0.25]
    replaced = fit(tmp_path, rows(5, 1000), replace=True)
    assert (replaced.before, replaced.rows, len(stored())) == (305, 5, 5)


def test_a_prompt_judged_twice_is_two_samples(tmp_path: Path) -> None:
    twice = [{"prompt": "sums: 0", "scores": {"stranger": score}} for score in (1.0, 0.0, 0.5)]
    fit(tmp_path, twice)
    [row] = stored()
    assert [(one.score, one.samples) for one in row.answers] == [(0.5, 3)]


def test_other_models_rows_stay_when_one_is_replaced_or_forgotten(tmp_path: Path) -> None:
    fit(tmp_path, rows(20))
    fit(tmp_path, rows(20), "other")
    fit(tmp_path, rows(2), replace=True)
    assert in_use().models == {"other": 20, "stranger": 2}
    forget("x/Stranger")
    assert in_use().models == {"other": 20}
    with pytest.raises(UnknownRecord, match='no judged row of "stranger"'):
        forget("stranger")


def test_rows_that_another_process_adds_meanwhile_stay(tmp_path: Path) -> None:
    others = FitRequest((write(tmp_path / "others.jsonl", *rows(4)),), called="stranger")

    def add_others(_done: int, _total: int) -> None:
        fit_files("newcomer", others)

    with open_registry(None) as db:
        files = (write(tmp_path / "a.jsonl", *rows(6)),)
        fit_judged(db, "stranger", FitRequest(files), add_others, now=lambda: NOON)
    assert counts(stored()) == {"newcomer": 4, "stranger": 6}
    forget("newcomer")
    with open_registry(None) as db:
        files = (write(tmp_path / "b.jsonl", *rows(8)),)
        train(db, TrainRequest(files=files, force=True), add_others)
    assert counts(stored())["newcomer"] == 4


def test_two_names_that_may_be_the_model_are_asked_about(tmp_path: Path) -> None:
    both = [{"prompt": "p", "scores": {"a/stranger": 1, "b/Stranger": 0}}]
    given = FitRequest((write(tmp_path / "a.jsonl", *both),))
    with pytest.raises(UsageError, match="stranger may be a/stranger or b/Stranger"):
        fit_files("stranger", given)
    named = replace(given, called="b/Stranger")
    assert fit_files("stranger", named).rows == 1


def test_another_version_of_the_scorer_fits_the_rows_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(tmp_path, rows(40))
    newer = tiny_scorer(2)
    newer.head = replace(newer.head, version="tiny-2")
    monkeypatch.setattr(Scorer, "load", lambda _folder=None, **_: newer)
    monkeypatch.setattr("rolecall.registry.learning.fits._LONG_S", 0.0)
    told: list[str] = []
    assert loaded(None, told.append).fits is not None
    assert len(told) == 1
    assert told[0].startswith("fitted 1 models to 40 judged rows in ")
    assert predicted()[1] == "fitted"
    told.clear()
    loaded(None, told.append)
    assert told == []


def test_too_few_groups_wait_for_more(tmp_path: Path) -> None:
    first = trained(tmp_path, rows(20))
    assert (first.promoted, first.in_use) == (False, "pretrained")
    assert "20 groups that pretrained has not learned from are too few" in first.verdict
    assert (len(stored()), len(stored(active=False))) == (0, 20)
    assert predicted()[1] == "facts"
    second = trained(tmp_path, rows(20, 20))
    assert (second.promoted, second.given, second.prompts) == (True, 20, 40)
    assert (len(stored()), len(stored(active=False))) == (40, 0)


def test_many_rows_of_few_groups_are_too_few(tmp_path: Path) -> None:
    given = rows(80)
    for number, row in enumerate(given):
        row["group"] = f"g{number % 29}"
    assert not trained(tmp_path, given).promoted


def test_what_was_learned_from_is_not_held_back_again(tmp_path: Path, shipped: Path) -> None:
    trained(tmp_path, rows(60))
    again = trained(tmp_path, rows(60))
    assert (again.promoted, again.comparison, again.in_use) == (False, None, "own")
    use("pretrained")
    write_seen(shipped, [int(row.id, 16) for row in stored()[:40]])
    seen = trained(tmp_path, rows(60))
    assert seen.comparison is not None
    assert seen.comparison.groups == 20


def test_fits_that_are_not_better_wait_unless_forced(tmp_path: Path) -> None:
    coins = [
        {"prompt": f"other {n}", "scores": {"trained-5": n % 2, "trained-6": (n // 2) % 2}}
        for n in range(60)
    ]
    done = trained(tmp_path, coins)
    assert not done.promoted
    assert done.verdict.startswith("kept pretrained: not better than pretrained beyond chance")
    forced = trained(tmp_path, coins, force=True)
    assert (forced.promoted, forced.in_use) == (True, "own")
    assert forced.verdict.startswith("promoted by --force: not better")
    assert stored(active=False) == ()


def test_rows_are_exported_and_imported_with_the_registry(tmp_path: Path) -> None:
    fit(tmp_path, rows(20, output_tokens={"stranger": 70}))
    before, kept = predicted(), stored()
    with open_registry(None) as db:
        text = export_document(db)
    other = tmp_path / "other.db"
    changes = apply_text(other, text, "registry.yaml")
    assert sum(one.collection == "judged_rows" for one in changes) == 20
    with open_registry(other) as db:
        assert read_judged_rows(db) == kept
        assert export_document(db) == text
    scorer = loaded(other)
    [one] = scorer.predict(scorer.read("sums: new"), [ModelFacts("stranger")])
    assert (one.success, one.basis) == before
    assert apply_text(other, text, "registry.yaml") == ()


def test_a_row_seen_by_fits_is_predicted_by_fits_that_have_not_seen_it(tmp_path: Path) -> None:
    fit(tmp_path, rows(60))
    whole = loaded()
    with open_registry(None) as db:
        scorers = cross_fitted(db, whole)
    assert scorers.has_seen("sums: 0")
    assert not scorers.has_seen("sums: 777")
    assert scorers.without("sums: 777") is whole
    used = {id(scorers.without(row.prompt)) for row in stored()}
    assert len(used) == 5
    assert id(whole) not in used
    use("pretrained")
    with open_registry(None) as db:
        assert not cross_fitted(db, loaded()).has_seen("sums: 0")


def test_the_suggested_prompts_are_of_the_kind_that_is_not_known(tmp_path: Path) -> None:
    sums_known = [row for row in rows(160) if row["task"] == "sums"]
    given = FitRequest((write(tmp_path / "a.jsonl", *sums_known),))
    mixed = [{"prompt": f"{('sums', 'poems')[n % 2]}: new {n}"} for n in range(20)]
    pool = write(tmp_path / "pool.jsonl", *mixed, {"prompt": "sums: 0"})
    found = suggest(pool, given, 3)
    assert sum(one.prompt.startswith("poems") for one in found.prompts) >= 2
    assert stored() == ()
    fit(tmp_path, sums_known)
    kept = suggest(pool, FitRequest(()), 30)
    assert kept.prompts[:3] == found.prompts
    assert len(kept.prompts) == 20  # what was judged is not offered
