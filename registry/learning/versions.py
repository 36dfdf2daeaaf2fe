"""Where the scorers trained on own data lie, beside the registry, and which scorer is in use."""

from __future__ import annotations

import re
from pathlib import Path

from rolecall.registry.errors import ScorerUnusable

PRETRAINED = "pretrained"
USE_HINT = f"rolecall scorer use {PRETRAINED}"
POINTER = "current"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def scorers_folder(registry: Path) -> Path:
    """Return where the scorers of a registry file lie."""
    return registry.with_name(f"{registry.name}.scorers")


def name_in_use(registry: Path) -> str:
    """Return the name of the scorer in use, `pretrained` for the shipped one.

    Raises ScorerUnusable where the file that names it cannot be read or names none.
    """
    pointer = scorers_folder(registry) / POINTER
    try:
        name = pointer.read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return PRETRAINED
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read which scorer is in use: {pointer}"
        raise ScorerUnusable(message, hint=USE_HINT) from error
    if NAME.fullmatch(name) is None:
        raise ScorerUnusable(f"{pointer} names no scorer", hint=USE_HINT)
    return name


def folder_of(registry: Path, name: str) -> Path | None:
    """Return the folder that a version of this name has, null for the shipped scorer."""
    return None if name == PRETRAINED else scorers_folder(registry) / name


def folder_in_use(registry: Path) -> Path | None:
    """Return the folder of the scorer in use, null for the shipped one.

    Raises ScorerUnusable as `name_in_use` does; whether the folder is whole, loading tells.
    """
    return folder_of(registry, name_in_use(registry))
