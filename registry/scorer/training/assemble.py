"""Trained networks become the arrays that the scorer runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from rolecall.registry.scorer.artifact import Calibration, Floats, Head, rounded
from rolecall.registry.scorer.encode import VIEWS, WIDTH
from rolecall.registry.scorer.memory import along
from rolecall.registry.scorer.signals import read_signals
from rolecall.registry.scorer.strength import FactsPrior
from rolecall.registry.scorer.training.beliefs import TrainingModel, fit_imputation, with_weights
from rolecall.registry.scorer.training.network import Network

PLAIN = Calibration(scale=1.0, shift=0.0, local_share=0.0, latent_spread=0.0, token_shift=0.0)
# A place's outcomes are drawn to the model's mean as by so many prompts.
_MEAN_PROMPTS = 4.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the networks in a head: names, input scales and the unfitted prior.

    `asked` (T, M) is the share of each task's training prompts that each model was asked.
    """

    version: str
    models: tuple[TrainingModel, ...]
    tasks: tuple[str, ...]
    prior: FactsPrior
    feature_mean: Floats
    feature_scale: Floats
    phrase_mean: Floats
    phrase_scale: Floats
    asked: Floats

    def only(self, models: NDArray[np.intp]) -> Frame:
        """Return the frame of these models alone, which alone say how to fill in facts."""
        kept = tuple(self.models[index] for index in models)
        return replace(self, models=kept, prior=fit_imputation(kept), asked=self.asked[:, models])


@dataclass(frozen=True, slots=True)
class Memory:
    """Places (P, A) along axes (768, A), and the outcomes there (P, M), as logits."""

    axes: Floats
    places: Floats
    outcomes: Floats
    temperature: float


def no_memory(models: int) -> Memory:
    """Return a memory of nothing."""
    nothing = np.zeros((0, 0), np.float32)
    return Memory(np.zeros((2 * WIDTH, 0), np.float32), nothing, nothing.reshape(0, models), 1.0)


def head_of(frame: Frame, networks: Sequence[Network], memory: Memory) -> Head:
    """Return the uncalibrated head made of networks' members; its facts spread is still 0.


    Each member reads the columns its network reads. How facts become strength is the first's.
    """
    shape, inputs = networks[0].shape, len(VIEWS) * WIDTH + len(frame.feature_mean)
    with torch.no_grad():
        weights = networks[0].fact_weights().tolist()
        strength = _array(networks[0].strength())
        latents = torch.cat([network.latents() for network in networks])
        line = torch.cat([network.line() for network in networks])
    members = len(latents)

    def stacked(name: str) -> Floats:
        return _array(torch.cat([getattr(network, name) for network in networks]))

    def by_input(name: str) -> Floats:
        found = []
        for network in networks:
            read: torch.Tensor = getattr(network, name).detach()  # (E, columns, ·)
            every = torch.zeros(len(read), inputs, read.shape[2])
            every[:, network.reads] = read
            found.append(every)
        return _array(torch.cat(found))

    return Head(
        version=frame.version,
        models=tuple(model.facts.model for model in frame.models),
        panel=tuple(i for i, m in enumerate(frame.models) if not (m.base or m.narrow)),
        tasks=frame.tasks,
        dim=shape.width,
        token_dim=shape.token_width,
        memory_temperature=memory.temperature,
        prior=with_weights(frame.prior, weights, 0.0),
        calibration=PLAIN,
        weights=np.full(members, 1 / members, dtype=np.float32),
        feature_mean=frame.feature_mean,
        feature_scale=frame.feature_scale,
        phrase_mean=frame.phrase_mean,
        phrase_scale=frame.phrase_scale,
        hidden_weight=by_input("hidden_weight"),
        hidden_bias=stacked("hidden_bias"),
        signal_weight=stacked("signal_weight"),
        signal_bias=stacked("signal_bias"),
        task_weight=by_input("task_weight"),
        task_bias=stacked("task_bias"),
        task_signals=np.zeros((0, 0, 0), np.float32),
        latent=_array(latents[..., :-1]),
        bias=_array(latents[..., -1]),
        origin=stacked("origin"),
        slope=_array(line),
        strength=strength,
        asked=rounded(frame.asked),
        token_latent=stacked("token_latent"),
        token_bias=stacked("token_bias"),
        axes=rounded(memory.axes),
        places=rounded(memory.places),
        outcomes=rounded(memory.outcomes),
    )


def asked_shares(scores: Floats, tasks: NDArray[np.int64], count: int) -> Floats:
    """Return what share of each task's prompts each model was asked, (T, M), 0 without any.

    `scores` (N, M) are `nan` where it was not; `tasks` (N,) are below `count`, -1 for none.
    """
    known = ~np.isnan(scores)
    shares = np.zeros((count, known.shape[1]), dtype=np.float32)
    for task in np.unique(tasks[tasks >= 0]):
        shares[task] = known[tasks == task].mean(axis=0)
    return shares


def with_task_signals(
    head: Head, views: Floats, features: Floats, tasks: NDArray[np.int64]
) -> Head:
    """Return the head with the mean signals (E, T, K) of each task's prompts; -1 is no task."""
    signals = read_signals(head, views, features)  # (E, N, K)
    means = [signals[:, tasks == task].mean(axis=1) for task in range(len(head.tasks))]
    return replace(head, task_signals=rounded(np.stack(means, axis=1)))


def axes_of(vectors: Floats, count: int) -> Floats:
    """Return the axes (768, A) along which vectors (N, 768) differ most: principal components."""
    values, directions = np.linalg.eigh(np.cov(vectors, rowvar=False))
    found: Floats = directions[:, np.argsort(-values)[:count]].astype(np.float32)
    return found


def memory_of(
    vectors: Floats, scores: Floats, axes: Floats, *, places: int, temperature: float, seed: int
) -> Memory:
    """Gather training prompts, vectors (N, 768) and scores (N, M), into places along the axes.

    A place's outcome is the mean of its prompts' scores, drawn to the model's mean.
    """
    count = min(places, len(vectors))
    clusters = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=4096, max_iter=30)
    chosen = clusters.fit_predict(along(vectors, axes))
    centres = clusters.cluster_centers_
    centres = centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)
    known = ~np.isnan(scores)
    cases = known.sum(axis=0)
    mean = np.nan_to_num(scores).sum(axis=0) / np.maximum(cases, 1)
    member = np.zeros((count, len(vectors)), dtype=np.float32)
    member[chosen, np.arange(len(vectors))] = 1
    seen = member @ known.astype(np.float32)  # (P, M)
    total = member @ np.nan_to_num(scores)
    success = (total + _MEAN_PROMPTS * mean) / (seen + _MEAN_PROMPTS)
    success = np.clip(success, 0.01, 0.99)
    outcomes = np.where(seen > 0, np.log(success / (1 - success)), np.nan)
    return Memory(axes, centres.astype(np.float32), outcomes.astype(np.float32), temperature)


def _array(tensor: torch.Tensor) -> Floats:
    return rounded(tensor.detach().contiguous().numpy())
