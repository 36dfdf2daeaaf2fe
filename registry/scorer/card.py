"""The artifact's card: what it was trained on, how it scored, what it assumes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from rolecall.registry.core.errors import ScorerUnusable

CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
PRETRAINED = Path(__file__).parent / "pretrained"
_HINT = "rolecall scorer use pretrained; if that is damaged too, reinstall rolecall"


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


def check(folder: Path | None = None) -> None:
    """Read all of an artifact folder, by default the shipped one; raises `ScorerUnusable`."""
    folder = folder or PRETRAINED
    digests = card(folder).get("files")
    if not isinstance(digests, dict) or not digests:
        raise ScorerUnusable(f"the scorer's card at {folder} names no files", hint=_HINT)
    for name, digest in digests.items():
        path = folder / name
        if not path.is_file() or file_digest(path) != digest:
            raise ScorerUnusable(f"the scorer's file {path} is missing or altered", hint=_HINT)


def file_digest(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
