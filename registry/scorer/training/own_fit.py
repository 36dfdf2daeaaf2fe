"""The training loop on own data: everything goes on from where the numbers have settled."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

from rolecall.registry.scorer.training.losses import (
    length_loss,
    order_loss,
    success_loss,
    task_loss,
)
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.own_numbers import Given, everyday_loss
from rolecall.registry.scorer.training.own_settings import OwnSettings

Judge = Callable[[Network], float]


@dataclass(frozen=True, slots=True)
class Trained:
    """The best network that was met, and how many epochs were run in all."""

    network: Network
    epochs: int
    was_interrupted: bool


def train_on(
    settings: OwnSettings, network: Network, given: Given, judge: Judge, report: Callable[[], None]
) -> Trained:
    """Train a copy of the network; keep the one that `judge` finds least wrong, so far or at all.

    The given network counts as one of them. `report` is called after each step. Ctrl-C ends the
    training early.
    """
    torch.manual_seed(settings.seed)
    order = np.random.default_rng(settings.seed)
    best, least = network, judge(network)
    trained = copy.deepcopy(network)
    steady = _steady(network, given)
    count = len(given.truth.scores)
    batches = ceil(count / settings.batch)
    optimizer, rates = _optimizer(settings, trained)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=settings.epochs * batches, pct_start=0.1
    )
    epochs = 0
    try:
        while epochs < settings.epochs:
            trained.train()
            for rows in np.array_split(order.permutation(count), batches):
                loss = _loss(settings, trained, given, torch.tensor(rows), steady)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                report()
            missed = judge(trained.eval())
            epochs += 1
            if missed < least:
                best, least = copy.deepcopy(trained), missed
    except KeyboardInterrupt:
        return Trained(best.eval(), epochs, was_interrupted=True)
    return Trained(best.eval(), epochs, was_interrupted=False)


def _loss(
    settings: OwnSettings, network: Network, given: Given, rows: Tensor, steady: Tensor
) -> Tensor:
    count = len(given.truth.scores)
    said = network(torch.cat([given.inputs[rows], given.inputs[count:]]))
    truth = given.truth.only(rows)
    own = said.success[:, : len(rows)]
    judged = own[..., given.judged]
    loss = success_loss(judged, truth) + settings.rank_weight * order_loss(judged, truth)
    if said.tasks.shape[-1]:
        loss = loss + settings.task_weight * task_loss(said.tasks[:, : len(rows)], truth)
    lengths = said.log_tokens[:, : len(rows), given.judged]
    loss = loss + settings.token_weight * length_loss(lengths, truth)
    if given.believed is not None:
        everyday = everyday_loss(said.success[:, len(rows) :], given)
        loss = loss + settings.everyday_weight * everyday
    others = _others(given, own.shape[-1])
    if len(others):
        kept = torch.sigmoid(steady[:, rows])  # (E, n, others)
        each = torch.nn.functional.binary_cross_entropy_with_logits(own[..., others], kept)
        loss = loss + settings.steady_weight * len(own) * each
    return loss


def _steady(network: Network, given: Given) -> Tensor:
    """Return what the settled network says of the models that nobody judged (E, N, others)."""
    count = len(given.truth.scores)
    with torch.no_grad():
        said = network.eval()(given.inputs[:count]).success
    kept: Tensor = said[..., _others(given, said.shape[-1])]
    return kept


def _others(given: Given, models: int) -> Tensor:
    is_other = torch.ones(models, dtype=torch.bool)
    is_other[given.judged] = False
    return torch.nonzero(is_other)[:, 0]


def _optimizer(
    settings: OwnSettings, network: Network
) -> tuple[torch.optim.Optimizer, list[float]]:
    """Train all but how facts become strength, which few models of one's own say nothing of."""
    fixed = [network.raw_weights, network.limited_weights, network.slope]
    for parameter in fixed:
        parameter.requires_grad_(False)
    of_models = [network.origin, network.deviation, network.token_latent, network.token_bias]
    apart = {id(parameter) for parameter in [*of_models, *fixed]}
    shared = [parameter for parameter in network.parameters() if id(parameter) not in apart]
    rate = settings.learning_rate
    groups = [{"params": shared}, {"params": of_models}]
    return torch.optim.AdamW(groups, lr=rate, weight_decay=0.0), [
        rate,
        rate * settings.model_rate,
    ]
