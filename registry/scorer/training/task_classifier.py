"""Train the task classifier: `python -m rolecall.registry.scorer.training.task_classifier`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from rolecall.registry.scorer.arrays import Floats, Table
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.task_classifier import (
    BUCKETS,
    WIDTH,
    TaskClassifier,
    dense_features,
    hashed_features,
    save_task_classifier,
)
from rolecall.registry.scorer.task_cues import task_cues
from rolecall.registry.scorer.training.task_examples import Example, task_examples

Encode = Callable[[Sequence[str]], Floats]
BINS = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 1.01)


# Chosen on the predictions for examples held out.
_SEED = 0
DRAWS = 3  # of the expansions of each template: with one, figures move by chance
_FOLDS = 3
_VECTOR_SCALE = 3.0
_HASHED_SCALE = 4.0
_REGULARISATION = 0.4  # scikit-learn's C
_ITERATIONS = 60
_WRONG_COSTS = 0.5  # what a wrong kind costs, where a right one earns 1


def train_task_classifier(encode: Encode, folder: Path = PRETRAINED) -> list[str]:
    """Train on all examples, save the classifier in `folder`, return the report's lines.

    `encode` returns the sentence vectors (N, 384) of texts. Calibration and threshold come from
    predictions for examples held out in turn: half of the templates as a whole, so that their
    wording is new, the others text by text.
    """
    examples = _drawn()
    kinds = sorted({example.kind for example in examples})
    labels = np.array([kinds.index(example.kind) for example in examples])
    features = _features(examples, encode)
    weights = _weights(examples)
    held_out = np.zeros((len(examples), len(kinds)))
    with threadpool_limits(1):
        for rows, rest in _folds(examples):
            fitted = _fit(features[rest], labels[rest], weights[rest])
            held_out[rows] = fitted.decision_function(features[rows])
        final = _fit(features, labels, weights)
    scale = _calibrated_scale(held_out, labels, weights)
    parents = [kind.split(".")[0] for kind in kinds]
    names = list(dict.fromkeys(parents))
    member = np.array([[parent == name for name in names] for parent in parents])
    families, true = softmax(held_out * scale, axis=1) @ member, member[labels].argmax(axis=1)
    least = _threshold(families, true, names.index("general"), weights)
    coefficients = final.coef_.T  # (features, kinds)
    dense = np.concatenate([coefficients[:-BUCKETS], final.intercept_[None]])
    dense[:WIDTH] *= _VECTOR_SCALE
    classifier = TaskClassifier(
        kinds,
        dense.astype(np.float32),
        (coefficients[-BUCKETS:] * _HASHED_SCALE).astype(np.float16),
        scale=scale,
        least=least,
    )
    save_task_classifier(classifier, folder)
    summary = f"{len(examples)} examples, scale {scale:.2f}, general below {least:.2f}"
    return [summary, *_report(examples, families, true, names)]


def _drawn() -> list[Example]:
    """Return the examples of all draws, each once."""
    seeds = range(_SEED, _SEED + DRAWS)
    return list(dict.fromkeys(example for seed in seeds for example in task_examples(seed)))


def _features(examples: Sequence[Example], encode: Encode) -> sparse.csr_matrix:
    texts = [example.text for example in examples]
    vectors = encode(texts)
    dense = np.array(
        [
            # The constant is the intercept.
            dense_features(vector, task_cues(example.text, example.files))[:-1]
            for example, vector in zip(examples, vectors, strict=True)
        ]
    )
    dense[:, :WIDTH] *= _VECTOR_SCALE
    hashed = [hashed_features(text) for text in texts]
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in hashed)])
    table = sparse.csr_matrix(
        (
            np.concatenate([weights for _, weights in hashed]) * _HASHED_SCALE,
            np.concatenate([buckets for buckets, _ in hashed]),
            starts,
        ),
        shape=(len(texts), BUCKETS),
    )
    return sparse.hstack([sparse.csr_matrix(dense), table]).tocsr()


def _weights(examples: Sequence[Example]) -> Table:
    """Every kind weighs as much as every other, in English and elsewhere."""
    cells = [(example.language == "en", example.kind.split(".")[0]) for example in examples]
    counts = {cell: cells.count(cell) for cell in set(cells)}
    return np.array([len(cells) / len(counts) / counts[cell] for cell in cells])


def _folds(examples: Sequence[Example]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    rng = np.random.default_rng(_SEED)
    groups = np.array([example.group for example in examples])
    by_group = rng.integers(0, _FOLDS, groups.max() + 1)[groups]
    by_text = rng.integers(0, _FOLDS, len(examples))
    whole = (rng.random(groups.max() + 1) < 0.5)[groups]
    fold = np.where(whole, by_group, by_text)
    for number in range(_FOLDS):
        yield np.flatnonzero(fold == number), np.flatnonzero(fold != number)


def _fit(
    features: sparse.csr_matrix, labels: NDArray[np.intp], weights: Table
) -> LogisticRegression:
    model = LogisticRegression(C=_REGULARISATION, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        # Stopping early is part of the regularisation.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, labels, sample_weight=weights)


def _calibrated_scale(logits: Table, labels: NDArray[np.intp], weights: Table) -> float:
    """Return the factor on the logits of the least weighted log loss."""
    rows = np.arange(len(labels))
    scales = np.geomspace(0.25, 4, 81)
    losses = [
        -(np.log(softmax(logits * scale, axis=1)[rows, labels] + 1e-12) * weights).sum()
        for scale in scales
    ]
    return float(scales[int(np.argmin(losses))])


def _threshold(families: Table, true: NDArray[np.intp], general: int, weights: Table) -> float:
    """Return the least probability from which saying the kind beats saying `general`."""
    told = families.argmax(axis=1)
    best, chosen = -np.inf, 0.0
    for least in np.arange(0.1, 0.7, 0.02):
        said = np.where(families.max(axis=1) < least, general, told)
        wrong = (said != true) & (said != general)
        value = float((weights * ((said == true) - _WRONG_COSTS * wrong)).sum())
        if value > best:
            best, chosen = value, float(least)
    return round(chosen, 2)


def _report(
    examples: Sequence[Example], families: Table, true: NDArray[np.intp], names: Sequence[str]
) -> Iterator[str]:
    stated = families.max(axis=1)
    right = families.argmax(axis=1) == true
    english = np.array([example.language == "en" for example in examples])
    for where, rows in (("English", english), ("other languages", ~english)):
        yield f"{where}, held out in turn: {_share(right[rows])} right"
        for index, name in enumerate(names):
            yield f"  {name:10} {_share(right[rows & (true == index)])}"
    for low, high in pairwise(BINS):
        rows = (stated >= low) & (stated < high)
        if rows.any():
            said, was = stated[rows].mean(), right[rows].mean()
            yield f"said {said:.2f}: {was:.2f} right of {rows.sum()}"


def _share(right: NDArray[np.bool_]) -> str:
    return f"{right.mean():.3f} of {len(right)}" if len(right) else "none"


if __name__ == "__main__":
    print("\n".join(train_task_classifier(Scorer.load().encode)))  # noqa: T201
