"""The encoder split in two: frozen lower layers, and a copy of the upper ones to be trained."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Whose mean is the `phrases` view: words with their neighbours, before the whole is understood.
PHRASE_LAYER = 3


class Trunk(nn.Module):
    """The embeddings and lower layers of a BERT-like transformer, never trained."""

    def __init__(self, transformer: nn.Module, tuned_layers: int) -> None:
        super().__init__()
        layers = _layers(transformer)
        embeddings = transformer.embeddings
        assert isinstance(embeddings, nn.Module)
        self.embeddings = embeddings
        self.lower = nn.ModuleList(list(layers)[: len(layers) - tuned_layers])
        self.upper = nn.ModuleList(list(layers)[len(layers) - tuned_layers :])
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.eval()

    def copy_of_upper(self) -> nn.ModuleList:
        """Return the upper layers as they were published, ready to be trained."""
        branch = copy.deepcopy(self.upper)
        for parameter in branch.parameters():
            parameter.requires_grad_(True)
        return branch

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the states (N, tokens, 384) where the layers part, and the phrase layer's."""
        states = self.embeddings(input_ids=ids)
        phrases = states
        for number, layer in enumerate(self.lower, start=1):
            states = _states(layer(states, attention_mask=mask))
            if number == PHRASE_LAYER:
                phrases = states
        return states, phrases


def climb(layers: nn.ModuleList, states: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the last states of the upper layers."""
    for layer in layers:
        states = _states(layer(states, attention_mask=mask))
    return states


def pooled(states: Tensor, present: Tensor) -> Tensor:
    """Return unit vectors (N, 384): the mean over the tokens that are present (N, tokens)."""
    return nn.functional.normalize(mean_state(states, present), dim=1)


def mean_state(states: Tensor, present: Tensor) -> Tensor:
    """Return the mean state (N, 384) over the tokens that are present (N, tokens)."""
    weights = present[..., None].to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return token ids (N, tokens) and which are present (N, tokens)."""
    longest = max(len(row) for row in ids)
    rows, present = torch.zeros(len(ids), longest, dtype=torch.long), torch.zeros(len(ids), longest)
    for index, row in enumerate(ids):
        rows[index, : len(row)] = torch.tensor(row)
        present[index, : len(row)] = 1
    return rows, present


def attention(present: Tensor) -> Tensor:
    """Return what is added to attention scores so that absent tokens are not read."""
    return (1.0 - present[:, None, None, :]) * torch.finfo(torch.float32).min


class Views(nn.Module):
    """Token ids of one text → its views (3, 384), in the order of `encode.VIEWS`."""

    def __init__(self, trunk: Trunk, branch: nn.ModuleList) -> None:
        super().__init__()
        self.trunk, self.branch = trunk, branch

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the views of one text's ids (1, tokens)."""
        states, phrases = self.trunk(input_ids)
        present = torch.ones_like(input_ids)
        sentence = pooled(climb(self.trunk.upper, states), present)
        tuned = pooled(climb(self.branch, states), present)
        return torch.cat([sentence, tuned, mean_state(phrases, present)])


def _layers(transformer: nn.Module) -> nn.ModuleList:
    encoder = transformer.encoder
    assert isinstance(encoder, nn.Module)
    layers = encoder.layer
    assert isinstance(layers, nn.ModuleList)
    return layers


def _states(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
