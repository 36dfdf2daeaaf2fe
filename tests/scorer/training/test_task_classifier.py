"""Examples are multiplied the same way each time, and a classifier is trained from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.task_classifier import (
    TASK_FILE,
    WIDTH,
    load_task_classifier,
    shared_wording,
)
from rolecall.registry.scorer.training import task_classifier
from rolecall.registry.scorer.training.task_classifier import DRAWS
from rolecall.registry.scorer.training.task_examples import Example, expansions, task_examples

KINDS = {
    "chat", "general", "code", "code.edit", "math", "extract", "write", "translate", "summarize",
    "analyze", "medical", "legal",
}  # fmt: skip
WORDS = {
    "general": ("why is the sea salty", "who built the tower", "how old is the king"),
    "math": ("solve the equation", "compute the integral", "prove the lemma"),
    "write": ("write a poem", "draft a letter", "compose a song"),
}


def encode(texts: Sequence[str]) -> Any:
    return np.zeros((len(texts), WIDTH), dtype=np.float32)


def few_examples(seed: int) -> list[Example]:
    rng = Random(seed)
    return [
        Example(f"{rng.choice(words)} {rng.choice(('now', 'please', 'today'))}", kind, "en", group)
        for kind, words in WORDS.items()
        for group in range(30)
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(task_classifier, "task_examples", few_examples)
    report = task_classifier.train_task_classifier(encode, tmp_path)
    different = {each for seed in range(DRAWS) for each in few_examples(seed)}
    assert len(different) > 90
    assert report[0].startswith(f"{len(different)} examples, scale ")
    return tmp_path


def test_a_choice_is_expanded_and_other_brackets_stay() -> None:
    found = set(expansions("(a|b) 3(x - 2) (c (d|)|e)", 40, Random(0)))
    assert found == {f"{one} 3(x - 2) {two}" for one in "ab" for two in ("c d", "c ", "e")}


def test_the_same_seed_gives_the_same_examples_of_every_kind_in_many_languages() -> None:
    examples = task_examples(0)
    assert examples == task_examples(0)
    kinds = Counter(example.kind for example in examples)
    assert set(kinds) == KINDS
    for kind in ("summarize", "medical", "legal"):
        assert len({one.language for one in examples if one.kind == kind}) >= 14
    assert not any("{i}" in example.text or "{p}" in example.text for example in examples)


def test_what_was_trained_is_saved_and_told_again(folder: Path) -> None:
    classifier = load_task_classifier(folder)
    vector = np.zeros(WIDTH, dtype=np.float32)
    for kind, words in WORDS.items():
        for text in words:
            guess = classifier.classify(text, vector)
            assert guess.kind == kind
            assert 0.5 < guess.confidence <= 1
    assert classifier.classify("zxq vvw", vector).confidence < 0.9


def test_the_same_examples_give_the_same_file(folder: Path) -> None:
    before = (folder / TASK_FILE).read_bytes()
    task_classifier.train_task_classifier(encode, folder)
    assert (folder / TASK_FILE).read_bytes() == before


@pytest.mark.parametrize("keep", [0, 40, 5000])
def test_a_file_cut_short_is_refused(folder: Path, keep: int) -> None:
    whole = (folder / TASK_FILE).read_bytes()
    (folder / TASK_FILE).write_bytes(whole[:keep])
    with pytest.raises(ScorerUnusable, match="task classifier is unreadable"):
        load_task_classifier(folder)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScorerUnusable, match="task classifier is unreadable"):
        load_task_classifier(tmp_path)


def test_shared_wording_is_1_for_the_same_text_and_0_for_other_scripts() -> None:
    assert shared_wording("tune this join", "Tune this join") == 1
    assert shared_wording("tune this join", "翻译成英文") < 0.05
    assert 0.2 < shared_wording("tune this slow join", "tune that slow join") < 1
