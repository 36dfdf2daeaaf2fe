"""Rows move a prior by as much as they should, and leave it as sure as they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.posterior import (
    Design,
    Gaussian,
    fit_posterior,
    predict_with,
    variances,
)


def world(rows: int, numbers: int, seed: int = 1) -> tuple[Design, Table, Table]:
    """Return prompts, what a model of known numbers made of them, and those numbers."""
    rng = np.random.default_rng(seed)
    features = np.concatenate([rng.standard_normal((rows, numbers - 1)), np.ones((rows, 1))], 1)
    design = Design(0.3 * rng.standard_normal(rows), features)
    true = rng.standard_normal(numbers)
    chance = 1 / (1 + np.exp(-(design.offset + features @ true)))
    return design, (rng.random(rows) < chance).astype(np.float64), true


def prior(numbers: int, variance: float = 1.0) -> Gaussian:
    return Gaussian(np.zeros(numbers), variance * np.eye(numbers))


def loss(design: Design, scores: Table, prior: Gaussian, numbers: Table) -> float:
    """Return the negative log posterior, written out anew."""
    chance = 1 / (1 + np.exp(-(design.offset + design.features @ numbers)))
    misfit = -(scores * np.log(chance) + (1 - scores) * np.log(1 - chance)).sum()
    away = numbers - prior.mean
    return float(misfit + away @ np.linalg.inv(prior.covariance) @ away / 2)


def test_no_other_numbers_are_likelier_than_those_found() -> None:
    design, scores, _ = world(80, 4)
    before = Gaussian(np.full(4, 0.5), np.diag([1.0, 0.1, 2.0, 0.5]))
    found = fit_posterior(design, scores, before)
    least = loss(design, scores, before, found.mean)
    rng = np.random.default_rng(3)
    for size in (1e-3, 0.1, 1.0):
        for _ in range(50):
            other = found.mean + size * rng.standard_normal(4)
            assert loss(design, scores, before, other) > least


def test_the_width_is_the_inverse_curvature_at_the_likeliest_numbers() -> None:
    design, scores, _ = world(60, 3)
    before = prior(3)
    found = fit_posterior(design, scores, before)
    step = 1e-3 * np.eye(3)

    def at(*moves: Table) -> float:
        return loss(design, scores, before, found.mean + np.sum(moves, axis=0))

    curvature = [
        [(at(a, b) - at(a, -b) - at(-a, b) + at(-a, -b)) / 4e-6 for b in step] for a in step
    ]
    np.testing.assert_allclose(np.linalg.inv(curvature), found.covariance, rtol=1e-3, atol=1e-5)


def test_the_belief_covers_the_truth_as_often_as_it_says() -> None:
    inside: list[bool] = []
    for seed in range(60):
        design, scores, true = world(40, 3, seed)
        found = fit_posterior(design, scores, prior(3))
        inside.extend(np.abs(found.mean - true) < np.sqrt(np.diag(found.covariance)))
    assert 0.58 < np.mean(inside) < 0.78  # 68 % of a normal lies within one deviation


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 1000))
def test_more_rows_never_widen_the_belief(some: int, more: int, seed: int) -> None:
    design, _, _ = world(some + more, 3, seed)
    # The width depends on where the mean lies as well; where it does not move, only on rows.
    scores = 1 / (1 + np.exp(-design.offset))
    few = fit_posterior(design.only(np.arange(some)), scores[:some], prior(3))
    many = fit_posterior(design, scores, prior(3))
    assert (variances(many, design) <= variances(few, design) + 1e-9).all()


def test_rows_far_off_the_prior_do_not_break_the_search() -> None:
    features = np.array([[1000.0, 1.0], [-1000.0, 1.0], [0.0, 1.0]])
    design = Design(np.array([500.0, -500.0, 0.0]), features)
    found = fit_posterior(design, np.array([0.0, 1.0, 1.0]), prior(2, 100.0))
    assert np.isfinite(found.mean).all()
    assert found.mean[0] < -0.4
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


def test_doubt_draws_a_prediction_to_a_half() -> None:
    design = Design(np.array([2.0]), np.array([[1.0]]))
    sure, unsure = (Gaussian(np.zeros(1), np.array([[v]])) for v in (1e-6, 4.0))
    [certain], [drawn] = predict_with(sure, design), predict_with(unsure, design)
    assert certain == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-4)
    draws = 2.0 + 2.0 * np.random.default_rng(1).standard_normal(100_000)
    assert drawn == pytest.approx(np.mean(1 / (1 + np.exp(-draws))), abs=0.02)
