"""The training loop over fixed inputs: what the encoder says of each prompt."""

from __future__ import annotations

import copy
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
Columns = NDArray[np.intp]


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


def fit(
    settings: Settings, examples: Examples, cast: Cast, members: int, reads: Columns
) -> Network:
    """Train `members` of a network that read these columns of the examples' inputs.

    The same seed gives the same network.
    """
    torch.manual_seed(settings.seed)
    dropouts = (settings.input_dropout, settings.dropout)
    network = untrained(settings, cast, members, reads, dropouts)
    return _train(settings, network, examples, settings.epochs)


def go_on(settings: Settings, network: Network, examples: Examples) -> Network:
    """Train a copy of the network on, all but the models' numbers, which stay as they are.

    So prompts of another kind can be learnt without moving what is known of the models.
    """
    torch.manual_seed(settings.seed)
    trained = copy.deepcopy(network)
    read = {id(parameter) for group in reading_groups(trained) for parameter in group}
    for parameter in trained.parameters():
        parameter.requires_grad_(id(parameter) in read)
    return _train(settings, trained, examples, settings.everyday_epochs)


def _train(settings: Settings, network: Network, examples: Examples, epochs: int) -> Network:
    order = np.random.default_rng(settings.seed)
    inputs, truth = torch.tensor(examples.inputs), examples.truth()
    batches = ceil(len(examples) / settings.batch)
    optimizer, rates = _optimizer(settings, network)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=epochs * batches, pct_start=0.1
    )
    network.train()
    for _ in range(epochs):
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
    settings: Settings, cast: Cast, members: int, reads: Columns, dropouts: tuple[float, float]
) -> Network:
    """Return a fresh network that reads these columns of what is told of a prompt."""
    shape = Shape(
        inputs=len(reads),
        models=len(cast.models),
        columns=len(COLUMNS),
        tasks=cast.tasks,
        members=members,
        hidden=settings.hidden,
        dim=settings.dim,
        token_dim=settings.token_dim,
    )
    limited = torch.tensor([[float(m.base), float(m.narrow)] for m in cast.models])
    facts = torch.tensor(cast.columns)
    return Network(shape, facts, limited, dropouts, torch.tensor(reads))


def reading_groups(
    network: Network,
) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Return what reads the prompts: the weights, which decay, and the biases."""
    weights = [network.hidden_weight, network.signal_weight, network.task_weight]
    return weights, [network.hidden_bias, network.signal_bias, network.task_bias]


def standing(network: Network, inputs: Floats) -> NDArray[np.float64]:
    """Place each model between the weakest (0) and the strongest (1) on the same prompts."""
    with torch.no_grad():
        logits = network(torch.tensor(inputs)).success.mean(dim=(0, 1)).double().numpy()  # (M,)
    low, high = np.quantile(logits, [0.05, 0.95])
    placed: NDArray[np.float64] = np.clip((logits - low) / max(high - low, 1e-6), 0, 1)
    return placed


def _optimizer(settings: Settings, network: Network) -> tuple[torch.optim.Optimizer, list[float]]:
    """What belongs to models is learnt faster, and left out where it is to stay."""
    decayed, biases = reading_groups(network)
    read = {id(parameter) for parameter in decayed + biases}
    of_models = [p for p in network.parameters() if id(p) not in read and p.requires_grad]
    rate = settings.learning_rate
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": biases, "weight_decay": 0.0},
        {"params": of_models, "weight_decay": 0.0},
    ]
    rates = [rate, rate, rate * settings.model_rate]
    kept = [index for index, group in enumerate(groups) if group["params"]]
    optimizer = torch.optim.AdamW([groups[index] for index in kept], lr=rate)
    return optimizer, [rates[index] for index in kept]
