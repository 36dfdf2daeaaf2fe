"""Expected tokens: what is asked, then the kind of work, then the model; hidden ones apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Floats
from rolecall.registry.scorer.length import LengthModel
from rolecall.registry.scorer.training.length import (
    AssumedRows,
    LengthRows,
    assumed_lengths,
    assumed_rows,
    train_length,
)

SHORT, LONG = 5.0, 300.0  # tokens of the two kinds of work
TERSE, CHATTY, THINKER = "terse-1", "chatty-1", "o3-mini"
HIDDEN = 200.0
ASSUMED = 4_000.0, 400.0
APART = 1.5  # times the usual length is what the chatty model writes


def vector_of(kind: int) -> Floats:
    vector = np.zeros(384, dtype=np.float32)
    vector[kind] = 1.0
    return vector


def rows_of_two_kinds() -> LengthRows:
    """Return 960 prompts: even ones want a word, odd ones a page; half have real counts."""
    rng = np.random.default_rng(7)
    kinds = np.arange(960) % 2
    vectors = np.array([vector_of(kind) for kind in kinds.tolist()])
    vectors = vectors + rng.normal(0, 0.03, vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    usual = np.where(kinds == 0, SHORT, LONG) * np.exp(rng.normal(0, 0.1, 960))
    counted = np.arange(960) >= 480
    difficulty = rng.uniform(0, 1, 960)
    hidden = np.where(counted, HIDDEN * np.exp(1.2 * difficulty), 0.0)
    tokens = np.stack([usual / APART, usual * APART, usual / APART + hidden], axis=1)
    return LengthRows(
        models=(TERSE, CHATTY, THINKER),
        vectors=vectors.astype(np.float32),
        features=np.zeros((960, 3), dtype=np.float32),
        tokens=tokens.astype(np.float32),
        difficulty=difficulty.astype(np.float32),
        sets=np.where(counted, "counted", "visible"),
        tasks=np.where(kinds == 0, "word", "page"),
        count_hidden=counted,
        typical=np.ones(960, dtype=bool),
        told=np.zeros(960, dtype=bool),
    )


def assumed() -> AssumedRows:
    """Return eight prompts of a third kind, of which no row speaks."""
    return AssumedRows(
        vectors=np.array([vector_of(2)] * 8),
        features=np.zeros((8, 3), dtype=np.float32),
        tokens=np.tile(np.array(ASSUMED, dtype=np.float32), (8, 1)),
        tasks=np.full(8, "assumed/book"),
        told=np.zeros(8, dtype=bool),
        usual=(90.0, 250.0),
    )


@pytest.fixture(scope="module")
def model() -> LengthModel:
    return train_length(rows_of_two_kinds(), assumed())


def visible(model: LengthModel, name: str, kind: int = 1, text: str = "Go on.") -> float:
    facts = [ModelFacts(name, reasoning=False)]
    return float(model.predict(vector_of(kind), np.zeros(3, np.float32), text, 0.5, facts)[0][0])


def hidden(model: LengthModel, facts: ModelFacts, difficulty: float = 0.5) -> tuple[float, bool]:
    said = model.predict(vector_of(0), np.zeros(3, np.float32), "Go on.", difficulty, [facts])
    return float(said[1][0]), bool(said[2][0])


def test_training_recovers_kinds_of_work_and_models(model: LengthModel) -> None:
    assert visible(model, CHATTY, 1) == pytest.approx(APART * LONG, rel=0.25)
    assert visible(model, TERSE, 1) == pytest.approx(LONG / APART, rel=0.25)
    assert visible(model, CHATTY, 0) < 30 < visible(model, TERSE, 1)


@pytest.mark.parametrize(("name", "kind"), [(TERSE, 0), (THINKER, 1), ("quite-new-7b", 1)])
def test_a_story_of_5000_words_is_ten_times_one_of_a_sentence(
    model: LengthModel, name: str, kind: int
) -> None:
    long = visible(model, name, kind, "Write a 5,000 word story about a lighthouse.")
    assert long >= 10 * visible(model, name, kind, "Write a one-sentence story about a lighthouse.")


def test_an_offset_of_ones_own_makes_all_tokens_more(model: LengthModel) -> None:
    facts = [ModelFacts(TERSE), ModelFacts(THINKER, reasoning=True)]
    given = (vector_of(1), np.zeros(3, np.float32), "Go on.", 0.5, facts)
    visible, hidden, _ = model.predict(*given)
    more, more_hidden, _ = model.predict(*given, {TERSE: 1.0, THINKER: 1.0})
    assert more == pytest.approx(np.e * (visible + 1) - 1)
    assert more_hidden == pytest.approx(np.e * hidden)


def test_hidden_tokens_of_a_counted_model_are_known_and_grow_with_difficulty(
    model: LengthModel,
) -> None:
    facts = ModelFacts(THINKER, reasoning=True)
    easy, hard = hidden(model, facts, 0.0), hidden(model, facts, 1.0)
    assert easy[0] == pytest.approx(HIDDEN, rel=0.3)
    assert hard[0] == pytest.approx(HIDDEN * np.exp(1.2), rel=0.3)
    assert easy[1]
    assert hard[1]


def test_a_model_that_does_not_reason_hides_nothing_and_that_is_known(model: LengthModel) -> None:
    assert hidden(model, ModelFacts("quite-new-7b", reasoning=False)) == (0.0, True)
    assert hidden(model, ModelFacts(TERSE, reasoning=True)) == (0.0, True)
    told_not_to = ModelFacts("claude-opus-9", reasoning=True).with_effort("none")
    assert hidden(model, told_not_to) == (0.0, True)


def test_more_effort_is_more_hidden_tokens_an_estimate_within_the_budget(
    model: LengthModel,
) -> None:
    base = ModelFacts("claude-opus-9", reasoning=True)
    low, medium, high = (hidden(model, base.with_effort(e)) for e in ("low", "medium", "high"))
    assert 0 < low[0] < medium[0] < high[0]
    assert not low[1]
    assert not medium[1]
    assert not high[1]
    wordy = replace(model, intercept=np.full(2, 12.0), highest=np.full(2, 20.0))
    assert hidden(wordy, base.with_effort(2_000))[0] <= 4_096
    assert hidden(wordy, base.with_effort("medium"))[0] <= 12_288


def test_a_family_with_the_same_effort_in_the_data_makes_it_known(model: LengthModel) -> None:
    facts = replace(
        ModelFacts("x", reasoning=True).with_effort("high"), model="gpt-9-high", base="gpt-9"
    )
    medium = hidden(model, replace(facts, reasoning_effort="medium", model="gpt-9"))[0]

    def among(family: str) -> tuple[float, bool]:
        told = replace(model.hidden, families={family: float(np.log(7))})
        return hidden(replace(model, hidden=told), facts)

    assert not among("claude high")[1]
    assert among("gpt high")[0] == pytest.approx(7 * medium, rel=0.03)
    assert among("gpt high")[1]


def test_a_counted_model_at_another_effort_is_a_step_away_from_what_was_counted(
    model: LengthModel,
) -> None:
    facts = ModelFacts(THINKER, reasoning=True)
    counted, _ = hidden(model, facts)
    more, known = hidden(model, facts.with_effort("high"))
    assert more == pytest.approx(2.5 * counted, rel=0.02)
    assert not known


def test_kinds_of_work_without_rows_are_as_long_as_assumed(model: LengthModel) -> None:
    facts = [ModelFacts("quite-new-7b"), ModelFacts("claude-opus-9").with_effort("medium")]
    shown, thought, known = model.predict(vector_of(2), np.zeros(3, np.float32), "Go", 0.5, facts)
    assert shown[0] == pytest.approx(ASSUMED[0], rel=0.3)
    assert thought[1] == pytest.approx(ASSUMED[1], rel=0.3)
    assert not known.any()


def test_hidden_tokens_differ_by_kind_of_work() -> None:
    rows = rows_of_two_kinds()
    pages = (rows.tasks == "page") & rows.count_hidden
    tokens = rows.tokens.copy()
    tokens[pages, 2] += 3_000
    model = train_length(replace(rows, tokens=tokens), assumed())
    facts = [ModelFacts(THINKER, reasoning=True)]
    of_kind = [
        float(model.predict(vector_of(kind), np.zeros(3, np.float32), "Go", 0.5, facts)[1][0])
        for kind in (0, 1)
    ]
    assert of_kind[1] > 5 * of_kind[0] > 0


def test_a_model_that_thinks_only_now_and_then_is_told_apart_from_one_that_never_does() -> None:
    rows = rows_of_two_kinds()
    tokens = rows.tokens.copy()
    pages = (rows.tasks == "page") & rows.count_hidden
    tokens[pages, 1] += 2_000
    model = train_length(replace(rows, tokens=tokens), assumed())
    facts = [ModelFacts(CHATTY)]
    by_kind = [
        float(model.predict(vector_of(kind), np.zeros(3, np.float32), "Go", 0.5, facts)[1][0])
        for kind in (0, 1)
    ]
    assert by_kind[0] < 30
    assert by_kind[1] == pytest.approx(2_000, rel=0.4)


def test_a_length_asked_for_counts_less_where_the_rows_were_asked_too(model: LengthModel) -> None:
    text = "Answer in one word."
    told = replace(model, told=np.ones(len(model.centroids), dtype=np.float32))
    assert visible(model, TERSE, 1, text) < 10
    assert visible(told, TERSE, 1, text) == pytest.approx(visible(told, TERSE, 1))


def test_a_prompt_unlike_all_tasks_is_of_the_length_that_is_assumed(model: LengthModel) -> None:
    far = np.zeros(3, dtype=np.float32)
    unlike, _, _ = model.predict(vector_of(300), far, "Go", 0.5, [ModelFacts("quite-new-7b")])
    assert unlike[0] == pytest.approx(90, rel=0.1)


def test_the_table_of_assumed_lengths_is_complete_and_orders_the_kinds() -> None:
    kinds = assumed_lengths()["kinds"]
    assert kinds["label"]["visible"] < kinds["function"]["visible"] < kinds["essay"]["visible"]
    assert kinds["greeting"]["hidden"] < kinds["fact"]["hidden"] < kinds["hard_math"]["hidden"]
    rows = assumed_rows(lambda texts: np.zeros((len(texts), 384), dtype=np.float32))
    assert len(rows.vectors) == len(rows.features) == len(rows.tokens) == len(rows.tasks) > 200
    assert (rows.tokens > 0).all()
    assert not rows.told.any()


def test_a_saved_model_says_the_same(model: LengthModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = LengthModel.load(tmp_path)
    for name in (TERSE, CHATTY, "quite-new-7b"):
        assert visible(again, name) == pytest.approx(visible(model, name), rel=0.02)
    assert again.hidden == model.hidden
    assert (tmp_path / "length.bin").stat().st_size < 300_000


def test_without_counted_rows_every_hidden_number_is_an_estimate() -> None:
    rows = rows_of_two_kinds()
    blind = replace(rows, count_hidden=np.zeros(960, dtype=bool))
    tokens, known = hidden(train_length(blind, assumed()), ModelFacts(THINKER, reasoning=True))
    assert tokens > 100
    assert not known
