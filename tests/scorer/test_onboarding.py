"""Models join a scorer by their judged rows, and the rows move every model on prompts alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rolecall.registry.core.judged_rows import JudgedAnswer, JudgedRow
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.scorer.onboarding import (
    Answers,
    Fits,
    answers_of,
    cross_fits,
    fit_models,
    part_numbers,
    parts_of,
)
from rolecall.registry.scorer.packing import (
    pack_fits,
    pack_reading,
    unpack_fits,
    unpack_reading,
)
from tests.scorer.tiny import MODELS, tiny_scorer

SCORER = tiny_scorer()
STRANGER = ModelFacts("stranger", parameters_b=10.0)


def rows(
    count: int, sums: float, poems: float, *models: str, samples: int = 1
) -> tuple[JudgedRow, ...]:
    """Return rows of models with those chances of success, and answers of 20 or 200 tokens."""
    rng = np.random.default_rng(2)
    return tuple(
        JudgedRow(
            prompt=f"{('sums', 'poems')[number % 2]}: {number}",
            task=("sums", "poems")[number % 2],
            answers=tuple(
                JudgedAnswer(
                    model,
                    float(rng.random() < (sums, poems)[number % 2]),
                    samples,
                    (20.0, 200.0)[number % 2],
                )
                for model in models or ("stranger",)
            ),
        )
        for number in range(count)
    )


def fits_of(given: tuple[JudgedRow, ...]) -> Fits:
    return fit_models(SCORER, answers(given))


def answers(given: tuple[JudgedRow, ...]) -> Answers:
    names = dict.fromkeys(one.model for row in given for one in row.answers)
    facts = {name: replace(STRANGER, model=name) for name in names}
    return answers_of(SCORER, given, [SCORER.read(row.prompt) for row in given], facts)


def asked(fits: Fits | None, prompt: str, facts: ModelFacts = STRANGER) -> Prediction:
    return SCORER.with_fits(fits).predict(SCORER.read(prompt), [facts])[0]


def test_fitted_rows_are_what_is_predicted_from_then_on() -> None:
    fits = fits_of(rows(200, 0.9, 0.2))
    sums, poems = asked(fits, "sums: new"), asked(fits, "poems: new")
    assert sums.basis == poems.basis == "fitted"
    assert sums.success == pytest.approx(0.9, abs=0.08)
    assert poems.success == pytest.approx(0.2, abs=0.08)
    assert sums.success_std < asked(None, "sums: new").success_std
    assert asked(fits, "sums: new", ModelFacts("other/STRANGER")).basis == "fitted"
    assert asked(fits, "sums: new", ModelFacts("another")).basis != "fitted"


def test_the_more_rows_the_surer_and_samples_count_as_rows() -> None:
    def width(count: int, samples: int = 1) -> float:
        fit = fits_of(rows(count, 0.7, 0.4, samples=samples)).of("stranger")
        assert fit is not None
        return float(np.trace(fit.covariance))

    widths = [width(count) for count in (10, 40, 160)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.5 * widths[0]
    assert width(40, samples=4) < 0.7 * width(40)


@pytest.mark.parametrize(("chance", "sign"), [(0.05, -1), (0.95, 1)])
def test_what_rows_have_in_common_moves_models_that_nobody_judged(chance: float, sign: int) -> None:
    fits = fits_of(rows(60, chance, chance, *MODELS[3:6]))
    for prompt in ("sums: new", "poems: new"):
        for facts in (ModelFacts(MODELS[8]), ModelFacts("nobody")):
            before, after = asked(None, prompt, facts), asked(fits, prompt, facts)
            assert sign * (after.success - before.success) > 0.05
            assert after.basis == before.basis
            assert after.parts is not None
            assert after.parts.world == pytest.approx(after.success - before.success, abs=0.02)


def test_prompts_unlike_the_rows_are_left_as_they_are() -> None:
    only_sums = tuple(row for row in rows(80, 0.05, 0.5, *MODELS[3:6]) if row.task == "sums")
    fits, facts = fits_of(only_sums), ModelFacts(MODELS[8])
    moved = {
        prompt: abs(asked(fits, prompt, facts).success - asked(None, prompt, facts).success)
        for prompt in ("sums: new", "poems: new")
    }
    assert moved["sums: new"] > 0.05
    assert moved["poems: new"] < 0.02


def test_one_models_own_failure_moves_others_less_than_a_common_one() -> None:
    facts = ModelFacts(MODELS[8])
    alone = fits_of(rows(60, 0.05, 0.05, MODELS[3]))
    common = fits_of(rows(60, 0.05, 0.05, *MODELS[1:6]))
    before = asked(None, "sums: new", facts).success
    assert asked(common, "sums: new", facts).success < asked(alone, "sums: new", facts).success
    assert asked(alone, "sums: new", facts).success < before


def test_lengths_are_fitted_where_rows_tell_them() -> None:
    fits = fits_of(rows(200, 0.7, 0.4))
    usual = asked(None, "sums: x").output_tokens
    found = fits.log_tokens(["house/Stranger", "nobody"])
    ratio = np.log(np.sqrt(21 * 201) / (usual + 1))
    assert found == {"house/Stranger": pytest.approx(ratio, abs=0.1)}
    untold = tuple(
        replace(row, answers=tuple(replace(one, output_tokens=None) for one in row.answers))
        for row in rows(20, 0.7, 0.4)
    )
    assert fits_of(untold).log_tokens(["stranger"]) == {}


def test_cross_fits_have_not_seen_the_part_that_they_predict() -> None:
    given = rows(40, 0.5, 0.5)
    only_one = tuple(
        replace(
            row, answers=(JudgedAnswer("stranger", float(number < 20)),), group=str(number < 20)
        )
        for number, row in enumerate(given)
    )
    found = answers(only_one)
    part_of = parts_of(found.groups)
    assert sorted(part_of.values()) == [0, 1]
    without = cross_fits(SCORER, found, part_numbers(found.groups, part_of))
    # Held back, the group that always succeeds is predicted by the one that always fails.
    assert asked(without[part_of["True"]], "sums: 0").success < 0.3
    assert asked(without[part_of["False"]], "sums: 0").success > 0.7


def test_fits_and_readings_come_back_from_bytes() -> None:
    fits = fits_of(rows(30, 0.9, 0.2, "stranger", MODELS[2]))
    again = unpack_fits(pack_fits(fits))
    reading = SCORER.read("sums: new")
    read_again = unpack_reading(pack_reading(reading), reading.text)
    facts = [STRANGER, ModelFacts(MODELS[2]), ModelFacts("nobody")]
    said = [
        [(one.success, one.basis, one.output_tokens) for one in scorer.predict(of, facts)]
        for scorer, of in (
            (SCORER.with_fits(fits), reading),
            (SCORER.with_fits(again), reading),
            (SCORER.with_fits(fits), read_again),
        )
    ]
    for other in said[1:]:
        for one, same in zip(said[0], other, strict=True):
            assert one[0] == pytest.approx(same[0], abs=2e-3)
            assert one[1] == same[1]
            assert one[2] == pytest.approx(same[2], rel=0.01)
    assert unpack_fits(pack_fits(Fits())) == Fits()


def test_without_a_score_there_are_no_fits() -> None:
    assert fits_of(()) == Fits()
