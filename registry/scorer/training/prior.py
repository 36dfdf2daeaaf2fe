"""Fits the metadata prior: the factors of the public scores, then the kernels over models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.benchmark_factors import (
    BenchmarkFactors,
    factor_posterior,
    logit,
)
from rolecall.registry.scorer.metadata_prior import (
    Described,
    Kernel,
    MetadataPrior,
    Scales,
    describe,
    power,
    years_of,
)
from rolecall.registry.scorer.public_scores import PublicScore
from rolecall.registry.scorer.variants import reasons, variant

Floats = NDArray[np.float64]

_START = Kernel(
    scores=0.2, facts=0.05, near=0.2, length=2.0, family=0.1, base=0.1, own=0.1, noise=10.0
)
_FACTORS_OF_TWO = (0.25, 0.5, 2.0, 4.0)
# A judged prompt tells at most about .2 of a squared logit; kernels narrower than their typical
# neighbours only memorise.
_BOUNDS = {"noise": (5.0, 80.0), "length": (1.0, 8.0)}


@dataclass(frozen=True, slots=True)
class PriorSettings:
    """Chosen on models left out of the network's training, fold 6.

    `factors` is the rank of the factor model, `cell_noise` the least variance of a score's logit,
    `few` how many cells the common loading counts for, `borrowed` the variance that a score of
    another effort adds. `runs` are the axes that share a kernel. `least_weight` drops models with
    fewer judged prompts; `widen` scales the variance of each run and of the axes after them: few
    models were judged on every kind of work, and where one was not the network leaves it at 0.
    """

    factors: int = 3
    cell_noise: float = 0.05
    few: float = 15.0
    borrowed: float = 1.0
    steps: int = 20
    runs: tuple[int, ...] = (1, 3)
    rounds: int = 3
    least_weight: float = 300.0
    low: float = 0.25
    widen: tuple[float, ...] = (2.0, 8.0, 30.0)


def fit_prior(
    latent: Floats,
    models: Sequence[str],
    weights: Floats,
    facts: Sequence[ModelFacts],
    *,
    scores: Sequence[PublicScore],
    table_facts: Sequence[ModelFacts],
    moment: Floats,
    settings: PriorSettings | None = None,
) -> MetadataPrior:
    """Return the prior learnt from trained models: theta `latent` (M, K) and their `facts`.

    `models` are canonical variants, `weights` (M,) their numbers of judged prompts. `scores` is
    the public table, `table_facts` the facts of its models. `moment` (K, K) is the mean of
    loading · loadingᵀ over prompts: it says which differences of theta matter.
    """
    settings = settings or PriorSettings()
    kept = np.flatnonzero(weights >= settings.least_weight).tolist()
    trained = [replace(facts[at], model=models[at]) for at in kept]
    latent, weights = latent[kept], weights[kept]
    scales = fit_scales(trained, settings.low)
    factors = fit_factors(scores, {one.model: one for one in table_facts}, scales, settings)
    described = describe(factors, scales, trained)
    axes = _axes(latent, weights, moment)
    values = latent @ axes
    share = weights / (weights + np.median(weights))
    centre = (share[:, None] * values).sum(0) / share.sum()
    values = values - centre
    runs = (*settings.runs, values.shape[1] - sum(settings.runs))
    parts = np.split(values, np.cumsum(runs)[:-1], axis=1)
    kernels = tuple(_fit_kernel(described, part, weights, settings.rounds) for part in parts)
    whitening = np.array([_whitening(kernel, described, weights) for kernel in kernels])
    solved = [white.T @ white @ part for white, part in zip(whitening, parts, strict=True)]
    return MetadataPrior(
        factors=factors,
        scales=scales,
        described=described,
        axes=axes,
        centre=centre,
        weights=np.concatenate(solved, axis=1),
        whitening=whitening,
        runs=runs,
        kernels=kernels,
        widen=settings.widen,
    )


def fit_scales(facts: Sequence[ModelFacts], low: float) -> Scales:
    """Return how facts are scaled, and what unknown ones are read as: the quantile `low`."""
    known = np.array([_known(one) for one in facts])
    mean = np.nanmean(known, axis=0)
    deviation = np.maximum(np.nanstd(known, axis=0), 0.2)  # a column may not vary at all
    pessimistic = np.nanquantile(known, low, axis=0)
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
    settings: PriorSettings,
) -> BenchmarkFactors:
    """Return the factor model of the table, by expectation and maximisation."""
    names = tuple(dict.fromkeys(one.benchmark for one in scores))
    models = tuple(dict.fromkeys(one.model for one in scores))
    table = np.full((len(models), len(names)), np.nan)
    for one in scores:
        table[models.index(one.model), names.index(one.benchmark)] = one.score
    known_facts = np.array([scales.row(facts.get(model, ModelFacts(model)))[0] for model in models])
    intercept, loading, noise, mapped = _maximise(logit(table), known_facts, settings)
    return BenchmarkFactors(
        models, names, table, intercept, loading, noise, mapped, settings.borrowed
    )


def _maximise(
    cells: Floats, facts: Floats, settings: PriorSettings
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return intercepts (B,), loadings (B, R), noises (B,) and the weights of facts (5, R)."""
    count, rank = cells.shape[1], settings.factors
    known = ~np.isnan(cells)
    generator = np.random.default_rng(0)
    intercept, noise = np.nanmean(cells, axis=0), np.nanvar(cells, axis=0) / 2 + settings.cell_noise
    loading = generator.normal(0, 0.1, (count, rank))
    loading[:, 0] = np.nanstd(cells, axis=0) / 1.5
    mapped: Floats = np.zeros((facts.shape[1], rank))
    for _ in range(settings.steps):
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
            solved = _benchmark(cells[seen, at], mean[seen], covariance[seen], common, settings.few)
            intercept[at], loading[at] = solved[0], solved[1]
            noise[at] = _noise(solved, cells[seen, at], mean[seen], covariance[seen], settings)
        inner = facts.T @ facts + 10 * np.eye(facts.shape[1])
        mapped = np.asarray(np.linalg.solve(inner, facts.T @ mean), dtype=np.float64)
    return intercept, loading, noise, mapped


def _benchmark(
    values: Floats, mean: Floats, covariance: Floats, common: Floats, few: float
) -> tuple[float, Floats]:
    """Return intercept and loading of one benchmark, drawn towards the common loading."""
    rank = mean.shape[1]
    design = np.concatenate([np.ones((len(mean), 1)), mean], axis=1)
    inner = design.T @ design
    inner[1:, 1:] += covariance.sum(axis=0) + few * np.eye(rank)
    inner[0, 0] += 0.1
    right = design.T @ values
    right[0] += 0.1 * values.mean()
    right[1:] += few * common
    found = np.linalg.solve(inner, right)
    return float(found[0]), found[1:]


def _noise(
    solved: tuple[float, Floats],
    values: Floats,
    mean: Floats,
    covariance: Floats,
    settings: PriorSettings,
) -> float:
    intercept, loading = solved
    residual = values - intercept - mean @ loading
    doubt = np.einsum("r,nrs,s->n", loading, covariance, loading)
    variance = ((residual**2 + doubt).sum() + settings.few * 0.3) / (len(values) + settings.few)
    return float(max(variance, settings.cell_noise))


def _axes(latent: Floats, weights: Floats, moment: Floats) -> Floats:
    """Return the axes (K, K) along which trained models differ, the one that matters most first."""
    values, vectors = np.linalg.eigh(moment + 1e-6 * np.eye(len(moment)) * np.trace(moment))
    root = vectors * np.sqrt(values)  # theta @ root: distances are differences of logits
    share = (weights / (weights + np.median(weights)))[:, None]
    moved = latent @ root
    moved = moved - (share * moved).sum(0) / share.sum()
    _, turned = np.linalg.eigh((share * moved).T @ moved)
    axes: Floats = root @ turned[:, ::-1]
    return axes


def _fit_kernel(described: Described, values: Floats, weights: Floats, rounds: int) -> Kernel:
    """Return the kernel under which the values (M, k) are likeliest, by coordinate search."""
    size = float((values**2).mean())
    start = {
        name: getattr(_START, name) * (1.0 if name == "length" else size)
        for name in Kernel.__slots__
    }
    best = Kernel(**start | {"noise": _START.noise})
    reached = _likelihood(best, described, values, weights)
    for _ in range(rounds):
        for name in Kernel.__slots__:
            for factor in _FACTORS_OF_TWO:
                least, most = _BOUNDS.get(name, (1e-6, 1e3))
                value = min(max(getattr(best, name) * factor, least), most)
                tried = replace(best, **{name: value})
                found = _likelihood(tried, described, values, weights)
                if found > reached:
                    best, reached = tried, found
                    break
    return best


def _likelihood(kernel: Kernel, described: Described, values: Floats, weights: Floats) -> float:
    lower = _lower(kernel, described, weights)
    whitened = np.linalg.solve(lower, values)
    return float(-(whitened**2).sum() / 2 - values.shape[1] * np.log(np.diag(lower)).sum())


def _whitening(kernel: Kernel, described: Described, weights: Floats) -> Floats:
    """Return the matrix (M, M), lower triangular, that makes trained models independent."""
    return np.asarray(np.linalg.inv(_lower(kernel, described, weights)), dtype=np.float64)


def _lower(kernel: Kernel, described: Described, weights: Floats) -> Floats:
    covariance = kernel.between(described, described) + np.diag(kernel.doubt(described, weights))
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _known(facts: ModelFacts) -> list[float]:
    nothing = float("nan")
    size, price = power(facts.parameters_b), power(facts.output_usd_per_mtok)
    years = years_of(facts.release_date)
    thinks = reasons(variant(facts.model)) if facts.reasoning is None else facts.reasoning
    closed = None if facts.open_weights is None else not facts.open_weights
    columns = (size, price, years, thinks, closed)
    return [nothing if value is None else float(value) for value in columns]


def _line(inputs: Floats, outputs: Floats) -> Floats:
    """Return intercept, slope and spread of one column read from another."""
    both = ~np.isnan(inputs) & ~np.isnan(outputs)
    if both.sum() < 3:
        return np.array([np.nanmean(outputs), 0.0, np.nanstd(outputs)])
    slope, intercept = np.polyfit(inputs[both], outputs[both], 1)
    spread = np.std(outputs[both] - intercept - slope * inputs[both])
    return np.array([intercept, slope, spread])
