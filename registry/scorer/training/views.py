"""The encoder as the graph that ships: what it says of a text, in several views."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Whose mean is the `phrases` view: words with their neighbours, before the whole is understood.
PHRASE_LAYER = 3


class Views(nn.Module):
    """Token ids of one text → its views (3, 384), in the order of `encode.VIEWS`."""

    def __init__(self, transformer: nn.Module) -> None:
        """`transformer` is BERT-like: it has embeddings, and an encoder of layers."""
        super().__init__()
        embeddings, encoder = transformer.embeddings, transformer.encoder
        assert isinstance(embeddings, nn.Module)
        assert isinstance(encoder, nn.Module)
        layers = encoder.layer
        assert isinstance(layers, nn.ModuleList)
        self.embeddings, self.layers = embeddings, layers
        self.eval()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the views of one text's ids (1, tokens)."""
        return self.of_texts(input_ids)[0]

    def of_texts(self, ids: Tensor, present: Tensor | None = None) -> Tensor:
        """Return the views (N, 3, 384) of texts' ids (N, tokens), of which some may be absent."""
        mask = None
        if present is not None:
            mask = (1 - present[:, None, None, :]) * torch.finfo(torch.float32).min
        states = phrases = self.embeddings(input_ids=ids)
        for number, layer in enumerate(self.layers, start=1):
            output = layer(states) if mask is None else layer(states, attention_mask=mask)
            states = output[0] if isinstance(output, tuple) else output
            if number == PHRASE_LAYER:
                phrases = states
        views = [_unit(_mean(states, present)), _mean(phrases, present), _unit(states[:, 0])]
        return torch.stack(views, dim=1)


def _mean(states: Tensor, present: Tensor | None) -> Tensor:
    if present is None:
        return states.mean(dim=1)
    shares = present / present.sum(dim=1, keepdim=True)  # (N, tokens)
    return (states.float() * shares[..., None]).sum(dim=1)


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors.float(), dim=1)
