"""The network and its training: what a prompt asks for meets each model's learned latent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import Rows

_log = logging.getLogger(__name__)
_PRIOR_SCORES = 4.0  # how many average scores a model's first ability counts beside its own
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Examples:
    """What the network learns from: N prompts and M models' scores, nan where not asked."""

    inputs: Floats  # (N, D), standardised
    scores: Floats  # (N, M)
    weights: Floats  # (N,), of each score
    tasks: Rows  # (N,)
    task_count: int
    sets: NDArray[np.str_]  # (N,)


class Network(nn.Module):
    """logit(m, x) = a_m + z_m · u(x) + d(x), with u and d of hidden units and of task shares."""

    def __init__(self, settings: Settings, inputs: int, task_count: int, ability: Floats) -> None:
        """`ability` (M,) are the models' first abilities, in logits."""
        super().__init__()
        latent = settings.latent
        self.hidden = nn.Linear(inputs, settings.hidden)
        self.signal = nn.Linear(settings.hidden, latent + 1)
        self.task = nn.Linear(inputs, task_count)
        self.dropout = nn.Dropout(settings.dropout)
        self.ability = nn.Parameter(torch.tensor(ability))  # (M,)
        self.latent = nn.Parameter(0.1 * torch.randn(len(ability), latent))  # (M, L)
        self.task_loading = nn.Parameter(0.1 * torch.randn(task_count, latent))  # (T, L)
        self.task_offset = nn.Parameter(torch.zeros(task_count))  # (T,)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return success logits (N, M) and task logits (N, T) of inputs (N, D)."""
        signals = self.signal(self.dropout(torch.relu(self.hidden(inputs))))  # (N, L + 1)
        tasks = self.task(inputs)
        shares = torch.softmax(tasks, dim=1)
        loading = signals[:, :-1] + shares @ self.task_loading
        offset = signals[:, -1] + shares @ self.task_offset
        return self.ability + loading @ self.latent.T + offset[:, None], tasks


def train_network(examples: Examples, settings: Settings) -> Network:
    """Train on all examples for the set number of epochs; the same seed gives the same network."""
    torch.manual_seed(settings.seed)
    dice = np.random.default_rng(settings.seed)
    count = len(examples.inputs)
    network = Network(
        settings,
        examples.inputs.shape[1],
        examples.task_count,
        first_abilities(examples.scores, examples.sets),
    )
    start = network.ability.detach().clone()
    decayed = [network.hidden.weight, network.signal.weight, network.task.weight]
    biases = [network.hidden.bias, network.signal.bias, network.task.bias]
    own = [network.ability, network.latent, network.task_loading, network.task_offset]
    rate = settings.learning_rate
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": biases, "weight_decay": 0.0},
            {"params": own, "weight_decay": 0.0},
        ],
        lr=rate,
    )
    batches = count // settings.batch or 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[rate, rate, 3 * rate],
        total_steps=settings.epochs * batches + 1,
        pct_start=0.15,
    )
    inputs, weights = torch.tensor(examples.inputs), torch.tensor(examples.weights)
    scores = torch.tensor(np.nan_to_num(examples.scores))
    asked = torch.tensor(np.isfinite(examples.scores))
    tasks = torch.tensor(examples.tasks)
    per_prompt = asked.sum().item() / count
    of_prompt = weights * asked.sum(dim=1) / per_prompt  # what a whole prompt counts
    order = np.arange(count)
    for epoch in range(settings.epochs):
        dice.shuffle(order)
        network.train()
        total = 0.0
        for number in range(batches):
            rows = torch.tensor(order[number * settings.batch : (number + 1) * settings.batch])
            seen = functional.dropout(inputs[rows], settings.input_dropout)
            logits, task_logits = network(seen)
            misfit = functional.binary_cross_entropy_with_logits(
                logits, scores[rows], reduction="none"
            )
            loss = (misfit * asked[rows] * weights[rows, None]).sum() / (per_prompt * len(rows))
            told = functional.cross_entropy(task_logits, tasks[rows], reduction="none")
            total += loss.item()
            loss = loss + settings.task_weight * (told * of_prompt[rows]).mean()
            loss = loss + _penalty(network, start, settings)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        _log.info("epoch %d of %d: loss %.4f", epoch + 1, settings.epochs, total / batches)
    network.eval()
    return network


def _penalty(network: Network, start: Tensor, settings: Settings) -> Tensor:
    """Return how far the latents are from what would be believed without their scores."""
    moved = (network.latent**2).sum() + 0.1 * ((network.ability - start) ** 2).sum()
    of_tasks = (network.task_loading**2).sum() + (network.task_offset**2).sum()
    return settings.latent_decay * moved / len(start) + settings.task_decay * of_tasks


def first_abilities(scores: Floats, sets: NDArray[np.str_]) -> Floats:
    """Return each model's first ability (M,), in logits, whichever sets it was asked.

    Its mean on a set is read against how easy that set is for the others: a two-way fit of
    abilities and sets, in which each set counts by its scores and few scores move little.
    """
    names = np.unique(sets)
    known = np.isfinite(scores)
    counts = np.stack([known[sets == name].sum(axis=0) for name in names])  # (S, M)
    sums = np.stack([np.nansum(scores[sets == name], axis=0) for name in names])
    mean = np.clip((sums + 0.5 * _PRIOR_SCORES) / (counts + _PRIOR_SCORES), 0.02, 0.98)
    logits = np.log(mean / (1 - mean))
    ability, level = np.zeros(scores.shape[1]), np.zeros(len(names))
    for _ in range(_ROUNDS):
        level = ((logits - ability) * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
        moved = ((logits - level[:, None]) * counts).sum(axis=0)
        ability = moved / (counts.sum(axis=0) + _PRIOR_SCORES)
    found: Floats = (ability + level.mean()).astype(np.float32)
    return found
