"""The training loop over fixed inputs: the members that read the encoder as published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.strength import COLUMNS
from rolecall.registry.scorer.training.beliefs import TrainingModel
from rolecall.registry.scorer.training.losses import Truth, total_loss
from rolecall.registry.scorer.training.network import Network, Shape
from rolecall.registry.scorer.training.settings import Settings

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """What a network learns from: `nan` where a model has no score or no length.

    `inputs` may hold each prompt twice, (2N, D): as it is, then reworded.
    """

    inputs: Floats  # (N or 2N, D)
    scores: Floats  # (N, M)
    tokens: Floats  # (N, M)
    tasks: NDArray[np.int64]  # (N,), -1 for a task without a likeness of its own
    weights: Floats  # (N,)

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, models: NDArray[np.intp]) -> Examples:
        """Return the examples as they look with these models alone."""
        return replace(self, scores=self.scores[:, models], tokens=self.tokens[:, models])

    def truth(self) -> Truth:
        """Return what is known, as tensors."""
        return Truth(
            torch.tensor(self.scores),
            torch.tensor(self.tokens),
            torch.tensor(self.tasks),
            torch.tensor(self.weights),
        )

    def forms(self, order: np.random.Generator, share: float) -> NDArray[np.intp]:
        """Return which row of `inputs` each prompt is read from, some in their reworded form."""
        rows = np.arange(len(self))
        if len(self.inputs) == len(self):
            return rows
        return rows + len(self) * (order.random(len(self)) < share)


@dataclass(frozen=True, slots=True)
class Cast:
    """The models of a run, their facts columns (M, C), and how many tasks have a likeness."""

    models: tuple[TrainingModel, ...]
    columns: Floats
    tasks: int


def fit(settings: Settings, examples: Examples, cast: Cast, members: int) -> Network:
    """Train `members` of a network on the examples; the same seed gives the same network."""
    torch.manual_seed(settings.seed)
    order = np.random.default_rng(settings.seed)
    dropouts = (settings.input_dropout, settings.dropout)
    network = untrained(settings, examples.inputs.shape[1], cast, members, dropouts)
    inputs, truth = torch.tensor(examples.inputs), examples.truth()
    batches = ceil(len(examples) / settings.batch)
    optimizer, rates = _optimizer(settings, network)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=settings.epochs * batches, pct_start=0.1
    )
    network.train()
    for _ in range(settings.epochs):
        forms = examples.forms(order, settings.reworded_share)
        for rows in np.array_split(order.permutation(len(examples)), batches):
            said = network(inputs[forms[rows]])
            loss = total_loss(settings, network, said, truth.only(torch.tensor(rows)))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def untrained(
    settings: Settings, inputs: int, cast: Cast, members: int, dropouts: tuple[float, float]
) -> Network:
    """Return a fresh network for rows of `inputs` numbers."""
    shape = Shape(
        inputs=inputs,
        models=len(cast.models),
        columns=len(COLUMNS),
        tasks=cast.tasks,
        members=members,
        hidden=settings.hidden,
        dim=settings.dim,
        token_dim=settings.token_dim,
    )
    limited = torch.tensor([[float(m.base), float(m.narrow)] for m in cast.models])
    return Network(shape, torch.tensor(cast.columns), limited, dropouts)


def parameter_groups(
    network: Network,
) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Return the weights that decay, the biases, and what belongs to models, learnt faster."""
    decayed = [network.hidden_weight, network.signal_weight, network.task_weight]
    biases = [network.hidden_bias, network.signal_bias, network.task_bias]
    apart = {id(parameter) for parameter in decayed + biases}
    of_models = [p for p in network.parameters() if id(p) not in apart and p.requires_grad]
    return decayed, biases, of_models


def standing(network: Network, inputs: Floats) -> NDArray[np.float64]:
    """Place each model between the weakest (0) and the strongest (1) on the same prompts."""
    with torch.no_grad():
        logits = network(torch.tensor(inputs)).success.mean(dim=(0, 1)).double().numpy()  # (M,)
    low, high = np.quantile(logits, [0.05, 0.95])
    placed: NDArray[np.float64] = np.clip((logits - low) / max(high - low, 1e-6), 0, 1)
    return placed


def _optimizer(settings: Settings, network: Network) -> tuple[torch.optim.Optimizer, list[float]]:
    decayed, biases, of_models = parameter_groups(network)
    rate = settings.learning_rate
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": biases, "weight_decay": 0.0},
        {"params": of_models, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate), [rate, rate, rate * settings.model_rate]
