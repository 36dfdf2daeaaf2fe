"""Fitted models as they are kept, and what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.evidence import FittedModel
from rolecall.registry.scorer import artifact
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.design import length_design, sizes, success_design
from rolecall.registry.scorer.posterior import Design, Floats, Gaussian, predict_with

_STORED = "<f4"


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one model: of its success, and its numbers for lengths or null."""

    success: Gaussian
    lengths: Floats | None


class FittedLatents:
    """Models fitted for one head, ready to predict."""

    def __init__(self, head: Head, beliefs: dict[str, Belief]) -> None:
        self._head = head
        self._beliefs = beliefs
        self._row_of = {model: row for row, model in enumerate(head.models)}

    def __contains__(self, model: str) -> bool:
        """Tell whether a model was fitted, by the last part of its name, whatever the case."""
        return short_name(model) in self._beliefs

    def belief(self, model: str) -> Belief | None:
        """Return what is believed of a model, null for one that was not fitted."""
        return self._beliefs.get(short_name(model))

    def success(self, model: str, signals: artifact.Floats, local: Floats) -> tuple[Floats, Floats]:
        """Return success and deviation (N,) of a fitted model.

        `signals` (E, N, K) and what the memory says, `local` (N, M), are of N prompts.
        """
        name = short_name(model)
        design = success_design_of(self._head, name, signals, local)
        spread = self._head.calibration.latent_spread
        return predict_with(self._beliefs[name].success, design, spread=spread)

    def log_tokens(self, model: str, signals: artifact.Floats) -> Floats | None:
        """Return the uncorrected log length (N,); null where no row told a length."""
        numbers = self._beliefs[short_name(model)].lengths
        if numbers is None:
            return None
        design = length_design(self._head, signals)
        return design.offset + design.features @ numbers


def fitted_latents(head: Head, fitted: Sequence[FittedModel]) -> FittedLatents:
    """Return the stored fits of this head's version, ready to predict.

    Those of other versions are left out. Raises ScorerUnusable for one that is not of the
    head's shape.
    """
    beliefs = {
        one.model: _unpacked(head, one) for one in fitted if one.scorer_version == head.version
    }
    return FittedLatents(head, beliefs)


def success_design_of(head: Head, model: str, signals: artifact.Floats, local: Floats) -> Design:
    """Return the design of a model's success, with its memory (N, M) if it was trained."""
    name = short_name(model)
    if name not in head.models:
        return success_design(head, signals)
    return success_design(head, signals, local[:, head.models.index(name)])


def short_name(model: str) -> str:
    """Return how the scorer knows a model: the last part of its name, in lower case."""
    return model.rsplit("/", 1)[-1].lower()


def packed(belief: Belief) -> tuple[bytes, bytes, bytes | None]:
    """Return mean, lower triangle of the covariance, and numbers for lengths, as bytes."""
    covariance = belief.success.covariance
    triangle = covariance[np.tril_indices(len(covariance))]
    return (
        _bytes(belief.success.mean),
        _bytes(triangle),
        None if belief.lengths is None else _bytes(belief.lengths),
    )


def _unpacked(head: Head, fitted: FittedModel) -> Belief:
    count, lengths_count = sizes(head)
    mean = _numbers(fitted, fitted.mean, count)
    triangle = _numbers(fitted, fitted.covariance, count * (count + 1) // 2)
    covariance = np.zeros((count, count))
    covariance[np.tril_indices(count)] = triangle
    covariance += np.tril(covariance, -1).T
    lengths = None
    if fitted.tokens is not None:
        lengths = _numbers(fitted, fitted.tokens, lengths_count)
    return Belief(Gaussian(mean, covariance), lengths)


def _numbers(fitted: FittedModel, blob: bytes, count: int) -> Floats:
    numbers = np.frombuffer(blob, dtype=_STORED).astype(np.float64) if not len(blob) % 4 else ()
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ScorerUnusable(
            f"what was fitted for {fitted.model} is damaged",
            hint=f"rolecall scorer fit {fitted.model} --forget",
        )
    return np.asarray(numbers)


def _bytes(numbers: Floats) -> bytes:
    return numbers.astype(_STORED).tobytes()
