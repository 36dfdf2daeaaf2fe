"""The artifact's card: what it was trained on, how it scored, what it assumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rolecall.registry.core.errors import ScorerUnusable

CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
PRETRAINED = Path(__file__).parent / "pretrained"


def card(folder: Path | None = None) -> dict[str, Any]:
    """Return the card of the artifact in `folder`, by default the shipped one.

    Loads neither numpy nor the encoder. Raises `ScorerUnusable`.
    """
    path = (folder or PRETRAINED) / CARD_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScorerUnusable(
            f"the scorer's card is unreadable: {path}", hint="reinstall rolecall"
        ) from error
    if not isinstance(content, dict):
        raise ScorerUnusable(f"the scorer's card is damaged: {path}", hint="reinstall rolecall")
    return content
