"""Every file of an artifact folder compared with the digest that its card names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.card import PRETRAINED, card

_HINT = "rolecall scorer use pretrained; if that is damaged too, reinstall rolecall"


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
