"""Task detection on prompts that were written before, and apart from, the training examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from rolecall.registry.core.requests import Message, Request
from rolecall.registry.editing.open import open_registry
from rolecall.registry.routing.task_detection import ExampleIndex
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.registry import read_registry

PROMPTS = Path(__file__).parent.parent / "data" / "task_prompts.yaml"


class Told(NamedTuple):
    language: str
    kind: str
    said: str
    confidence: float

    @property
    def is_right(self) -> bool:
        return self.kind == self.said


Tell = Callable[[Iterable[tuple[str, str, str]]], list[Told]]


def prompts() -> Iterator[tuple[str, str, str]]:
    document = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    pastes = document["pastes"]
    for section in ("kinds", "near_misses"):
        for kind, languages in document[section].items():
            for language, texts in languages.items():
                for text in texts:
                    yield kind, language, re.sub("<<(.+?)>>", lambda found: pastes[found[1]], text)


def short_facts() -> Iterator[tuple[str, str, str]]:
    document = yaml.safe_load(PROMPTS.read_text(encoding="utf-8"))
    for language, texts in document["short_facts"].items():
        yield from (("general", language, text) for text in texts)


@pytest.fixture(scope="module")
def tell(scorer: Scorer, seeded: Path) -> Tell:
    with open_registry(seeded) as db:
        index = ExampleIndex(db, scorer, read_registry(db))

    def of(rows: Iterable[tuple[str, str, str]]) -> list[Told]:
        found = []
        for kind, language, text in rows:
            request = Request((Message("user", text),))
            said, _ = index.detect(request, scorer.read(text))
            found.append(Told(language, kind, said.kind.split(".")[0], said.confidence))
        return found

    return of


@pytest.fixture(scope="module")
def told(tell: Tell) -> list[Told]:
    return tell(prompts())


def share_right(told: list[Told]) -> float:
    return sum(one.is_right for one in told) / len(told)


def test_85_of_100_english_prompts_are_told_right(told: list[Told]) -> None:
    assert share_right([one for one in told if one.language == "en"]) >= 0.85


def test_75_of_100_prompts_in_other_languages_are_told_right(told: list[Told]) -> None:
    assert share_right([one for one in told if one.language != "en"]) >= 0.75


def test_hardly_a_prompt_in_another_language_is_mistaken_for_a_translation(
    told: list[Told],
) -> None:
    others = [one for one in told if one.language != "en"]
    wrong = [one for one in others if one.said == "translate" and not one.is_right]
    assert len(wrong) / len(others) <= 0.05


@pytest.mark.parametrize("kind", ["medical", "legal"])
def test_questions_of_health_and_of_rights_are_told_in_many_languages(
    kind: str, told: list[Told]
) -> None:
    rows = [one for one in told if one.kind == kind]
    assert share_right([one for one in rows if one.language == "en"]) >= 0.8
    assert share_right([one for one in rows if one.language != "en"]) >= 0.75


def test_what_only_mentions_health_or_law_is_of_another_kind(told: list[Told]) -> None:
    others = [one for one in told if one.kind not in ("medical", "legal")]
    wrong = [one for one in others if one.said in ("medical", "legal")]
    assert len(others) > 250
    assert len(wrong) / len(others) <= 0.03


def test_a_short_question_of_fact_is_general_whatever_it_names(tell: Tell) -> None:
    facts = tell(short_facts())
    assert len(facts) > 80
    assert len({one.language for one in facts}) >= 14
    for is_english in (True, False):
        rows = [one for one in facts if (one.language == "en") == is_english]
        assert share_right(rows) >= 0.95
    dear = [one for one in facts if one.said in ("medical", "legal", "code", "math")]
    assert len(dear) <= 1


@pytest.mark.parametrize("is_english", [True, False])
def test_the_stated_confidence_is_near_the_share_told_right(
    told: list[Told], is_english: bool
) -> None:
    rows = [one for one in told if (one.language == "en") == is_english]
    sure = [one for one in rows if one.confidence >= 0.85]
    stated = sum(one.confidence for one in rows) / len(rows)
    assert abs(stated - share_right(rows)) < 0.12
    assert share_right(sure) >= 0.9
