"""Robustness measured over a small registry, with a scorer whose opinions are known."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rolecall.cli.render.output import table_lines
from rolecall.cli.render.robustness import flip_table, rate_table
from rolecall.registry.core.errors import InvalidDocument, UnknownRecord
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry, open_starter
from rolecall.registry.evaluation.perturbations.perturb import RESTATEMENTS
from rolecall.registry.evaluation.robustness import equal_shares, measure_files, measure_flips
from rolecall.registry.evaluation.robustness_report import RobustnessPlan, RobustnessReport
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encoder import Encoder
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.storage.connection import Database
from tests.scorer.judged_files import judged_table

POOL = """
models:
  - {id: small, context_tokens: 8000}
  - {id: large, context_tokens: 8000}
endpoints:
  - {id: here/small, model: small, base_url: "http://localhost:1", locality: local, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0}}
  - {id: there/large, model: large, key_env: NOBODYS_KEY, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0}}
strategies:
  - {id: narrow, quality_usd: 1, tie_band_usd: 0, allow: [here/small, there/large]}
  - {id: wide, quality_usd: 1, tie_band_usd: 0.2, prefer_locality: local, allow: [here/small, there/large]}
  - {id: nobody, quality_usd: 1, allow: [elsewhere/*]}
"""  # noqa: E501
PROMPTS = ("Write a poem about autumn rain.", "Describe how a steam engine works.")
KINDS = ("please", "thanks", "end mark", "quotes")


class Fickle(Scorer):
    """The shipped scorer's readings; `large` is right with 0.9, `small` with 0.85.

    Where someone says please, `small` is predicted higher by 0.1.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(scorer.head, scorer.encoder, scorer.lengths)
        self.said: dict[int, str] = {}
        self.readings: list[Reading] = []

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:
        reading = super().read(text, is_agent=is_agent)
        self.readings.append(reading)
        self.said[id(reading)] = text
        return reading

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        success = {"large": 0.9, "small": 0.95 if "lease " in self.said[id(reading)] else 0.85}
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
def db(tmp_path: Path) -> Iterator[Database]:
    with open_registry(tmp_path / "small.db") as db:
        apply_document(db, POOL, "pool.yaml")
        yield db


def judged(prompts: Sequence[str], datasets: Sequence[str] = ()) -> Judged:
    scores = [[1, 0]] * len(prompts)
    return judged_table(scores, prompts=prompts, datasets=datasets, models=("one", "two"))


def silent(_done: int, _total: int) -> None:
    pass


def measured(
    db: Database,
    scorer: Scorer,
    kinds: tuple[str, ...] = KINDS,
    strategies: tuple[str, ...] = ("narrow", "wide"),
    past: Judged | None = None,
) -> RobustnessReport:
    plan = RobustnessPlan(kinds=kinds, strategies=strategies)
    return measure_flips(db, scorer, judged(PROMPTS), plan, silent, past=past)


def test_a_flip_is_counted_for_the_kind_of_change_that_caused_it(
    db: Database, scorer: Fickle
) -> None:
    found = measured(db, scorer)
    for policy in ("narrow", "argmax"):
        shares = {kind.kind: kind.flips[policy].share for kind in found.kinds}
        assert shares == {"please": 1, "thanks": 0, "end mark": 0, "quotes": None}
    assert (found.prompts, found.texts) == (2, 6)
    assert found.flips["narrow"].share == pytest.approx(2 / 6)
    assert found.flips["wide"].share == 0  # near ties stay
    assert found.flips["constant"].share == 0
    moved = {kind.kind: kind.success_moved for kind in found.kinds}
    assert moved == {"please": pytest.approx(0.05), "thanks": 0, "end mark": 0, "quotes": None}


def test_edits_and_restatements_are_counted_apart(db: Database, scorer: Fickle) -> None:
    found = measured(db, scorer, ("please", "role", "template"), ("narrow",))
    assert {"role", "template"} <= set(RESTATEMENTS)
    assert (found.edits["narrow"].share, found.edits["narrow"].cases) == (1, 2)
    assert (found.restatements["narrow"].share, found.restatements["narrow"].cases) == (0, 4)


def test_a_strategy_that_allows_nobody_has_no_rate(db: Database, scorer: Fickle) -> None:
    found = measured(db, scorer, ("please",), ("narrow", "nobody"))
    assert found.flips["nobody"].share is None
    assert found.flips["narrow"].share == 1


def test_each_text_is_read_once_for_all_strategies(db: Database, scorer: Fickle) -> None:
    steps: list[tuple[int, int]] = []
    plan = RobustnessPlan(kinds=KINDS, strategies=("narrow", "wide"))
    encoded = Counter[str]()
    encode = scorer.encoder.encode

    def counted(texts: Sequence[str]) -> Floats:
        encoded.update(texts)
        return encode(texts)

    scorer.encoder = cast("Encoder", SimpleNamespace(version="counting", encode=counted))
    measure_flips(
        db, scorer, judged(PROMPTS), plan, lambda done, total: steps.append((done, total))
    )
    assert {encoded[text] for text in encoded if text.startswith(PROMPTS)} == {1}
    assert steps == [(done, 8) for done in range(1, 9)]


def test_the_nearest_judged_prompts_are_a_policy_where_there_are_any(
    db: Database, scorer: Fickle
) -> None:
    past = judged(["Write a poem about snow.", "How does a pump work?", "Name a colour."])
    found = measured(db, scorer, ("please", "thanks"), ("narrow",), past)
    assert found.flips["nearest"].share == 0
    assert found.flips["predicted"].share == 0
    assert "nearest" not in measured(db, scorer, ("please",), ("narrow",)).flips


def test_an_unknown_strategy_is_named(db: Database, scorer: Fickle) -> None:
    with pytest.raises(UnknownRecord, match="upright"):
        measured(db, scorer, strategies=("upright",))


def test_files_are_measured_and_the_same_seed_gives_the_same_result(
    db: Database, tmp_path: Path
) -> None:
    path = tmp_path / "judged.jsonl.gz"
    rows = [
        {"prompt": f"{prompt} {number}", "scores": {"one": 1, "two": 0}, "fold": number % 2}
        for number, prompt in enumerate(PROMPTS * 4)
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    plan = RobustnessPlan(prompts=2, fold=1, kinds=("please", "greeting"), strategies=("narrow",))
    found = measure_files(db, [path], plan, silent)
    assert found.prompts == 2
    assert found.flips["nearest"].cases == found.flips["narrow"].cases > 0
    assert found == measure_files(db, [path], plan, silent)
    with pytest.raises(InvalidDocument, match="no row"):
        measure_files(db, [path], RobustnessPlan(fold=5), silent)


def test_every_data_set_gives_as_many_prompts_as_it_can() -> None:
    rows = judged([str(number) for number in range(13)], ["few"] * 3 + ["many"] * 10)
    drawn = equal_shares(rows, range(13), 8, seed=1)
    assert sum(row < 3 for row in drawn) == 3
    assert len(set(drawn)) == 8
    assert drawn == equal_shares(rows, range(13), 8, seed=1)
    assert drawn != equal_shares(rows, range(13), 8, seed=2)
    assert equal_shares(rows, range(13), 99, seed=1) == list(range(13))


def test_the_tables_fit_a_narrow_terminal_and_tell_shares_in_percent(scorer: Fickle) -> None:
    prompts = judged(PROMPTS[:1])
    with open_starter() as db:
        report = measure_flips(db, scorer, prompts, RobustnessPlan(), silent, past=prompts)
    lines = table_lines(*flip_table(asdict(report)), 80)
    assert max(map(len, lines)) <= 80
    for title in ("balanced", "quality", "argmax", "nearest", "constant"):
        assert title in lines[0]
    assert lines[-1].split()[0] == "all"
    assert lines[-1].split()[-1] == "0.0"
    assert len(lines) == 1 + len(report.kinds) + 1
    share = report.flips["quality"].share
    assert share is not None
    assert f" {100 * share:.1f} " in lines[-1]
    [_, *rows] = table_lines(*rate_table(asdict(report)), 80)
    assert [row.split()[0] for row in rows] == list(report.flips)
    assert ["constant", *["0.0", "0.0", "to", "0.0"] * 3] in [row.split() for row in rows]
