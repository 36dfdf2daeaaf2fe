"""Prompts of our own count as judged by the public scores of their benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import numpy as np
import pytest
import yaml

from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.public_scores import benchmarks, read_scores
from rolecall.registry.scorer.training.public_prompts import kinds, with_public_prompts

MODELS = tuple(sorted({one.model for one in read_scores()}))
FILE = resources.files("rolecall.registry.scorer.training") / "public_prompts.yaml"
CONTENT = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PLAIN = [name for name, one in CONTENT.items() if not one.get("top") and "assumed" not in one]
TOP = [name for name, one in CONTENT.items() if one.get("top")]
ASSUMED = [name for name, one in CONTENT.items() if "assumed" in one]


def rows(*models: str) -> Judged:
    """Return one judged prompt, which all of these models answered well."""
    full = np.ones((1, len(models)), dtype=np.float32)
    names = (("prompt",), ("set",), ("task",), ("group",))
    return Judged(("0",), *names, np.array([3]), models, full, full, full)


@pytest.fixture(scope="module")
def judged() -> Judged:
    return with_public_prompts(rows(*MODELS, "nobody-measured-1"), fold=2)


@pytest.fixture(scope="module")
def table() -> Mapping[str, Floats]:
    """Return every model's score on each benchmark, nan where none is told."""
    found = {name: np.full(len(MODELS) + 1, np.nan, dtype=np.float32) for name in benchmarks()}
    for one in read_scores():
        found[one.benchmark][MODELS.index(one.model)] = one.score
    return found


def labels(judged: Judged, name: str) -> Floats:
    """Return the scores (N, M) of a benchmark's prompts."""
    return judged.scores[[task == name for task in judged.tasks]]


def test_every_kind_of_prompt_is_of_a_benchmark_of_the_table_or_says_what_it_assumes() -> None:
    assert len(CONTENT) > 30
    for name, one in CONTENT.items():
        assert (name in benchmarks()) != ("assumed" in one), name
        assert len(one["prompts"]) == len(set(one["prompts"])) > 4, name
    assert kinds()[f"{PUBLIC}/humaneval"] == benchmarks()["humaneval"].kind
    assert {kinds()[f"{PUBLIC}/{name}"] for name in ASSUMED} <= {
        "writing",
        "languages",
        "math",
        "code",
    }


def test_a_prompt_counts_with_every_models_own_score(
    judged: Judged, table: Mapping[str, Floats]
) -> None:
    for name in PLAIN:
        found = labels(judged, name)
        assert len(found) == len(CONTENT[name]["prompts"])
        np.testing.assert_array_equal(found, np.tile(table[name], (len(found), 1)))


def test_where_scores_are_no_shares_of_right_answers_the_best_count_as_nearly_all(
    judged: Judged, table: Mapping[str, Floats]
) -> None:
    found, told = labels(judged, TOP[0])[0], table[TOP[0]]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(told))
    known = np.isfinite(told)
    assert found[known].max() == pytest.approx(0.97)
    below = known & (found < 0.97 - 1e-6)
    share = found[below].max() / told[below].max()
    np.testing.assert_allclose(found[below], share * told[below], rtol=1e-5)
    assert 0 < (known & ~below).sum() <= 1 + 0.06 * known.sum()
    assert told[below].max() <= told[known & ~below].min()


def test_what_is_assumed_grows_with_a_models_ability_on_all_benchmarks(judged: Judged) -> None:
    least, most = CONTENT[ASSUMED[0]]["assumed"]
    found = labels(judged, ASSUMED[0])[0]
    known = np.isfinite(found)
    assert known[: len(MODELS)].mean() > 0.9
    assert (found[known] >= least).all()
    assert (found[known] <= most).all()
    strong, weak = (found[MODELS.index(one)] for one in ("gpt-5.5", "gemma-3-4b"))
    assert strong > weak + 0.4 * (most - least)


def test_judged_rows_stay_and_prompts_of_our_own_are_of_the_fold_asked_for(judged: Judged) -> None:
    before = rows(*MODELS, "nobody-measured-1")
    assert (judged.prompts[0], judged.datasets[0], judged.tasks[0]) == ("prompt", "set", "task")
    np.testing.assert_array_equal(judged.scores[0], before.scores[0])
    assert judged.folds.tolist() == [3] + [2] * (len(judged.prompts) - 1)
    assert set(judged.datasets[1:]) == {PUBLIC}
    assert len(set(judged.groups)) == len(set(judged.tasks))
    assert np.isnan(judged.tokens[1:]).all()
    assert np.isnan(judged.costs[1:]).all()
    assert np.isnan(judged.scores[1:, -1]).all()  # of this model nothing is public


def test_models_of_which_nothing_is_public_leave_only_their_rows() -> None:
    assert with_public_prompts(rows("nobody-measured-1"), fold=2).prompts == ("prompt",)
