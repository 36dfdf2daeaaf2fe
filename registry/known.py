"""What a registry knows without being changed or made: its content, and its scorer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rolecall.registry.fitted import with_fitted
from rolecall.registry.loading import Loading
from rolecall.registry.opening import open_registry
from rolecall.registry.paths import registry_path
from rolecall.registry.records import Pool
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.seeding import seed_pool
from rolecall.registry.storage.pool import read_pool


@dataclass(frozen=True, slots=True)
class Known:
    """A registry's content, or what it would begin with, and the scorer it uses."""

    pool: Pool
    scorer: Scorer


def read_known(given: Path | None) -> Known:
    """Read a registry; of one that does not exist, say what it would begin with.

    Nothing is written. Raises RegistryUnusable, ScorerUnusable.
    """
    loading = Loading(given)
    if not _is_there(registry_path(given)):
        return Known(seed_pool(), loading.scorer())
    with open_registry(given) as db:
        return Known(read_pool(db), with_fitted(db, loading.scorer()))


def _is_there(path: Path) -> bool:
    """Tell whether there is a file to open; an empty one is as good as none."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
