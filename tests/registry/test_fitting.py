"""A model's rows are fitted, kept, asked for more, and forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rolecall.registry.errors import (
    InvalidDocument,
    ScorerUnusable,
    UnknownRecord,
    UsageError,
)
from rolecall.registry.evidence import FittedModel
from rolecall.registry.fitted import with_fitted
from rolecall.registry.fitting import (
    Answers,
    Fitted,
    NotJudged,
    fit_judged,
    forget_fitted,
    suggest_prompts,
)
from rolecall.registry.opening import open_registry
from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.fitted import read_fitted, write_fitted
from tests.scorer.tiny import tiny_scorer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny scorer be the shipped one."""
    monkeypatch.setattr(Scorer, "load", lambda _folder=None: tiny_scorer())


def silent(_done: int, _total: int) -> None:
    pass


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def rows(count: int, sums: float = 0.9, poems: float = 0.2, **more: Any) -> list[dict[str, Any]]:
    dice = np.random.default_rng(4)
    return [
        {
            "id": str(number),
            "prompt": f"{('sums', 'poems')[number % 2]}: {number}",
            "task": ("sums", "poems")[number % 2],
            "scores": {
                "stranger": float(dice.random() < (poems if number % 2 else sums)),
                "other": 1.0,
            },
            **more,
        }
        for number in range(count)
    ]


def answers(path: Path, count: int = 40, **more: Any) -> Answers:
    return Answers((write(path / "judged.jsonl", rows(count, **more)),))


def stored() -> tuple[FittedModel, ...]:
    with open_registry(None) as db:
        return read_fitted(db, "tiny-1")


def test_a_fit_is_kept_with_what_it_came_from(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    given = answers(tmp_path)

    def report(done: int, total: int) -> None:
        told.append((done, total))

    done = fit_judged(None, "house/Stranger", given, report, now=lambda: NOON)
    assert isinstance(done, Fitted)
    assert told == [(number, 40) for number in range(1, 41)]
    assert stored() == (done.fitted,)
    kept = done.fitted
    assert (kept.model, kept.rows, kept.tasks) == ("stranger", 40, (("sums", 20), ("poems", 20)))
    assert (kept.fitted_at, kept.source) == (
        "2026-11-22T12:00:00.000+00:00",
        str(given.files[0]),
    )
    assert kept.tokens is None
    assert (done.known_by, done.is_stored, done.left_out) == ("facts", True, None)


def test_a_scorer_with_the_fits_predicts_by_them(tmp_path: Path) -> None:
    def basis() -> str:
        with open_registry(None) as db:
            scorer = with_fitted(db, Scorer.load())
        asked = [ModelFacts("x/Stranger"), ModelFacts("trained-3"), ModelFacts("nobody")]
        return " ".join(one.basis for one in scorer.predict(scorer.read("sums: new"), asked))

    assert basis() == "facts latent facts"
    fit_judged(None, "stranger", answers(tmp_path), silent)
    assert basis() == "fitted latent facts"
    forget_fitted(None, "stranger")
    assert basis() == "facts latent facts"


def test_a_variant_is_fitted_by_its_own_rows_and_its_model_is_not(tmp_path: Path) -> None:
    def basis() -> list[str]:
        with open_registry(None) as db:
            scorer = with_fitted(db, Scorer.load())
        plain = ModelFacts("stranger")
        asked = [plain, plain.with_effort("high"), plain.with_effort("low")]
        return [one.basis for one in scorer.predict(scorer.read("sums: new"), asked)]

    given = replace(answers(tmp_path), called="stranger")
    fit_judged(None, "stranger-high", given, silent)
    assert basis() == ["facts", "fitted", "facts"]
    forget_fitted(None, "stranger-high")
    assert basis() == ["facts"] * 3


def test_a_rehearsal_keeps_nothing(tmp_path: Path) -> None:
    done = fit_judged(None, "stranger", answers(tmp_path), silent, dry_run=True)
    assert isinstance(done, Fitted)
    assert not done.is_stored
    assert stored() == ()


def test_a_later_fit_replaces_the_earlier(tmp_path: Path) -> None:
    for count in (40, 10):
        fit_judged(None, "stranger", answers(tmp_path, count), silent)
    assert [one.rows for one in stored()] == [10]


def test_a_model_without_rows_stays_as_it_is_known(tmp_path: Path) -> None:
    given = answers(tmp_path)
    fit_judged(None, "stranger", given, silent)
    assert fit_judged(None, "nobody", given, silent) == NotJudged(
        "facts", ("other", "stranger"), None
    )
    assert fit_judged(None, "trained-3", given, silent) == NotJudged(
        "latent", ("other", "stranger"), None
    )
    assert [one.model for one in stored()] == ["stranger"]


def test_rows_that_ask_a_model_without_judging_it_are_none(tmp_path: Path) -> None:
    given = Answers((write(tmp_path / "a.jsonl", [{"prompt": "p", "scores": {"other": 1}}]),))
    assert isinstance(fit_judged(None, "stranger", given, silent), NotJudged)


def test_the_rows_may_call_the_model_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows(10))
    done = fit_judged(None, "new-9b", Answers((path,), called="stranger"), silent)
    assert isinstance(done, Fitted)
    assert done.fitted.model == "new-9b"
    with pytest.raises(UnknownRecord, match='no answer of "strangr" was judged'):
        fit_judged(None, "new-9b", Answers((path,), called="strangr"), silent)


def test_two_names_that_may_be_the_model_are_asked_about(tmp_path: Path) -> None:
    both = [{"prompt": "p", "scores": {"a/stranger": 1, "b/Stranger": 0, "STRANGER": 0.5}}]
    given = Answers((write(tmp_path / "a.jsonl", both),))
    with pytest.raises(UsageError, match="stranger may be STRANGER or a/stranger or b/S") as caught:
        fit_judged(None, "stranger", given, silent)
    assert caught.value.hint == "--as NAME"
    assert isinstance(fit_judged(None, "b/Stranger", given, silent), Fitted)


def test_bad_lines_are_named_or_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [*rows(10), {"prompt": "p", "scores": {"stranger": 2}}])
    with pytest.raises(InvalidDocument, match=r"a\.jsonl:11: scores: stranger"):
        fit_judged(None, "stranger", Answers((path,)), silent)
    done = fit_judged(None, "stranger", Answers((path,), skip_bad=True), silent)
    assert isinstance(done, Fitted)
    assert done.fitted.rows == 10
    assert done.left_out is not None
    assert "a.jsonl:11" in done.left_out


def test_a_fit_is_forgotten_by_any_of_the_models_names(tmp_path: Path) -> None:
    fit_judged(None, "house/stranger", answers(tmp_path), silent)
    forget_fitted(None, "Stranger")
    assert stored() == ()
    with pytest.raises(UnknownRecord, match='"Stranger" is not fitted'):
        forget_fitted(None, "Stranger")


def pool(path: Path, *prompts: str) -> Path:
    lines: list[dict[str, Any]] = [{"id": f"p{n}", "prompt": one} for n, one in enumerate(prompts)]
    return write(path / "pool.jsonl", lines)


def test_the_suggested_prompts_are_of_the_kind_that_is_not_known(tmp_path: Path) -> None:
    sums_known = [row for row in rows(160) if row["task"] == "sums"]
    given = Answers((write(tmp_path / "a.jsonl", sums_known),))
    mixed = pool(tmp_path, *(f"{('sums', 'poems')[n % 2]}: new {n}" for n in range(40)))
    first = suggest_prompts(None, "stranger", mixed, given, silent, count=3).prompts
    assert sum(one.prompt.startswith("poems") for one in first) >= 2
    assert [one.id for one in first] == [f"p{one.prompt.split()[-1]}" for one in first]


def test_prompts_judged_already_or_twice_in_the_pool_are_not_offered(tmp_path: Path) -> None:
    given = answers(tmp_path, 4)
    twice = pool(tmp_path, "sums: 0", "poems: 1", "sums: new", "sums: new", "poems: new")
    found = suggest_prompts(None, "stranger", twice, given, silent, count=9)
    assert sorted(one.id for one in found.prompts) == ["p2", "p4"]
    # Without rows all are free, and scores in a pool are no rows.
    scored = write(tmp_path / "scored.jsonl", rows(6))
    found = suggest_prompts(None, "stranger", scored, Answers(()), silent, count=9)
    assert len(found.prompts) == 6


def test_a_stored_fit_counts_as_known_where_no_rows_are_given(tmp_path: Path) -> None:
    mixed = pool(tmp_path, *(f"{('sums', 'poems')[n % 2]}: new {n}" for n in range(40)))
    before = suggest_prompts(None, "stranger", mixed, Answers(()), silent, count=10)
    poems_known = [row for row in rows(300) if row["task"] == "poems"]
    given = Answers((write(tmp_path / "a.jsonl", poems_known),))
    fit_judged(None, "stranger", given, silent)
    after = suggest_prompts(None, "stranger", mixed, Answers(()), silent, count=10)
    assert after.prompts != before.prompts
    with_rows = suggest_prompts(None, "stranger", mixed, given, silent, count=3)
    assert with_rows.prompts[0].prompt.startswith("sums")
    assert after.prompts[0].prompt.startswith("sums")


def test_a_damaged_fit_is_told_and_can_be_forgotten(tmp_path: Path) -> None:
    done = fit_judged(None, "stranger", answers(tmp_path), silent)
    assert isinstance(done, Fitted)
    with open_registry(None) as db:
        write_fitted(db, replace(done.fitted, mean=b"not numbers"))
    with pytest.raises(ScorerUnusable, match="stranger is damaged") as caught:
        fit_judged(None, "stranger", answers(tmp_path), silent)
    assert caught.value.hint == "rolecall scorer fit stranger --forget"
    forget_fitted(None, "stranger")
    assert isinstance(fit_judged(None, "stranger", answers(tmp_path), silent), Fitted)
