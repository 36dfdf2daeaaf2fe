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
    tasks: int
    members: int
    hidden: int
    dim: int
    token_dim: int

    @property
    def width(self) -> int:
        """The length of a latent: learned signals, then one per task."""
        return self.dim + self.tasks

    @property
    def token_width(self) -> int:
        """The length of a latent for lengths, likewise."""
        return self.token_dim + self.tasks


@dataclass(frozen=True, slots=True)
class Logits:
    """What the head says of N prompts and M models, and which of T tasks each prompt is like."""

    success: Tensor  # (E, N, M)
    log_tokens: Tensor  # (E, N, M)
    tasks: Tensor  # (E, N, T), before the softmax


class Network(nn.Module):
    """Prompt → signals; model = a line along its strength, from facts, plus its own deviation.

    The deviation is penalised, so that a model with few rows stays near what its facts say, and
    the line alone predicts a model that was never trained on. Among the signals is how like each
    known task the prompt is, so that a latent holds the model's level on each task.
    """

    facts: Tensor
    is_limited: Tensor
    reads: Tensor

    def __init__(
        self,
        shape: Shape,
        facts: Tensor,
        limited: Tensor,
        dropouts: tuple[float, float],
        reads: Tensor | None = None,
    ) -> None:
        """`facts` (M, columns) are the strength columns; `limited` (M, 2) marks base, narrow.

        `reads` (inputs,) are the columns of the inputs that are read, by default all.
        """
        super().__init__()
        e, h, m, width = shape.members, shape.hidden, shape.models, shape.width
        signals = shape.dim + 1 + shape.token_dim + 1
        self.shape = shape
        self.register_buffer("facts", facts)
        self.register_buffer("is_limited", limited)
        self.register_buffer("reads", torch.arange(shape.inputs) if reads is None else reads)
        self.input_dropout = nn.Dropout(dropouts[0])
        self.hidden_dropout = nn.Dropout(dropouts[1])
        self.hidden_weight = nn.Parameter(torch.randn(e, shape.inputs, h) / sqrt(shape.inputs))
        self.hidden_bias = nn.Parameter(torch.zeros(e, 1, h))
        self.signal_weight = nn.Parameter(torch.randn(e, h, signals) / sqrt(h) / 2)
        self.signal_bias = nn.Parameter(torch.zeros(e, 1, signals))
        self.task_weight = nn.Parameter(torch.randn(e, shape.inputs, shape.tasks) * 0.01)
        self.task_bias = nn.Parameter(torch.zeros(e, 1, shape.tasks))
        self.raw_weights = nn.Parameter(torch.full((shape.columns,), -0.5))
        self.limited_weights = nn.Parameter(torch.full((2,), -0.3))
        scale = torch.cat([torch.full((shape.dim,), 0.1), torch.zeros(shape.tasks)])
        self.origin = nn.Parameter(torch.randn(e, width + 1) * torch.cat([scale, scale[:1]]))
        self.slope = nn.Parameter(torch.randn(e, width) * scale)
        self.deviation = nn.Parameter(torch.randn(e, m, width + 1) * torch.cat([scale, scale[:1]]))
        token_scale = torch.cat([torch.full((shape.token_dim,), 0.1), torch.zeros(shape.tasks)])
        self.token_latent = nn.Parameter(torch.randn(e, m, shape.token_width) * token_scale)
        self.token_bias = nn.Parameter(torch.zeros(e, m))

    def fact_weights(self) -> Tensor:
        """Return (columns,); never negative: more of any fact never makes a model weaker."""
        return nn.functional.softplus(self.raw_weights)

    def strength(self) -> Tensor:
        """Return (M,): what the facts say, with what being base or narrow costs in exams."""
        return self.facts @ self.fact_weights() + self.is_limited @ self.limited_weights

    def line(self) -> Tensor:
        """Return (E, width + 1): what one unit of strength adds; its bias is 1 by definition."""
        return torch.cat([self.slope, torch.ones_like(self.slope[:, :1])], dim=1)

    def latents(self) -> Tensor:
        """Return (E, M, width + 1): each model's latent and bias."""
        along = self.strength()[:, None] * self.line()[:, None]
        return self.origin[:, None] + along + self.deviation

    def share_strength(self, other: Network) -> None:
        """Take over, for good, how facts become strength in another network."""
        for mine, theirs in (
            (self.raw_weights, other.raw_weights),
            (self.limited_weights, other.limited_weights),
        ):
            mine.data.copy_(theirs.data)
            mine.requires_grad_(False)

    def forward(self, inputs: Tensor) -> Logits:
        """Score every model on (N, D) inputs, of which some columns may be read only."""
        return self.score(inputs[:, self.reads])

    def score(self, inputs: Tensor) -> Logits:
        """Score every model on just what is read (N, inputs)."""
        dim = self.shape.dim
        rows = self.input_dropout(inputs).expand(self.shape.members, -1, -1)
        hidden = torch.relu(rows @ self.hidden_weight + self.hidden_bias)  # (E, N, H)
        signals = self.hidden_dropout(hidden) @ self.signal_weight + self.signal_bias
        tasks = rows @ self.task_weight + self.task_bias  # (E, N, T)
        likeness = tasks.softmax(dim=-1)
        meeting = torch.cat([signals[..., :dim], likeness], dim=-1)  # (E, N, width)
        latents = self.latents()
        easiness = signals[..., dim, None]  # (E, N, 1)
        success = meeting @ latents[..., :-1].mT + easiness + latents[:, None, :, -1]
        lengths = torch.cat([signals[..., dim + 1 : -1], likeness], dim=-1)  # (E, N, token_width)
        log_tokens = lengths @ self.token_latent.mT + signals[..., -1:]
        return Logits(success, log_tokens + self.token_bias[:, None], tasks)
