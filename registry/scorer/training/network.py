"""The head: a small ensemble that meets each model's latent with each prompt's signals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the head: `members` trained side by side, each seeing the same batches."""

    inputs: int
    models: int
    columns: int
    members: int
    hidden: int
    dim: int
    token_dim: int


@dataclass(frozen=True, slots=True)
class Logits:
    """What the head says of N prompts and M models: logits of success and log tokens."""

    success: Tensor  # (E, N, M)
    log_tokens: Tensor  # (E, N, M)


class Network(nn.Module):
    """Prompt → signals; model = a line along its strength, from facts, plus its own deviation.

    The deviation is penalised, so that a model with few rows stays near what its facts say, and
    the line alone predicts a model that was never trained on.
    """

    facts: Tensor
    is_limited: Tensor

    def __init__(self, shape: Shape, facts: Tensor, limited: Tensor, dropout: float) -> None:
        """`facts` (M, columns) are the strength columns; `limited` (M, 2) marks base, narrow."""
        super().__init__()
        e, h, m = shape.members, shape.hidden, shape.models
        signals = shape.dim + 1 + shape.token_dim + 1
        self.shape = shape
        self.register_buffer("facts", facts)
        self.register_buffer("is_limited", limited)
        self.input_dropout = nn.Dropout(0.1)
        self.hidden_dropout = nn.Dropout(dropout)
        self.hidden_weight = nn.Parameter(torch.randn(e, shape.inputs, h) / sqrt(shape.inputs))
        self.hidden_bias = nn.Parameter(torch.zeros(e, 1, h))
        self.signal_weight = nn.Parameter(torch.randn(e, h, signals) / sqrt(h) / 2)
        self.signal_bias = nn.Parameter(torch.zeros(e, 1, signals))
        self.raw_weights = nn.Parameter(torch.full((shape.columns,), -0.5))
        self.limited_weights = nn.Parameter(torch.full((2,), -0.3))
        self.origin = nn.Parameter(torch.randn(e, shape.dim + 1) * 0.1)
        self.slope = nn.Parameter(torch.randn(e, shape.dim) * 0.1)
        self.deviation = nn.Parameter(torch.randn(e, m, shape.dim + 1) * 0.1)
        self.token_latent = nn.Parameter(torch.randn(e, m, shape.token_dim) * 0.1)
        self.token_bias = nn.Parameter(torch.zeros(e, m))

    def signals(self, inputs: Tensor) -> Tensor:
        """Return (E, N, K) signals of (N, D) inputs."""
        rows = self.input_dropout(inputs).expand(self.shape.members, -1, -1)
        hidden = torch.relu(rows @ self.hidden_weight + self.hidden_bias)  # (E, N, H)
        signals: Tensor = self.hidden_dropout(hidden) @ self.signal_weight + self.signal_bias
        return signals

    def fact_weights(self) -> Tensor:
        """Return (columns,); never negative: more of any fact never makes a model weaker."""
        return nn.functional.softplus(self.raw_weights)

    def strength(self) -> Tensor:
        """Return (M,): what the facts say, with what being base or narrow costs in exams."""
        return self.facts @ self.fact_weights() + self.is_limited @ self.limited_weights

    def line(self) -> Tensor:
        """Return (E, dim + 1): what one unit of strength adds; its bias is 1 by definition."""
        return torch.cat([self.slope, torch.ones_like(self.slope[:, :1])], dim=1)

    def latents(self) -> Tensor:
        """Return (E, M, dim + 1): each model's latent and bias."""
        along = self.strength()[:, None] * self.line()[:, None]
        return self.origin[:, None] + along + self.deviation

    def forward(self, inputs: Tensor) -> Logits:
        """Score every model on (N, D) inputs."""
        dim = self.shape.dim
        signals = self.signals(inputs)
        latents = self.latents()
        easiness = signals[..., dim, None]  # (E, N, 1)
        success = signals[..., :dim] @ latents[..., :dim].mT + easiness + latents[:, None, :, -1]
        token_signals = signals[..., dim + 1 : -1]
        log_tokens = token_signals @ self.token_latent.mT + signals[..., -1:]
        return Logits(success, log_tokens + self.token_bias[:, None])
