"""Prompts augmented for training keep what they ask for."""

from __future__ import annotations

from random import Random

from rolecall.registry.evaluation.perturbations.perturb import KINDS, perturb
from rolecall.registry.scorer.training.dataset import augmented, frames

PROMPT = "Explain carefully why the harvest failed in 1846."


def test_a_frame_holds_the_whole_prompt_once() -> None:
    for frame in frames():
        assert frame.count("{}") == 1
        assert PROMPT in frame.replace("{}", PROMPT)


def test_typos_change_a_few_letters_of_long_words_alone() -> None:
    for seed in range(50):
        found = augmented(PROMPT, ("{}",), Random(seed))
        assert abs(len(found) - len(PROMPT)) <= 2
        assert "1846." in found
        assert (
            sum(one != other for one, other in zip(found.split(), PROMPT.split(), strict=True)) < 3
        )
    assert any(augmented(PROMPT, ("{}",), Random(seed)) != PROMPT for seed in range(9))


def test_code_and_numbers_are_left_alone() -> None:
    text = "x = foo.barbaz(1846)\n@decorated\npath/to/somewhere.txt"
    assert {augmented(text, ("{}",), Random(seed)) for seed in range(20)} == {text}


def test_the_same_seed_gives_the_same_augmentation() -> None:
    one, other = (augmented(PROMPT, frames(), Random(3)) for _ in range(2))
    assert one == other


def test_no_frame_is_one_that_robustness_is_measured_with() -> None:
    measured = {changed for kind in KINDS for changed in [perturb(PROMPT, kind, 7)] if changed}
    assert len(measured) > 5
    framed = {frame.replace("{}", PROMPT) for frame in frames()} - {PROMPT}
    assert not measured & framed
