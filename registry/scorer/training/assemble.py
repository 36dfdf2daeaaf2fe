"""A trained network and its judged prompts become the head that ships."""

from __future__ import annotations

import numpy as np
import torch

from rolecall.registry.scorer.arrays import Floats, Rows
from rolecall.registry.scorer.artifact import Calibration, Head, rounded
from rolecall.registry.scorer.encoder import PHRASES, WIDTH
from rolecall.registry.scorer.knn import Neighbours, as_blocks, in_steps, joint_embedding
from rolecall.registry.scorer.model import raw_inputs
from rolecall.registry.scorer.public_scores import read_scores
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData
from rolecall.registry.scorer.training.model_facts import facts_of
from rolecall.registry.scorer.training.network import Examples, Network, train_network
from rolecall.registry.scorer.training.prior import as_prior, model_inputs

_LEAST_SCALE = 1e-3
_MOST_DEVIATIONS = 4.0
# How far a trained latent may be off, as a share of how far the models' latents lie apart.
_TRAINED_SPREAD = 0.15
_AGENT = "agent/"
_FEW_PROMPTS = 3.0


def assemble(data: TrainingData, rows: Rows, settings: Settings, version: str) -> Head:
    """Train on these rows and return the head, not yet calibrated."""
    raw = raw_inputs(data.embeddings, data.features)
    mean, scale = raw[rows].mean(axis=0), raw[rows].std(axis=0) + np.float32(_LEAST_SCALE)
    # Sentence embeddings are scaled as if all their numbers had the same deviation.
    mean[:WIDTH], scale[:WIDTH] = 0.0, WIDTH**-0.5
    inputs = np.clip((raw[rows] - mean) / scale, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    judged = data.judged.only(rows)
    weights = data.weights(rows, settings.set_power)
    others = raw_inputs(data.augmented_embeddings[rows], data.augmented_features[rows])
    others = np.clip((others - mean) / scale, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    scores = read_scores()
    table_facts = facts_of(tuple(dict.fromkeys(one.model for one in scores)))
    known = model_inputs(facts_of(judged.models), scores, table_facts)
    examples = Examples(
        inputs=np.concatenate([inputs, others]),
        scores=np.tile(judged.scores, (2, 1)),
        known=known.rows(facts_of(judged.models)).astype(np.float32),
        weights=np.tile(weights, 2),
        tasks=np.tile(data.task_of[rows], 2),
        task_count=len(data.tasks),
    )
    network = train_network(examples, settings)
    own, expected = _numpy(network.own), _numpy(network.expected())
    level, common = _numpy(network.level)[0], _numpy(network.common)
    prior = as_prior(known, *(one.astype(np.float64) for one in (level, common, own)))
    latent = expected + own
    asked, means = _by_task(data, rows)
    usual = _usual_signals(network, inputs, data.task_of[rows], len(data.tasks))
    return Head(
        version=version,
        models=judged.models,
        panel=_panel(judged.scores, np.array(judged.datasets), settings.panel),
        tasks=data.tasks,
        calibration=Calibration(
            scale=1.0,
            shift=0.0,
            local_share=settings.local_share,
            local_weight=settings.local_weight,
            task_share=settings.task_share,
            far=0.0,
            near=0.0,
            spread=0.5,
            far_spread=settings.far_spread,
        ),
        prior=prior,
        neighbours=neighbours_of(data, rows, settings),
        input_mean=mean,
        input_scale=scale,
        hidden_weight=rounded(_numpy(network.hidden.weight).T),
        hidden_bias=_numpy(network.hidden.bias),
        signal_weight=rounded(_numpy(network.signal.weight).T),
        signal_bias=_numpy(network.signal.bias),
        task_weight=rounded(_numpy(network.task.weight).T),
        task_bias=_numpy(network.task.bias),
        task_loading=_numpy(network.task_loading),
        task_offset=_numpy(network.task_offset),
        usual_signals=usual,
        general_loading=_general_loading(network, usual, data, rows),
        latent=rounded(latent),
        expected_latent=rounded(expected),
        latent_covariance=(_TRAINED_SPREAD**2 * np.cov(latent, rowvar=False)).astype(np.float32),
        asked=asked,
        task_means=means,
    )


def neighbours_of(data: TrainingData, rows: Rows, settings: Settings) -> Neighbours:
    """Return the judged prompts among these rows as neighbours, so many of each set at most."""
    rng = np.random.default_rng(settings.seed)
    sets = data.set_of
    kept = np.concatenate(
        [
            np.sort(rng.permutation(rows[sets[rows] == name])[: settings.memory_prompts])
            for name in np.unique(sets[rows])
        ]
    )
    phrases = data.embeddings[rows, PHRASES]
    mean, scale = phrases.mean(axis=0), phrases.std(axis=0) + np.float32(_LEAST_SCALE)
    joined = joint_embedding(data.embeddings[kept], mean, scale)
    # The second moment, not the covariance: a place's length is what its axes hold of the prompt.
    values, vectors = np.linalg.eigh((joined.T @ joined).astype(np.float64))
    axes = vectors[:, np.argsort(values)[::-1][: settings.axes]]
    axes = (axes * np.sign(axes.sum(axis=0))).astype(np.float32)  # of either sign, one
    judged = data.judged.only(kept)
    agents = frozenset(
        dataset
        for dataset, task in zip(judged.datasets, judged.tasks, strict=True)
        if task.startswith(_AGENT)
    )
    order, blocks = as_blocks(judged.scores, judged.datasets, agents)
    places = in_steps(joined[order] @ axes)
    return Neighbours(
        temperature=settings.temperature,
        phrase_mean=mean,
        phrase_scale=scale,
        axes=axes,
        places=places,
        blocks=blocks,
        model_count=len(judged.models),
    )


def _by_task(data: TrainingData, rows: Rows) -> tuple[Floats, Floats]:
    """Return how many prompts of each task each model was asked (T, M), and its mean on them.

    Means are drawn to the model's mean on the data set, that to its mean on all.
    """
    scores, places = data.judged.scores[rows], data.task_of[rows]
    asked, sums = (np.zeros((len(data.tasks), scores.shape[1]), dtype=np.float32) for _ in range(2))
    np.add.at(asked, places, np.isfinite(scores))
    np.add.at(sums, places, np.nan_to_num(scores))
    usual = (sums.sum(axis=0) + 0.5) / (asked.sum(axis=0) + 1)
    of_set = np.array([task.split("/")[0] for task in data.tasks])
    means = np.empty_like(sums)
    for name in np.unique(of_set):
        own = of_set == name
        told, count = sums[own].sum(axis=0), asked[own].sum(axis=0)
        level = (told + _FEW_PROMPTS * usual) / (count + _FEW_PROMPTS)
        means[own] = (sums[own] + _FEW_PROMPTS * level) / (asked[own] + _FEW_PROMPTS)
    return asked, means


def _panel(
    scores: Floats, sets: np.ndarray[tuple[int], np.dtype[np.str_]], count: int
) -> tuple[int, ...]:
    """Return the reference models: those asked in most data sets, then most often, by number."""
    asked = np.isfinite(scores)
    in_sets = sum(asked[sets == name].any(axis=0).astype(int) for name in np.unique(sets))
    order = np.lexsort((np.arange(scores.shape[1]), -asked.sum(axis=0), -np.asarray(in_sets)))
    return tuple(sorted(order[:count].tolist()))


def _usual_signals(network: Network, inputs: Floats, tasks: Rows, count: int) -> Floats:
    """Return the mean signals (T, L + 1) of each task's prompts, before the tasks' own part."""
    with torch.no_grad():
        found = network.signal(torch.relu(network.hidden(torch.tensor(inputs)))).numpy()
    usual = np.zeros((count, found.shape[1]), dtype=np.float32)
    usual[:] = found.mean(axis=0)
    for task in np.unique(tasks):
        usual[task] = found[tasks == task].mean(axis=0)
    return usual


def _general_loading(network: Network, usual: Floats, data: TrainingData, rows: Rows) -> Floats:
    """Return the loading (1 + L,) of the average prompt, each data set counting the same."""
    loading = usual[:, :-1] + _numpy(network.task_loading)  # (T, L)
    sets = data.set_of[rows]
    by_set = [loading[data.task_of[rows][sets == name]].mean(axis=0) for name in np.unique(sets)]
    return np.concatenate([np.ones(1), np.mean(by_set, axis=0)]).astype(np.float32)


def _numpy(parameter: torch.Tensor) -> Floats:
    found: Floats = parameter.detach().numpy().astype(np.float32)
    return found
