"""What an evaluation says of one data set or mixed workload, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.registry.evaluation.metrics import Bin
from rolecall.registry.scorer.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """One policy on all prompts; USD per prompt, null where unknown.

    `success_gain` and `value_gain_usd` are against the verdict's model, `saving` is a share of
    that model's cost. `over_mixtures` is the success above every mixture of single models of the
    same mean cost, null for a single model.
    """

    policy: str
    success: float
    cost_usd: float | None
    cost_per_success_usd: float | None
    value_usd: float
    regret_usd: float
    shares: Mapping[str, float]
    success_gain: Interval
    saving: Interval | None
    value_gain_usd: Interval
    over_mixtures: Interval | None


@dataclass(frozen=True, slots=True)
class Point:
    """A mean cost per prompt and the mean success it buys."""

    cost_usd: float
    success: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a method's predictions are; a figure is null where it cannot be told.

    See `metrics`: the mean AUC per model, Brier score and calibration error over all scores, how
    often the better of two models is predicted higher, and the correlation of models' ranks.
    `ours_over_usd` is the value of our choices above the method's, in USD per prompt.
    """

    auc: Interval | None
    brier: Interval | None
    ece: Interval | None
    pair_order: Interval | None
    model_rank: Interval | None
    ours_over_usd: Interval | None


@dataclass(frozen=True, slots=True)
class ModelQuality:
    """How good one model's predictions are; `auc` is null with few prompts or one outcome."""

    auc: float | None
    brier: float
    ece: float
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class EvalVerdict:
    """Whether to route, in words, and what that rests on.

    `model` is the single model that the words name, the one to use for everything where routing
    does not pay, and `rule` how it was picked. `points` is the success gained over all mixtures
    of single models of the same mean cost (0.02 is two points), `saving` the share of `model`'s
    cost saved at equal success, null where that is not held, `value_usd` what routing is worth
    more than the single model of most value, in USD per prompt; see `judge`.
    """

    route: bool
    text: str
    model: str
    rule: str
    saving: Interval | None
    points: Interval
    value_usd: Interval


@dataclass(frozen=True, slots=True)
class EvalComparison:
    """Every policy and every method's predictions on the same prompts.

    Policies choose among `models`; predictions are compared on `measured`, which may be more.
    `coverage` is the share of the models' answers that was judged.
    `curves` are hulls of mean cost and success: what each method reaches over all dials, and
    "mixtures" of single models. `cost_at_quality` has, per method and percent of the best single
    model's success, the point reached (null if never); under "best single" the USD that model
    costs. Figures that need costs are null without.
    """

    cases: int
    coverage: float
    groups: int
    models: tuple[str, ...]
    measured: tuple[str, ...]
    quality_usd: float
    best_single: str
    policies: tuple[PolicyFigures, ...]
    curves: Mapping[str, tuple[Point, ...]] | None
    singles: Mapping[str, Point] | None
    aiq: Mapping[str, float] | None
    cost_at_quality: Mapping[str, Mapping[str, Point | None] | float] | None
    quality: Mapping[str, Quality]
    by_model: Mapping[str, ModelQuality]
    verdict: EvalVerdict
