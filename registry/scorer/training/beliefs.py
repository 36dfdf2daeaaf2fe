"""What we bring besides data: facts of the training models, and beliefs on everyday prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.strength import COLUMNS, FactsPrior, Line, years_of

_HERE = Path(__file__).parent
# How far past the newest training model a later date still counts as progress, and how much
# less sure each of those years makes us.
_YEARS_BEYOND = 1.5
_DRIFT_PER_YEAR = 0.25


@dataclass(frozen=True, slots=True)
class TrainingModel:
    """A training model's facts; `base` and `narrow` models read low in exams."""

    facts: ModelFacts
    family: str
    base: bool
    narrow: bool


@dataclass(frozen=True, slots=True)
class Anchors:
    """Everyday prompts with the believed success of strong and weak models, and lengths."""

    prompts: tuple[str, ...]
    kinds: tuple[str, ...]
    strong: NDArray[np.float32]  # (A,)
    weak: NDArray[np.float32]  # (A,)
    tokens: NDArray[np.float32]  # (A,)

    def targets(self, standing: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the believed success (A, M) of models standing between weak 0 and strong 1."""
        strong, weak = (np.log(p / (1 - p))[:, None] for p in (self.strong, self.weak))
        logits = weak + (strong - weak) * standing[None]
        targets: NDArray[np.float32] = (1 / (1 + np.exp(-logits))).astype(np.float32)
        return targets


def training_models(names: Sequence[str]) -> tuple[TrainingModel, ...]:
    """Return the facts of the named models; all null for one that `facts.yaml` lacks."""
    known = _yaml("facts.yaml")["models"]
    return tuple(_training_model(name, known.get(name, {})) for name in names)


def beliefs_text() -> str:
    """Return the text of everything that is believed, not measured."""
    names = ("facts.yaml", "everyday.yaml")
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def known_datasets() -> dict[str, dict[str, str]]:
    """Return origin and licence of the data sets that `datasets.yaml` lists."""
    return _yaml("datasets.yaml")


def everyday() -> Anchors:
    """Return the beliefs of `everyday.yaml`, prompt by prompt."""
    content = _yaml("everyday.yaml")
    pairs = [(kind, prompt) for kind, prompts in content["prompts"].items() for prompt in prompts]

    def column(name: str) -> NDArray[np.float32]:
        return np.array([content["kinds"][kind][name] for kind, _ in pairs], dtype=np.float32)

    return Anchors(
        prompts=tuple(prompt for _, prompt in pairs),
        kinds=tuple(kind for kind, _ in pairs),
        strong=column("strong"),
        weak=column("weak"),
        tokens=column("tokens"),
    )


def fit_imputation(models: Sequence[TrainingModel]) -> FactsPrior:
    """Return a prior of zero weights that knows how to fill in what facts are missing."""
    facts = [model.facts for model in models]
    size = _logs([one.parameters_b for one in facts])
    price = _logs([one.output_usd_per_mtok for one in facts])
    years = [y for one in facts if (y := years_of(one.release_date)) is not None] or [0.0]
    return FactsPrior(
        weights=(0.0,) * len(COLUMNS),
        first_years=min(years),
        newest_years=max(years),
        last_years=max(years) + _YEARS_BEYOND,
        drift=_DRIFT_PER_YEAR,
        spread=1.0,
        mean_size=_mean(size, 1.0),
        mean_price=_mean(price, 0.0),
        size_spread=_spread(size),
        price_spread=_spread(price),
        years_spread=_spread(np.array(years)),
        size_from_price=_line(price, size),
        price_from_size=_line(size, price),
    )


def facts_columns(prior: FactsPrior, models: Sequence[TrainingModel]) -> NDArray[np.float32]:
    """Return the strength columns (M, len(COLUMNS)) of the training models."""
    rows = [prior.columns(model.facts) for model in models]
    return np.array(rows, dtype=np.float32).reshape(-1, len(COLUMNS))


def with_weights(prior: FactsPrior, weights: Sequence[float], spread: float) -> FactsPrior:
    """Return the prior with trained weights and the spread that held-out models showed."""
    return replace(prior, weights=tuple(float(weight) for weight in weights), spread=spread)


def _training_model(name: str, plain: Mapping[str, Any]) -> TrainingModel:
    date = plain.get("release_date")
    facts = ModelFacts(
        model=name,
        parameters_b=plain.get("parameters_b"),
        release_date=None if date is None else str(date),
        output_usd_per_mtok=plain.get("output_usd_per_mtok"),
        reasoning=plain.get("reasoning", False) if plain else None,
        open_weights=plain.get("open_weights"),
    )
    return TrainingModel(
        facts=facts,
        family=str(plain.get("family") or name),
        base=bool(plain.get("base")),
        narrow=bool(plain.get("narrow")),
    )


def _yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((_HERE / name).read_text(encoding="utf-8"))
    return content


def _logs(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if not value else np.log10(value) for value in values])


def _mean(values: NDArray[np.float64], otherwise: float) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else otherwise


def _spread(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.std()) if len(known) > 1 else 1.0


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> Line:
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 3 or x[both].std() == 0:
        return Line(_mean(y, 0.0), 0.0, _spread(y))
    slope, intercept = np.polyfit(x[both], y[both], 1)
    left = y[both] - intercept - slope * x[both]
    return Line(float(intercept), float(slope), float(left.std()))
