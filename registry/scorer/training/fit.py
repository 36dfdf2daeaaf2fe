"""The training loop, and the trained network as the arrays that the scorer runs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Calibration, Head
from rolecall.registry.scorer.strength import COLUMNS, FactsPrior
from rolecall.registry.scorer.training.beliefs import TrainingModel, with_weights
from rolecall.registry.scorer.training.network import Network, Shape


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides the outcome, kept in the artifact's card."""

    seed: int = 7
    members: int = 4
    hidden: int = 256
    dim: int = 32
    token_dim: int = 8
    dropout: float = 0.4
    epochs: int = 10
    batch: int = 256
    learning_rate: float = 2e-3
    model_rate: float = 20.0
    weight_decay: float = 1.0
    bias_penalty: float = 0.03
    latent_penalty: float = 0.01
    line_penalty: float = 0.003
    fact_weights: tuple[float, ...] = (0.6, 0.3, 0.5, 0.5, 0.2)
    fact_penalty: float = 0.05
    token_weight: float = 0.2
    everyday_weight: float = 8.0
    train_folds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    tune_fold: int = 6
    report_fold: int = 7


@dataclass(frozen=True, slots=True)
class Examples:
    """What the network learns from: `nan` where a model has no score or no length."""

    inputs: NDArray[np.float32]  # (N, D)
    scores: NDArray[np.float32]  # (N, M)
    tokens: NDArray[np.float32]  # (N, M)
    weights: NDArray[np.float32]  # (N,)

    def and_also(self, other: Examples) -> Examples:
        """Return these examples followed by others."""
        return Examples(
            np.concatenate([self.inputs, other.inputs]),
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.weights, other.weights]),
        )

    def only(self, models: NDArray[np.intp]) -> Examples:
        """Return the examples as they look with these models alone."""
        return Examples(self.inputs, self.scores[:, models], self.tokens[:, models], self.weights)


def fit(
    settings: Settings,
    examples: Examples,
    models: tuple[TrainingModel, ...],
    columns: NDArray[np.float32],
) -> Network:
    """Train a network on the examples; the same seed gives the same network."""
    torch.manual_seed(settings.seed)
    order = np.random.default_rng(settings.seed)
    network = _untrained(settings, examples, models, columns)
    inputs, weights = torch.tensor(examples.inputs), torch.tensor(examples.weights)
    scores, tokens = torch.tensor(examples.scores), torch.tensor(examples.tokens)
    count = len(inputs)
    steps = settings.epochs * ceil(count / settings.batch)
    optimizer = _optimizer(settings, network)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _rates(settings), total_steps=steps, pct_start=0.1
    )
    network.train()
    for _ in range(settings.epochs):
        for rows in np.array_split(order.permutation(count), ceil(count / settings.batch)):
            said = network(inputs[rows])
            success = _loss(said.success, scores[rows], weights[rows], of_tokens=False)
            length = _loss(said.log_tokens, tokens[rows], weights[rows], of_tokens=True)
            loss = success + settings.token_weight * length + _penalty(settings, network)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def standing(network: Network, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Place each model between the weakest (0) and the strongest (1) on the same prompts."""
    with torch.no_grad():
        logits = network(torch.tensor(inputs)).success.mean(dim=(0, 1)).double().numpy()  # (M,)
    low, high = np.quantile(logits, [0.05, 0.95])
    placed: NDArray[np.float64] = np.clip((logits - low) / max(high - low, 1e-6), 0, 1)
    return placed


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the network in a head: names, input scales and the unfitted prior."""

    version: str
    models: tuple[TrainingModel, ...]
    prior: FactsPrior
    feature_mean: NDArray[np.float32]
    feature_scale: NDArray[np.float32]


def head_of(network: Network, frame: Frame, calibration: Calibration, facts_spread: float) -> Head:
    """Return the network as the scorer runs it."""
    with torch.no_grad():
        latents = network.latents()
        weights = network.fact_weights()
        line = network.line()
    panel = [i for i, model in enumerate(frame.models) if not (model.base or model.narrow)]
    dim = network.shape.dim
    return Head(
        version=frame.version,
        models=tuple(model.facts.model for model in frame.models),
        panel=tuple(panel),
        dim=dim,
        token_dim=network.shape.token_dim,
        prior=with_weights(frame.prior, weights.tolist(), facts_spread),
        calibration=calibration,
        feature_mean=frame.feature_mean,
        feature_scale=frame.feature_scale,
        hidden_weight=_array(network.hidden_weight),
        hidden_bias=_array(network.hidden_bias),
        signal_weight=_array(network.signal_weight),
        signal_bias=_array(network.signal_bias),
        latent=_array(latents[..., :dim]),
        bias=_array(latents[..., dim]),
        origin=_array(network.origin),
        slope=_array(line),
        token_latent=_array(network.token_latent),
        token_bias=_array(network.token_bias),
    )


def _untrained(
    settings: Settings,
    examples: Examples,
    models: tuple[TrainingModel, ...],
    columns: NDArray[np.float32],
) -> Network:
    shape = Shape(
        inputs=examples.inputs.shape[1],
        models=len(models),
        columns=len(COLUMNS),
        members=settings.members,
        hidden=settings.hidden,
        dim=settings.dim,
        token_dim=settings.token_dim,
    )
    limited = torch.tensor([[float(m.base), float(m.narrow)] for m in models])
    return Network(shape, torch.tensor(columns), limited, settings.dropout)


def _optimizer(settings: Settings, network: Network) -> torch.optim.Optimizer:
    decayed = [network.hidden_weight, network.signal_weight]
    of_models = [
        network.deviation,
        network.origin,
        network.slope,
        network.raw_weights,
        network.limited_weights,
        network.token_latent,
        network.token_bias,
    ]
    ids = {id(parameter) for parameter in decayed + of_models}
    others = [parameter for parameter in network.parameters() if id(parameter) not in ids]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
            {"params": of_models, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
    )


def _rates(settings: Settings) -> list[float]:
    rate = settings.learning_rate
    return [rate, rate, rate * settings.model_rate]


def _loss(
    said: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor, *, of_tokens: bool
) -> torch.Tensor:
    """Average over a prompt's models first, so that a prompt asked of many weighs no more."""
    known = ~torch.isnan(truth)
    target = torch.nan_to_num(truth).expand_as(said)
    if of_tokens:
        each = torch.nn.functional.smooth_l1_loss(said, torch.log1p(target), reduction="none")
    else:
        each = torch.nn.functional.binary_cross_entropy_with_logits(said, target, reduction="none")
    share = known / known.sum(dim=1, keepdim=True).clamp(min=1)  # (N, M)
    by_prompt = (each * share).sum(dim=2) * weights  # (E, N)
    return by_prompt.mean(dim=1).sum()


def _penalty(settings: Settings, network: Network) -> torch.Tensor:
    deviation = network.deviation.square().mean(dim=1)  # (E, dim + 1)
    own = settings.bias_penalty * deviation[:, -1] + settings.latent_penalty * deviation[
        :, :-1
    ].sum(1)
    line = network.origin.square().sum(1) + network.slope.square().sum(1)
    lengths = network.token_latent.square().sum(2).mean(1) + network.token_bias.square().mean(1)
    believed = torch.tensor(settings.fact_weights)
    weights = (network.fact_weights() - believed).square().sum()
    total = own + settings.line_penalty * (line + lengths) + settings.fact_penalty * weights
    return total.sum()


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().contiguous().numpy()
    return array
