"""The head's arrays as one linear model per served model: all that fitting knows of a head."""

from __future__ import annotations

import numpy as np

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer import artifact
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.posterior import Design, Floats, Gaussian

# Trained numbers were drawn towards the line by their penalties, so that they differ less than
# models do: by about this factor in variance. It, and the shares below, were chosen on models
# left out of training (tests/benchmarks/learning_curves.py, tuning fold).
_DRAWN_TOGETHER = 2.0
# The spread of strength that held-out families showed holds what sets models off the line as
# well; this share of it is believed to be strength.
_OF_STRENGTH = 0.5
# Of the covariance between numbers, seen on some eighty models, this share is believed to be
# chance; and no number is believed to be fixed, even where no trained model differs.
_CHANCE = 0.1
_LEAST_VARIANCE = 1e-4
# A model seen in training is known, but by other people's prompts: this share of a stranger's
# variance is left.
_LEFT_BY_TRAINING = 0.1
# Residual deviation of the logarithm of an answer's length.
LENGTH_NOISE = 0.5


def sizes(head: Head) -> tuple[int, int]:
    """Return how many numbers of its own a model has for success, and for lengths."""
    members = len(head.weights)
    return members * head.dim + 1, members * head.token_dim + 1


def success_design(head: Head, signals: artifact.Floats, local: Floats | None = None) -> Design:
    """Return N prompts' logits of success as a linear model, from signals (E, N, K).

    A model's numbers are its latents of all members and its bias. `local` (N,) is what the memory
    says of a trained model, `nan` where nothing; without it the model is a stranger to it.
    """
    calibration = head.calibration
    features = _joined(head, signals[..., : head.dim])
    easiness = head.weights.astype(np.float64) @ signals[..., head.dim]
    share = np.zeros(len(easiness))
    if local is not None:
        share = np.where(np.isfinite(local), calibration.local_share, 0.0)
        easiness = (1 - share) * easiness + share * np.nan_to_num(local)
    return Design(
        calibration.scale * easiness + calibration.shift,
        calibration.scale * (1 - share)[:, None] * features,
    )


def length_design(head: Head, signals: artifact.Floats) -> Design:
    """Return N prompts' logarithm of length as a linear model, from signals (E, N, K)."""
    features = _joined(head, signals[..., head.dim + 1 : -1])
    return Design(head.weights.astype(np.float64) @ signals[..., -1], features)


def facts_prior(head: Head, facts: ModelFacts) -> Gaussian:
    """Return what a stranger's facts say: the line at its strength, as unsure as strength is.

    Around the line it may be as far off as trained models are, in the ways they are (empirical
    Bayes).
    """
    origin, slope = _stacked(head, head.origin[:, None])[0], _stacked(head, head.slope[:, None])[0]
    strength, spread = head.prior.strength([facts])
    off = _covariance(_off_the_line(_trained(head), origin, slope))
    return Gaussian(
        origin + strength[0] * slope,
        off + _OF_STRENGTH * spread[0] ** 2 * np.outer(slope, slope),
    )


def latent_prior(head: Head, row: int) -> Gaussian:
    """Return what training says of the model of that row."""
    stranger = facts_prior(head, ModelFacts(head.models[row]))
    return Gaussian(_trained(head)[row], _LEFT_BY_TRAINING * stranger.covariance)


def length_prior(head: Head, row: int | None) -> Gaussian:
    """Return what is believed of a model's lengths: its own, or the reference models' mean."""
    trained = np.concatenate(
        [*head.token_latent, (head.weights @ head.token_bias)[:, None]], axis=1, dtype=np.float64
    )  # (M, E·token_dim + 1)
    mean = trained[list(head.panel)].mean(axis=0)
    covariance = _covariance(trained - mean)
    if row is None:
        return Gaussian(mean, covariance)
    return Gaussian(trained[row], _LEFT_BY_TRAINING * covariance)


def _joined(head: Head, signals: artifact.Floats) -> Floats:
    """Return (N, E·dim + 1): the members' signals side by side, weighed, and a 1 for the bias."""
    weighed = signals * head.weights[:, None, None]
    ones = np.ones((signals.shape[1], 1))
    return np.concatenate([*weighed, ones], axis=1, dtype=np.float64)


def _trained(head: Head) -> Floats:
    """Return the trained models' numbers (M, E·dim + 1)."""
    return _stacked(head, np.concatenate([head.latent, head.bias[..., None]], axis=-1))


def _stacked(head: Head, numbers: artifact.Floats) -> Floats:
    """Return rows (E, R, dim + 1), bias last, as rows (R, E·dim + 1)."""
    bias = np.tensordot(head.weights, numbers[..., -1], axes=1)[:, None]
    return np.concatenate([*numbers[..., :-1], bias], axis=1, dtype=np.float64)


def _off_the_line(numbers: Floats, origin: Floats, slope: Floats) -> Floats:
    """Return how far models (R, K) are from their nearest point of the line."""
    away = numbers - origin
    off: Floats = away - np.outer(away @ slope / (slope @ slope), slope)
    return off


def _covariance(deviations: Floats) -> Floats:
    """Return how a stranger may deviate, (K, K), given how trained models do, (R, K).

    Only the models that were asked of a task deviate on it, so that a number's variance over all
    models says too little of one who is. Where few deviate, the fourth moment over three times
    the second is their own variance, and where all do, as normal numbers, it is that of all.
    """
    variance = (deviations**2).mean(axis=0) + 1e-12
    own = (deviations**4).mean(axis=0) / (3 * variance)
    widened = np.sqrt(np.maximum(own / variance, 1))
    wide = deviations * widened
    covariance = wide.T @ wide / len(wide)
    variance = np.diag(covariance)
    shrunk: Floats = (1 - _CHANCE) * covariance + np.diag(_CHANCE * variance + _LEAST_VARIANCE)
    return _DRAWN_TOGETHER * shrunk
