"""The network's inputs of models: factors of the public scores, facts and relatives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.metadata_prior import (
    BenchmarkFactors,
    MetadataPrior,
    ModelInputs,
    Scales,
    factor_posterior,
    family_of,
    logit,
    power,
    years_of,
)
from rolecall.registry.scorer.public_scores import PublicScore
from rolecall.registry.scorer.variants import canonical, reasons, variant

# What of a model is its own varies more than training leaves of it: of models that were left out
# of a third of their data sets (folds 0 to 6) means were off by so many times the variance.
_WIDEN = 6.5
_FACTORS = 3
_CELL_NOISE = 0.05  # the least variance of a score's logit
_FEW = 15.0  # cells that the common loading counts for
_BORROWED = 1.0  # variance that a score of another effort adds
_STEPS = 20
_LEAST_SIZE = 0.2  # a column may not vary at all
_LOW = 0.25  # the quantile that unknown facts are read as


def model_inputs(
    facts: Sequence[ModelFacts], scores: Sequence[PublicScore], table_facts: Sequence[ModelFacts]
) -> ModelInputs:
    """Return what the prior reads of models, learnt from trained ones and the public table.

    `table_facts` are the facts of the models in the table.
    """
    scales = fit_scales(facts)
    inputs = ModelInputs(
        factors=fit_factors(scores, {one.model: one for one in table_facts}, scales),
        scales=scales,
        families=_shared(family_of(canonical(one.model)) for one in facts),
        bases=_shared(variant(one.model).base for one in facts),
        centre=np.zeros(0),
        size=np.zeros(0),
    )
    numbers = np.array([inputs.numbers(one)[0] for one in facts])
    return replace(
        inputs, centre=numbers.mean(axis=0), size=np.maximum(numbers.std(axis=0), _LEAST_SIZE)
    )


def as_prior(inputs: ModelInputs, level: Table, common: Table, own: Table) -> MetadataPrior:
    """Return the prior that training learnt: `common` (C, K), and each model's `own` (M, K)."""
    start = len(inputs.centre)
    families, bases = np.split(common[start:], [len(inputs.families)])
    apart: Table = _WIDEN * np.cov(own, rowvar=False)
    # One family or model does not tell how far they lie apart: as far as what is models' own.
    of_family, of_base = (
        _WIDEN * np.cov(some, rowvar=False) if len(some) > 1 else apart
        for some in (families, bases)
    )
    return MetadataPrior(inputs, level, common, apart, of_family, of_base)


def _shared(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def fit_scales(facts: Sequence[ModelFacts]) -> Scales:
    """Return how facts are scaled, and what unknown ones are read as."""
    known = np.array([_known(one) for one in facts])
    known[:, np.isnan(known).all(axis=0)] = 0.0  # a fact known of no model counts as equal for all
    mean = np.nanmean(known, axis=0)
    deviation = np.maximum(np.nanstd(known, axis=0), 0.2)  # a column may not vary at all
    pessimistic = np.nanquantile(known, _LOW, axis=0)
    pessimistic[4] = mean[4]  # neither open nor closed is the worse claim
    return Scales(
        mean=mean,
        deviation=deviation,
        low=pessimistic,
        spread=deviation.copy(),
        price_of_size=_line(known[:, 0], known[:, 1]),
        size_of_price=_line(known[:, 1], known[:, 0]),
        last_years=float(np.nanmax(known[:, 2])) + 0.5,
    )


def fit_factors(
    scores: Sequence[PublicScore],
    facts: Mapping[str, ModelFacts],
    scales: Scales,
) -> BenchmarkFactors:
    """Return the factor model of the table, by expectation and maximisation."""
    names = tuple(dict.fromkeys(one.benchmark for one in scores))
    models = tuple(dict.fromkeys(one.model for one in scores))
    table = np.full((len(models), len(names)), np.nan)
    for one in scores:
        table[models.index(one.model), names.index(one.benchmark)] = one.score
    known_facts = np.array([scales.row(facts.get(model, ModelFacts(model)))[0] for model in models])
    intercept, loading, noise, mapped = _maximise(logit(table), known_facts)
    return BenchmarkFactors(models, names, table, intercept, loading, noise, mapped, _BORROWED)


def _maximise(cells: Table, facts: Table) -> tuple[Table, Table, Table, Table]:
    """Return intercepts (B,), loadings (B, R), noises (B,) and the weights of facts (5, R)."""
    count, rank = cells.shape[1], _FACTORS
    known = ~np.isnan(cells)
    generator = np.random.default_rng(0)
    intercept, noise = np.nanmean(cells, axis=0), np.nanvar(cells, axis=0) / 2 + _CELL_NOISE
    loading = generator.normal(0, 0.1, (count, rank))
    loading[:, 0] = np.nanstd(cells, axis=0) / 1.5
    mapped: Table = np.zeros((facts.shape[1], rank))
    for _ in range(_STEPS):
        means, covariances = [], []
        for row, seen in enumerate(known):
            found = factor_posterior(
                cells[row, seen] - intercept[seen],
                loading[seen],
                noise[seen],
                facts[row] @ mapped,
            )
            means.append(found.mean)
            covariances.append(found.covariance)
        mean, covariance = np.array(means), np.array(covariances)
        common = loading.mean(axis=0)
        for at in range(count):
            seen = known[:, at]
            solved = _benchmark(cells[seen, at], mean[seen], covariance[seen], common)
            intercept[at], loading[at] = solved[0], solved[1]
            noise[at] = _noise(solved, cells[seen, at], mean[seen], covariance[seen])
        inner = facts.T @ facts + 10 * np.eye(facts.shape[1])
        mapped = np.asarray(np.linalg.solve(inner, facts.T @ mean), dtype=np.float64)
    return intercept, loading, noise, mapped


def _benchmark(values: Table, mean: Table, covariance: Table, common: Table) -> tuple[float, Table]:
    """Return intercept and loading of one benchmark, drawn towards the common loading."""
    rank = mean.shape[1]
    design = np.concatenate([np.ones((len(mean), 1)), mean], axis=1)
    inner = design.T @ design
    inner[1:, 1:] += covariance.sum(axis=0) + _FEW * np.eye(rank)
    inner[0, 0] += 0.1
    right = design.T @ values
    right[0] += 0.1 * values.mean()
    right[1:] += _FEW * common
    found = np.linalg.solve(inner, right)
    return float(found[0]), found[1:]


def _noise(
    solved: tuple[float, Table],
    values: Table,
    mean: Table,
    covariance: Table,
) -> float:
    intercept, loading = solved
    residual = values - intercept - mean @ loading
    spread = np.einsum("r,nrs,s->n", loading, covariance, loading)
    variance = ((residual**2 + spread).sum() + _FEW * 0.3) / (len(values) + _FEW)
    return float(max(variance, _CELL_NOISE))


def _known(facts: ModelFacts) -> list[float]:
    nothing = float("nan")
    size, price = power(facts.parameters_b), power(facts.output_usd_per_mtok)
    years = years_of(facts.release_date)
    thinks = reasons(variant(facts.model)) if facts.reasoning is None else facts.reasoning
    closed = None if facts.open_weights is None else not facts.open_weights
    columns = (size, price, years, thinks, closed)
    return [nothing if value is None else float(value) for value in columns]


def _line(inputs: Table, outputs: Table) -> Table:
    """Return intercept, slope and spread of one column read from another."""
    both = ~np.isnan(inputs) & ~np.isnan(outputs)
    if both.sum() < 3 or np.ptp(inputs[both]) == 0:
        return np.array([np.nanmean(outputs), 0.0, np.nanstd(outputs)])
    slope, intercept = np.polyfit(inputs[both], outputs[both], 1)
    spread = np.std(outputs[both] - intercept - slope * inputs[both])
    return np.array([intercept, slope, spread])
