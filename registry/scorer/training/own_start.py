"""A trained head taken apart again: networks that go on from where its training ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Floats, Head
from rolecall.registry.scorer.strength import COLUMNS
from rolecall.registry.scorer.training.network import Network, Shape

Rows = NDArray[np.intp]

# A task that the base does not know starts as almost no one's, so that nothing else moves.
_NEW_TASK_SCALE = 0.001


@dataclass(frozen=True, slots=True)
class Roster:
    """The models and tasks of a new version: the base's in their order, then what is new.

    `facts` are of the new models alone; `judged` (J,) are the columns of the judged models.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    facts: tuple[ModelFacts, ...]
    judged: Rows


def roster_of(
    head: Head, judged: Sequence[str], tasks: Sequence[str], facts: Sequence[ModelFacts]
) -> Roster:
    """Return who takes part; `facts` are of the judged models, which go by their short names."""
    known = set(head.models)
    new = [one for model, one in zip(judged, facts, strict=True) if model not in known]
    fresh = [model for model in judged if model not in known]
    models = (*head.models, *fresh)
    column = {model: index for index, model in enumerate(models)}
    return Roster(
        models=models,
        tasks=(*head.tasks, *(task for task in tasks if task not in head.tasks)),
        facts=tuple(new),
        judged=np.array([column[model] for model in judged], dtype=np.intp),
    )


def network_of(head: Head, roster: Roster, dropouts: tuple[float, float]) -> Network:
    """Return the head's members as a network, with the roster's models.

    A model the base knows keeps its numbers, whatever its facts: it stands at the line's origin
    and its deviation holds the rest. A new one stands on the line where its facts say.
    """
    old, new_tasks = len(head.models), len(roster.tasks) - len(head.tasks)
    new_models = len(roster.models) - old
    shape = Shape(
        inputs=head.task_weight.shape[1],
        models=len(roster.models),
        columns=len(COLUMNS),
        tasks=len(roster.tasks),
        members=len(head.weights),
        hidden=head.hidden_weight.shape[2],
        dim=head.dim - len(head.tasks),
        token_dim=head.token_dim - len(head.tasks),
    )
    columns = np.zeros((len(roster.models), len(COLUMNS)), dtype=np.float32)
    for row, facts in enumerate(roster.facts, start=old):
        columns[row] = head.prior.columns(facts)
    limited = torch.zeros(len(roster.models), 2)
    network = Network(shape, torch.tensor(columns), limited, dropouts)
    weights = torch.tensor(head.prior.weights)
    start = {
        # The inverse of softplus, which keeps the facts' weights positive.
        "raw_weights": torch.log(torch.expm1(weights.clamp(min=1e-4))),
        "limited_weights": torch.zeros(2),
    }
    for name in ("hidden_weight", "hidden_bias", "signal_weight", "signal_bias"):
        start[name] = torch.tensor(getattr(head, name))
    start["task_weight"] = _wider(head.task_weight, new_tasks, _NEW_TASK_SCALE)
    start["task_bias"] = _wider(head.task_bias, new_tasks, 0.0, _LEAST_LIKELY)
    origin = head.origin  # (E, dim + 1)
    start["origin"] = _with_tasks(origin, new_tasks)
    start["slope"] = _with_tasks(head.slope, new_tasks)[..., :-1]
    numbers = np.concatenate([head.latent, head.bias[..., None]], axis=-1)
    away = _with_tasks(numbers - origin[:, None], new_tasks)  # (E, M, width + 1)
    start["deviation"] = torch.cat([away, torch.zeros(len(away), new_models, away.shape[-1])], 1)
    lengths = head.token_latent  # (E, M, token_dim)
    lengths = np.concatenate([lengths, np.zeros((*lengths.shape[:2], new_tasks))], axis=2)
    start["token_latent"] = _more_models(lengths.astype(np.float32), head.panel, new_models)
    start["token_bias"] = _more_models(head.token_bias, head.panel, new_models)
    network.load_state_dict({**network.state_dict(), **start})
    return network


# In logits: what a new task's likeness starts from beside those of the known tasks.
_LEAST_LIKELY = -6.0


def _wider(array: Floats, more: int, scale: float, level: float = 0.0) -> torch.Tensor:
    """Return (E, ·, T) with columns for more tasks, drawn small around a level."""
    old = torch.tensor(array)
    return torch.cat([old, level + scale * torch.randn(*old.shape[:-1], more)], dim=-1)


def _with_tasks(array: Floats, more: int) -> torch.Tensor:
    """Return (…, dim + 1) with zeros for more tasks before the bias, which comes last."""
    old = torch.tensor(array)
    return torch.cat([old[..., :-1], torch.zeros(*old.shape[:-1], more), old[..., -1:]], dim=-1)


def _more_models(array: Floats, panel: Sequence[int], more: int) -> torch.Tensor:
    """Return (E, M, …) with more models, each as the reference models are on average."""
    old = torch.tensor(array)
    mean = old[:, list(panel)].mean(dim=1, keepdim=True)
    return torch.cat([old, mean.expand(-1, more, *old.shape[2:])], dim=1)
