"""What training makes small: misses of success, order, task and length, and large numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rolecall.registry.scorer.training.network import Logits, Network
from rolecall.registry.scorer.training.settings import Settings


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of N prompts: `nan` where a model has no score or length, -1 for no task."""

    scores: Tensor  # (N, M)
    tokens: Tensor  # (N, M)
    tasks: Tensor  # (N,)
    weights: Tensor  # (N,)

    def only(self, rows: Tensor) -> Truth:
        """Return what is known of these rows."""
        return Truth(self.scores[rows], self.tokens[rows], self.tasks[rows], self.weights[rows])


def total_loss(settings: Settings, network: Network, said: Logits, truth: Truth) -> Tensor:
    """Return the loss of one batch, the members' losses added up."""
    loss = success_loss(said.success, truth)
    if settings.rank_weight:
        loss = loss + settings.rank_weight * order_loss(said.success, truth)
    if settings.task_weight and said.tasks.shape[-1]:
        loss = loss + settings.task_weight * task_loss(said.tasks, truth)
    length = length_loss(said.log_tokens, truth)
    return loss + settings.token_weight * length + penalty(settings, network)


def success_loss(said: Tensor, truth: Truth) -> Tensor:
    """Cross-entropy of (E, N, M) logits, averaged over a prompt's models first.

    So a prompt that many models were asked weighs no more than one that two were asked.
    """
    target = torch.nan_to_num(truth.scores).expand_as(said)
    each = functional.binary_cross_entropy_with_logits(said, target, reduction="none")
    return _by_prompt(each, truth.scores, truth.weights)


def length_loss(said: Tensor, truth: Truth) -> Tensor:
    """Absolute misses of the logarithm of the length, smoothed near zero."""
    target = torch.log1p(torch.nan_to_num(truth.tokens)).expand_as(said)
    each = functional.smooth_l1_loss(said, target, reduction="none", beta=0.3)
    return _by_prompt(each, truth.tokens, truth.weights)


def order_loss(said: Tensor, truth: Truth) -> Tensor:
    """Logistic loss on pairs of models of which one did better on the same prompt.

    Against collapse to the strongest model: what decides a route is the order of models on one
    prompt, not how hard the prompt is.
    """
    known = ~torch.isnan(truth.scores)
    scores = torch.nan_to_num(truth.scores)
    both = known[:, :, None] & known[:, None, :]
    better = ((scores[:, :, None] - scores[:, None, :]) * both).clamp(min=0)  # (N, M, M)
    pairs = better.sum(dim=(1, 2))
    gaps = said[..., :, None] - said[..., None, :]  # (E, N, M, M)
    lost = (functional.softplus(-gaps) * better).sum(dim=(2, 3)) / pairs.clamp(min=1e-6)
    return (lost * truth.weights.clamp(max=1)).mean(dim=1).sum()


def task_loss(said: Tensor, truth: Truth) -> Tensor:
    """Cross-entropy of (E, N, T) task logits over the prompts whose task is known."""
    known = truth.tasks >= 0
    if not bool(known.any()):
        return said.sum() * 0
    losses = [functional.cross_entropy(member[known], truth.tasks[known]) for member in said]
    return torch.stack(losses).sum()


def penalty(settings: Settings, network: Network) -> Tensor:
    """Pull each model to its facts, the facts' weights to what is believed, the rest to zero."""
    dim = network.shape.dim
    deviation = network.deviation.square().mean(dim=1)  # (E, width + 1)
    own = (
        settings.bias_penalty * deviation[:, -1]
        + settings.latent_penalty * deviation[:, :dim].sum(dim=1)
        + settings.task_penalty * deviation[:, dim:-1].sum(dim=1)
    )
    line = network.origin.square().sum(dim=1) + network.slope.square().sum(dim=1)
    lengths = network.token_latent[..., : network.shape.token_dim].square().sum(dim=2).mean(dim=1)
    lengths = lengths + network.token_bias.square().mean(dim=1)
    believed = torch.tensor(settings.fact_weights)
    weights = (network.fact_weights() - believed).square().sum()
    total = own + settings.line_penalty * (line + lengths) + settings.fact_penalty * weights
    return total.sum()


def _by_prompt(each: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    known = ~torch.isnan(truth)
    share = known / known.sum(dim=1, keepdim=True).clamp(min=1)  # (N, M)
    by_prompt = (each * share).sum(dim=2) * weights  # (E, N)
    return by_prompt.mean(dim=1).sum()
