"""What is known of a model by its name alone: from the registry, the catalog, or the name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import mode

from rolecall.registry.catalog.models_dev import list_price, listings, short_name
from rolecall.registry.core.effort import parted
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.core.value_types import date_problem

# `70b`, `8x7b`, `1.5b`: weights in billions, but not the active ones of `30b-a3b`.
_SIZE = re.compile(r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)b(?![a-z0-9])", re.ASCII)
_DATE = re.compile(r"(?<!\d)(20\d\d)(-?)(\d\d)\2(\d\d)(?!\d)", re.ASCII)


def known_facts(
    models: Iterable[str], registered: Mapping[str, ModelFacts]
) -> dict[str, ModelFacts]:
    """Return the facts of each model by its name as given.

    The registry's facts stand as they are, so that a decision there rests on the same. Any other
    model is looked up in the catalog, under its name and then under its name without a date. Of a
    variant (`claude-sonnet-4-6-high`) whose model is known the effort is known too, and what is
    not listed under its own name is its model's. What is still unknown is read off the name. A
    name counts by its last part, whatever the case.
    """
    by_name: dict[str, ModelFacts] = {}
    for model, facts in registered.items():
        by_name.setdefault(short_name(model), facts)

    def found(name: str) -> ModelFacts:
        variant = parted(name)
        base = variant and (by_name.get(variant[0]) or _found(variant[0]))
        if variant is None or base is None:
            return _found(name) or facts_in_name(name)
        return replace(_found(name) or base, model=base.model).with_effort(variant[1])

    return {
        model: replace(
            registered.get(model) or by_name.get(short_name(model)) or found(short_name(model)),
            model=model,
        )
        for model in models
    }


def facts_in_name(name: str) -> ModelFacts:
    """Return what a name says: `-70b`, `8x7b` of size, `-2024-08-06`, `-20240620` of release.

    The experts of `8x7b` share some weights, so that 56 is a fifth too many: near enough on the
    scale of powers of ten on which size is read.
    """
    size, dated = _SIZE.search(name.lower()), _DATE.search(name)
    billions = float(size[2]) * int(size[1] or 1) if size else 0.0
    date = f"{dated[1]}-{dated[3]}-{dated[4]}" if dated else ""
    return ModelFacts(
        model=name,
        parameters_b=billions or None,
        release_date=None if date_problem(date) else date,
    )


def _found(name: str) -> ModelFacts | None:
    """Return what the catalog and the name say of a model; null where the catalog lacks it."""
    said = facts_in_name(name)
    listed = _listed(name)
    if listed is None:
        undated = _undated(name)
        listed = _listed(undated) if undated else None
        # The date that a name ends in is its own; the one listed is of another version.
        listed = replace(listed, release_date=said.release_date) if listed and undated else listed
    if listed is None:
        return None
    return replace(
        listed,
        parameters_b=said.parameters_b,
        release_date=listed.release_date or said.release_date,
    )


def _undated(name: str) -> str | None:
    """Return the name without the date that it ends in; None when it ends in none."""
    dated = _DATE.search(name)
    if dated is None or dated.end() != len(name):
        return None
    return name[: dated.start()].rstrip("-_.@") or None


def _listed(name: str) -> ModelFacts | None:
    """Return what most providers in the catalog say of a model; they tell no size."""
    listed = [facts for _, facts in listings().get(name, ())]
    if not listed:
        return None
    dates = sorted(one.release_date for one in listed if not date_problem(one.release_date))
    price = list_price(name)
    return ModelFacts(
        model=name,
        release_date=mode(dates) if dates else None,
        output_usd_per_mtok=price.output_usd_per_mtok if price is not None else None,
        reasoning=mode(one.reasoning for one in listed),
        open_weights=mode(one.open_weights for one in listed),
    )
