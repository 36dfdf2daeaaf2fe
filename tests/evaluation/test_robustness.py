"""Robustness measured over a small registry, with a scorer whose opinions are known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rolecall.cli.render.output import table_lines
from rolecall.cli.render.robustness import flip_table, rate_table
from rolecall.registry.core.errors import InvalidDocument, UnknownRecord
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.evaluation.perturbations.perturb import RESTATEMENTS, perturb
from rolecall.registry.evaluation.robustness import equal_shares, measure_files, measure_flips
from rolecall.registry.evaluation.robustness_report import RobustnessPlan, RobustnessReport
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.model import Reading, Scorer

POOL = """
models:
  - {id: small, context_tokens: 8000}
  - {id: large, context_tokens: 8000}
endpoints:
  - {id: here/small, model: small, locality: local, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0}}
  - {id: there/large, model: large, key_env: NOBODYS_KEY, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0}}
strategies:
  - {id: narrow, quality_usd: 1, tie_band_usd: 0, allow: [here/small, there/large]}
  - {id: wide, quality_usd: 1, tie_band_usd: 0.2, prefer_locality: local, allow: [here/small, there/large]}
  - {id: nobody, quality_usd: 1, allow: [elsewhere/*]}
"""  # noqa: E501
PROMPTS = ("Write a poem about autumn rain.", "Describe how a steam engine works.")
PLAN = RobustnessPlan(
    kinds=("please", "thanks", "end mark", "quotes"), strategies=("narrow", "wide")
)


class Fickle(Scorer):
    """The shipped scorer's readings; `large` is right with 0.9, `small` with 0.85.

    Where someone says please, `small` is thought better by `swing`.
    """

    def __init__(self, scorer: Scorer, swing: float = 0.1) -> None:
        self.__dict__.update(vars(scorer))
        self._scorer = scorer
        self._swing = swing
        self._said: dict[int, str] = {}
        self.read_texts: list[str] = []
        self._readings: list[Reading] = []

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:  # noqa: ARG002
        reading = self._scorer.read(text)
        self.read_texts.append(text)
        self._readings.append(reading)
        self._said[id(reading)] = text
        return reading

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        bonus = self._swing if "lease " in self._said[id(reading)] else 0.0
        success = {"large": 0.9, "small": 0.85 + bonus}
        return tuple(
            Prediction(one.model, success.get(one.model, 0.1), 0.05, 100, "facts") for one in facts
        )


@pytest.fixture(scope="module")
def real_scorer() -> Scorer:
    return Scorer.load()


@pytest.fixture
def scorer(real_scorer: Scorer) -> Fickle:
    return Fickle(real_scorer)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "small.db"
    with open_registry(path) as db:
        apply_document(db, POOL, "pool.yaml")
    return path


def judged(prompts: Sequence[str], datasets: Sequence[str] = ()) -> Judged:
    count = len(prompts)
    names = tuple(map(str, range(count)))
    return Judged(
        ids=names,
        prompts=tuple(prompts),
        datasets=tuple(datasets) or ("set",) * count,
        tasks=("task",) * count,
        groups=names,
        folds=np.zeros(count, dtype=np.int64),
        models=("one", "two"),
        scores=np.tile(np.array([1, 0], dtype=np.float32), (count, 1)),
        tokens=np.full((count, 2), np.nan, dtype=np.float32),
        costs=np.full((count, 2), np.nan, dtype=np.float32),
    )


def shares(found: RobustnessReport, policy: str) -> dict[str, float | None]:
    return {kind.kind: kind.flips[policy].share for kind in found.kinds}


def test_a_flip_is_counted_for_the_kind_of_change_that_caused_it(
    registry: Path, scorer: Fickle
) -> None:
    found = measure_flips(registry, judged(PROMPTS), PLAN, scorer=scorer)
    assert shares(found, "narrow") == {"please": 1, "thanks": 0, "end mark": 0, "quotes": None}
    assert shares(found, "argmax") == shares(found, "narrow")
    assert (found.prompts, found.texts) == (2, 6)
    assert found.flips["narrow"].share == pytest.approx(2 / 6)
    assert found.flips["constant"].share == 0


def test_edits_and_restatements_are_counted_apart(registry: Path, scorer: Fickle) -> None:
    plan = RobustnessPlan(kinds=("please", "role", "template"), strategies=("narrow",))
    found = measure_flips(registry, judged(PROMPTS), plan, scorer=scorer)
    assert {"role", "template"} <= set(RESTATEMENTS)
    assert (found.edits["narrow"].share, found.edits["narrow"].cases) == (1, 2)
    assert (found.restatements["narrow"].share, found.restatements["narrow"].cases) == (0, 4)
    assert found.flips["narrow"].share == pytest.approx(2 / 6)


def test_the_near_tie_rule_holds_a_choice(registry: Path, scorer: Fickle) -> None:
    found = measure_flips(registry, judged(PROMPTS), PLAN, scorer=scorer)
    assert found.flips["wide"].share == 0
    assert found.flips["narrow"].share == pytest.approx(2 / 6)


def test_how_far_predictions_moved_is_told(registry: Path, scorer: Fickle) -> None:
    found = measure_flips(registry, judged(PROMPTS), PLAN, scorer=scorer)
    moved = {kind.kind: kind.success_moved for kind in found.kinds}
    assert moved["please"] == pytest.approx(0.05)
    assert (moved["thanks"], moved["quotes"]) == (0, None)


def test_a_strategy_that_allows_nobody_has_no_rate(registry: Path, scorer: Fickle) -> None:
    plan = RobustnessPlan(kinds=("please",), strategies=("narrow", "nobody"))
    found = measure_flips(registry, judged(PROMPTS), plan, scorer=scorer)
    assert found.flips["nobody"].share is None
    assert found.flips["narrow"].share == 1


def test_each_text_is_read_once_for_all_strategies(registry: Path, scorer: Fickle) -> None:
    steps: list[tuple[int, int]] = []
    measure_flips(
        registry,
        judged(PROMPTS),
        PLAN,
        scorer=scorer,
        progress=lambda done, total: steps.append((done, total)),
    )
    asked = [text for text in scorer.read_texts if text.startswith(("Write", "Describe"))]
    assert len(asked) == len(set(asked))
    assert steps == [(done, 8) for done in range(1, 9)]


def test_the_nearest_judged_prompts_are_a_policy_where_there_are_any(
    registry: Path, scorer: Fickle
) -> None:
    plan = RobustnessPlan(kinds=("please", "thanks"), strategies=("narrow",))
    past = judged(["Write a poem about snow.", "How does a pump work?", "Name a colour."])
    found = measure_flips(registry, judged(PROMPTS), plan, past=past, scorer=scorer)
    assert found.flips["nearest"].share == 0
    assert found.flips["predicted"].share == 0
    without = measure_flips(registry, judged(PROMPTS), plan, scorer=scorer)
    assert "nearest" not in without.flips


def test_an_unknown_strategy_is_named(registry: Path, scorer: Fickle) -> None:
    with pytest.raises(UnknownRecord, match="upright"):
        measure_flips(
            registry, judged(PROMPTS), RobustnessPlan(strategies=("upright",)), scorer=scorer
        )


def test_nothing_is_kept_where_there_was_no_registry(tmp_path: Path, scorer: Fickle) -> None:
    path = tmp_path / "none.db"
    found = measure_flips(
        path, judged(PROMPTS[:1]), RobustnessPlan(kinds=("please",)), scorer=scorer
    )
    assert not path.exists()
    assert set(found.strategies) >= {"balanced", "quality", "cheapest", "fast", "private"}
    assert found.endpoints > 2


def test_files_are_measured_and_the_same_seed_gives_the_same_result(
    registry: Path, tmp_path: Path
) -> None:
    path = tmp_path / "judged.jsonl.gz"
    rows = [
        {"prompt": f"{prompt} {number}", "scores": {"one": 1, "two": 0}, "fold": number % 2}
        for number, prompt in enumerate(PROMPTS * 4)
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    plan = RobustnessPlan(prompts=2, fold=1, kinds=("please", "greeting"), strategies=("narrow",))
    found = measure_files(registry, [path], plan)
    assert found.prompts == 2
    assert found.flips["nearest"].cases == found.flips["narrow"].cases > 0
    assert json.dumps(found.to_dict(), allow_nan=False) == json.dumps(
        measure_files(registry, [path], plan).to_dict()
    )
    with pytest.raises(InvalidDocument, match="no row"):
        measure_files(registry, [path], RobustnessPlan(fold=5))


def test_every_data_set_gives_as_many_prompts_as_it_can() -> None:
    rows = judged([str(number) for number in range(13)], ["few"] * 3 + ["many"] * 10)
    drawn = equal_shares(rows, range(13), 8, seed=1)
    assert sum(row < 3 for row in drawn) == 3
    assert len(set(drawn)) == 8
    assert drawn == equal_shares(rows, range(13), 8, seed=1)
    assert drawn != equal_shares(rows, range(13), 8, seed=2)
    assert equal_shares(rows, range(13), 99, seed=1) == list(range(13))


def test_the_tables_fit_a_narrow_terminal_and_tell_shares_in_percent(
    tmp_path: Path, scorer: Fickle
) -> None:
    prompts = judged([*PROMPTS, "What isn't a poem?"])
    report = measure_flips(
        tmp_path / "r.db", prompts, RobustnessPlan(), past=prompts, scorer=scorer
    )
    plain = report.to_dict()
    lines = table_lines(*flip_table(plain), 80)
    assert max(map(len, lines)) <= 80
    for title in ("balanced", "quality", "argmax", "nearest", "constant"):
        assert title in lines[0]
    assert lines[-1].split()[0] == "all"
    assert lines[-1].split()[-1] == "0.0"
    assert len(lines) == 1 + len(report.kinds) + 1
    share = report.flips["quality"].share
    assert share is not None
    assert f" {100 * share:.1f} " in lines[-1]
    [_, *rows] = table_lines(*rate_table(plain), 80)
    assert [row.split()[0] for row in rows] == list(report.flips)
    assert rows[0].split()[0] in report.strategies
    assert ["constant", *["0.0", "0.0", "to", "0.0"] * 3] in [row.split() for row in rows]


def test_the_prompts_of_this_test_can_be_changed_as_it_expects() -> None:
    assert all("lease " in str(perturb(prompt, "please", PLAN.seed)) for prompt in PROMPTS)
    assert all("lease " not in prompt for prompt in PROMPTS)
