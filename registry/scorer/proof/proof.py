"""What a proof says, as records and as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference and the 95 % paired bootstrap interval around it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """One policy on all cases, each prompt counted once; USD per prompt, null where unknown.

    Gains are against the best single model; `saving` is a share of that model's cost.
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


@dataclass(frozen=True, slots=True)
class Point:
    """A mean cost per prompt and the mean success it buys."""

    cost_usd: float
    success: float


@dataclass(frozen=True, slots=True)
class TwoModels:
    """RouteLLM's figures for a strong and a weak model, by method; null without a gap."""

    strong: str
    weak: str
    apgr: Mapping[str, float | None]
    cpt50: Mapping[str, float | None]
    cpt80: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of like predicted success: how high it was, and how many succeeded."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class ModelQuality:
    """How good one model's predictions are; `auc` is null with too few cases or one outcome."""

    auc: float | None
    brier: float
    ece: float
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a method's predictions are: mean AUC per model, the rest over all cells."""

    auc: float | None
    brier: float
    ece: float
    by_model: Mapping[str, ModelQuality]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to route, in words, and what that rests on.

    `points` is the success gained over all mixtures of single models of the same mean cost (0.02
    is two points), where routing saves at equal success there, else at the dial. `saving` is the
    share of cost saved at equal success, null where that is not held; see `judge`. `use` is the
    single model to take where routing does not pay.
    """

    route: bool
    text: str
    use: str
    saving: Interval | None
    points: Interval


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything `scorer eval` shows; see each part. Figures that need costs are null without.

    `cost_to_hold` has, per method and percent of the best single model's success, the point
    reached (null if never); under "best single" the USD that model costs.
    """

    cases: int
    models: tuple[str, ...]
    quality_usd: float
    best_single: str
    policies: tuple[PolicyFigures, ...]
    curves: Mapping[str, tuple[Point, ...]] | None
    singles: Mapping[str, Point] | None
    aiq: Mapping[str, float] | None
    two_models: TwoModels | None
    cost_to_hold: Mapping[str, Mapping[str, Point | None] | float] | None
    quality: Mapping[str, Quality]
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: dictionaries, lists, numbers and nulls; never NaN."""
        plain = asdict(self)
        singles = plain.pop("singles")
        if singles is not None:
            named = [{"model": model, **point} for model, point in singles.items()]
            plain["curves"] = {**plain["curves"], "singles": named}
        return {key: _listed(value) for key, value in plain.items()}


def _listed(value: Any) -> Any:
    """Turn tuples into lists all the way down, as JSON has no others."""
    if isinstance(value, Mapping):
        return {key: _listed(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_listed(inner) for inner in value]
    return value
