"""What each generation of a maker's models takes, read from the data file of its API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rolecall.registry.providers.protocol import Target

# A model whose name tells no version is taken for the newest.
NEWEST = (99, 0)


@dataclass(frozen=True, slots=True)
class Generation:
    """A model's kind (`opus`, `flash-lite`) and version, and what such models take."""

    kind: str
    version: tuple[int, int]
    takes: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def has(self, *traits: str) -> bool:
        """Tell whether it has all of these traits."""
        return all(self.takes.get(trait) for trait in traits)


def generation_of(target: Target, maker: str) -> Generation | None:
    """Return the generation of a target's model; null for the models of other makers.

    The file `MAKER/generations.json` holds patterns of names, tried in their order, and rows of
    traits: of a `kind` (a pattern), `from` a version on, `before` another. Later rows win.
    """
    known = _known(maker)
    for name in (target.endpoint.remote_model, target.model.id):
        for pattern in known["names"]:
            found = re.search(pattern, name.lower())
            if found is not None:
                said = found.groupdict()
                major, minor = said.get("major"), said.get("minor")
                version = NEWEST if major is None else (int(major), int(minor or 0))
                kind = said.get("kind") or ""
                return Generation(kind, version, _takes(known["rows"], kind, version))
    return None


def _takes(rows: list[dict[str, Any]], kind: str, version: tuple[int, int]) -> dict[str, Any]:
    traits: dict[str, Any] = {}
    for row in rows:
        is_of_age = tuple(row.get("from", (0, 0))) <= version < tuple(row.get("before", (100, 0)))
        if is_of_age and re.search(row.get("kind", ""), kind):
            traits |= row["traits"]
    return traits


@cache
def _known(maker: str) -> dict[str, Any]:
    path = Path(__file__).parent / maker / "generations.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
