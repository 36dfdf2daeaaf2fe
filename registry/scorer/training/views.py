"""The encoder as the graph that ships: what it says of one text, in several views."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Whose mean is the `phrases` view: words with their neighbours, before the whole is understood.
PHRASE_LAYER = 3


class Views(nn.Module):
    """Token ids of one text → its views (2, 384), in the order of `encode.VIEWS`."""

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
        states = phrases = self.embeddings(input_ids=input_ids)
        for number, layer in enumerate(self.layers, start=1):
            output = layer(states)
            states = output[0] if isinstance(output, tuple) else output
            if number == PHRASE_LAYER:
                phrases = states
        sentence = nn.functional.normalize(states.mean(dim=1), dim=1)
        return torch.cat([sentence, phrases.mean(dim=1)])
