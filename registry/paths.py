"""Where the registry file lives."""

from __future__ import annotations

import os
from pathlib import Path


def registry_path(given: Path | None) -> Path:
    """Return `given`, else `$ROLECALL_REGISTRY`, else the file in the user's data folder."""
    if given is not None:
        return given.expanduser()
    named = os.environ.get("ROLECALL_REGISTRY")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("rolecall", appauthor=False) / "registry.db"
