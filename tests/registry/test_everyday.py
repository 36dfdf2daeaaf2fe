from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rolecall.registry.everyday import (
    Verdict,
    agreement_by_kind,
    expectations,
    measure_agreement,
)
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training import beliefs


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdict, ...]:
    return measure_agreement(tmp_path_factory.mktemp("r") / "none.db", Scorer.load())


def test_the_list_has_at_least_80_prompts_in_10_kinds_and_none_was_trained_on() -> None:
    listed = expectations()
    assert len(listed) >= 80
    assert len({one.kind for one in listed}) == 10
    assert len({one.prompt for one in listed}) == len(listed)
    assert {one.need for one in listed} == {"any", "strong", "reasoning"}
    trained = Path(beliefs.__file__).with_name("everyday.yaml").read_text(encoding="utf-8")
    known = {
        text.lower() for texts in yaml.safe_load(trained)["prompts"].values() for text in texts
    }
    assert not {one.prompt.lower() for one in listed} & known


def test_trivial_requests_buy_no_dear_model(verdicts: tuple[Verdict, ...]) -> None:
    dear = [one for one in verdicts if one.expectation.need == "any" and one.because]
    assert len(dear) <= 1, dear


def test_most_hard_requests_go_to_a_likely_model(verdicts: tuple[Verdict, ...]) -> None:
    hard = [one for one in verdicts if one.expectation.need != "any"]
    agreed = sum(one.because is None for one in hard)
    assert agreed / len(hard) >= 0.8, [one for one in hard if one.because]


def test_agreement_is_counted_by_kind(verdicts: tuple[Verdict, ...]) -> None:
    found = agreement_by_kind(verdicts)
    assert sum(count for _, count in found.values()) == len(verdicts)
    assert all(agreed <= count for agreed, count in found.values())
