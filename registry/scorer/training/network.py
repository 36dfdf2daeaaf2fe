"""The network and its training: a loading of the prompt times a latent vector of the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rolecall.registry.scorer.arrays import Floats, Rows
from rolecall.registry.scorer.training.config import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Examples:
    """What the network learns from: N prompts and M models' scores, nan where not asked."""

    inputs: Floats  # (N, D), standardised
    scores: Floats  # (N, M)
    known: Floats  # (M, C): public scores, facts and relatives of each model
    weights: Floats  # (N,), of each score
    tasks: Rows  # (N,)
    task_count: int


class Network(nn.Module):
    """logit(m, x) = a_m + z_m · u(x) + d(x), with u and d of hidden units and of task shares.

    The numbers of a model, (a_m, z_m), are what is expected of one of which so much is `known`,
    and what is its own.
    """

    known: Tensor

    def __init__(self, settings: Settings, examples: Examples) -> None:
        super().__init__()
        latent, models = settings.latent, len(examples.known)
        self.hidden = nn.Linear(examples.inputs.shape[1], settings.hidden)
        self.signal = nn.Linear(settings.hidden, latent + 1)
        self.task = nn.Linear(examples.inputs.shape[1], examples.task_count)
        self.dropout = nn.Dropout(settings.dropout)
        self.register_buffer("known", torch.tensor(examples.known))
        self.level = nn.Parameter(torch.zeros(1, 1 + latent))
        self.common = nn.Parameter(torch.zeros(examples.known.shape[1], 1 + latent))
        self.own = nn.Parameter(0.1 * torch.randn(models, 1 + latent))
        self.task_loading = nn.Parameter(0.1 * torch.randn(examples.task_count, latent))  # (T, L)
        self.task_offset = nn.Parameter(torch.zeros(examples.task_count))  # (T,)

    def expected(self) -> Tensor:
        """Return what is expected of each model (M, 1 + L) before its own scores count."""
        return self.level + self.known @ self.common

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return success logits (N, M) and task logits (N, T) of inputs (N, D)."""
        signals = self.signal(self.dropout(torch.relu(self.hidden(inputs))))  # (N, L + 1)
        tasks = self.task(inputs)
        shares = torch.softmax(tasks, dim=1)
        loading = signals[:, :-1] + shares @ self.task_loading
        offset = signals[:, -1] + shares @ self.task_offset
        latent = self.expected() + self.own
        return latent[:, 0] + loading @ latent[:, 1:].T + offset[:, None], tasks


def train_network(examples: Examples, settings: Settings) -> Network:
    """Train on all examples for the set number of epochs; the same seed gives the same network."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    count = len(examples.inputs)
    network = Network(settings, examples)
    decayed = [network.hidden.weight, network.signal.weight, network.task.weight]
    biases = [network.hidden.bias, network.signal.bias, network.task.bias]
    own = [network.level, network.common, network.own, network.task_loading, network.task_offset]
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
        rng.shuffle(order)
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
            loss = loss + _penalty(network, settings)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        _log.info("epoch %d of %d: loss %.4f", epoch + 1, settings.epochs, total / batches)
    network.eval()
    return network


def _penalty(network: Network, settings: Settings) -> Tensor:
    """Return how far models are from what is expected of them, and tasks from one another."""
    of_models = settings.own_decay * (network.own**2).sum() / len(network.own)
    of_models = of_models + settings.common_decay * (network.common**2).sum()
    of_tasks = (network.task_loading**2).sum() + (network.task_offset**2).sum()
    return of_models + settings.task_decay * of_tasks
