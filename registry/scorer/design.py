"""The head's arrays as one linear model per served model: all that fitting knows of a head."""

from __future__ import annotations

import numpy as np

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer import artifact
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.posterior import Design, Floats, Gaussian
from rolecall.registry.scorer.signals import likeness

# A stranger differs from the line as its peers do, but for this factor in variance. It, and the
# shares below, were chosen on models left out of training (tests/benchmarks/learning_curves.py,
# tuning fold).
_LIKE_PEERS = 0.7
# Beside its peers, any model counts as so many of them; on a task, that stands on the line.
_ANY_AS_PEERS = 1.0
# Peers' facts were seen in training, so that their strength is better known than a stranger's: of
# the spread that held-out families showed, this share of the variance comes on top.
_OF_STRENGTH = 0.1
# Of the covariance between numbers, seen on seven to eighty models, this share is believed to be
# chance; and no number is believed to be fixed, even where no trained model differs.
_CHANCE = 0.3
_LEAST_VARIANCE = 1e-4
# A model seen in training is known, but by other people's prompts: this share of a stranger's
# variance is left.
_LEFT_BY_TRAINING = 0.1
# Numbers for lengths were drawn together by their penalties: they differ less than models do, by
# about this factor in variance.
_DRAWN_TOGETHER = 2.0
_CHANCE_OF_LENGTHS = 0.1
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


def facts_prior(head: Head, facts: ModelFacts, asked: artifact.Floats) -> Gaussian:
    """Return what is believed of a stranger that was asked prompts of these signals (E, N, K).

    Its facts place it on the line, give or take what facts leave open. From there it is off as its
    peers are, the trained models that were asked such prompts: as far as they are on average, as
    unsure as they differ, in the ways they differ (empirical Bayes). Where it has few, it is drawn
    to the line, and may be as far off as any model is.
    """
    origin, slope = _stacked(head, head.origin[:, None])[0], _stacked(head, head.slope[:, None])[0]
    [strength], [spread] = head.prior.strength([facts])
    by_task, off = _off_the_line(head, origin, slope)  # (K,), (M, K)
    share = _peers(head, asked)
    count = 1 / np.square(share).sum()  # Kish's effective number
    told = count / (count + _ANY_AS_PEERS)
    usual = told * (share @ off)
    apart = _drawn_to_chance((off - usual) * np.sqrt(share)[:, None], _CHANCE)
    covariance = _LIKE_PEERS * (told * apart + (1 - told) * _of_any(off, _CHANCE))
    # Most of how far strength strays is in how the peers differ; what had to be guessed is not.
    strays = max(spread**2 - (1 - _OF_STRENGTH) * head.prior.spread**2, 0.0)
    covariance += strays * np.outer(slope, slope)
    return Gaussian(origin + strength * slope + by_task + usual, covariance)


def latent_prior(head: Head, row: int, asked: artifact.Floats) -> Gaussian:
    """Return what training says of the model of that row, likewise."""
    stranger = facts_prior(head, ModelFacts(head.models[row]), asked)
    return Gaussian(_trained(head)[row], _LEFT_BY_TRAINING * stranger.covariance)


def length_prior(head: Head, row: int | None) -> Gaussian:
    """Return what is believed of a model's lengths: its own, or the reference models' mean."""
    trained = np.concatenate(
        [*head.token_latent, (head.weights @ head.token_bias)[:, None]], axis=1, dtype=np.float64
    )  # (M, E·token_dim + 1)
    mean = trained[list(head.panel)].mean(axis=0)
    covariance = _DRAWN_TOGETHER * _of_any(trained - mean, _CHANCE_OF_LENGTHS)
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


def _off_the_line(head: Head, origin: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Return how far off models are from where their facts place them: by task (K,), and beyond.

    What all that were asked of a task have in common there, their biases included, is the task's.
    The rest, (M, K), is each trained model's own; of a task it was never asked, it has nothing.
    """
    off = _trained(head) - origin - np.outer(head.strength, slope)
    by_task = np.zeros_like(origin)
    asked = head.asked.T > 0  # (M, T)
    counts = asked.sum(axis=0)
    free = head.dim - len(head.tasks)
    for member in range(len(head.weights)):
        place = slice(member * head.dim + free, (member + 1) * head.dim)
        there = np.where(asked, off[:, place] + off[:, -1:], 0)
        by_task[place] = there.sum(axis=0) / (counts + _ANY_AS_PEERS)
        off[:, place] = np.where(asked, off[:, place] - by_task[place], 0)
    return by_task, off


def _peers(head: Head, asked: artifact.Floats) -> Floats:
    """Return how much each trained model counts as a peer (M,), in sum 1.

    A model is one as far as it was asked of the tasks that these signals (E, N, K) are like.
    """
    like = likeness(head, asked).mean(axis=0)  # (T,)
    share = np.square(like @ head.asked.astype(np.float64))
    return share / share.sum() if share.sum() > 0 else np.full(len(share), 1 / len(share))


def _of_any(deviations: Floats, chance: float) -> Floats:
    """Return how any model may deviate, (K, K), given how trained ones do, (R, K).

    Only the models that were asked of a task deviate on it, so that a number's variance over all
    models says too little of one who is. Where few deviate, the fourth moment over three times
    the second is their own variance, and where all do, as normal numbers, it is that of all.
    """
    variance = (deviations**2).mean(axis=0) + 1e-12
    own = (deviations**4).mean(axis=0) / (3 * variance)
    widened = np.sqrt(np.maximum(own / variance, 1))
    return _drawn_to_chance(deviations * widened / np.sqrt(len(deviations)), chance)


def _drawn_to_chance(deviations: Floats, chance: float) -> Floats:
    """Return the covariance (K, K) of deviations (R, K), each weighed by the root of its share."""
    covariance = deviations.T @ deviations
    shrunk: Floats = (1 - chance) * covariance
    shrunk += np.diag(chance * np.diag(covariance) + _LEAST_VARIANCE)
    return shrunk
