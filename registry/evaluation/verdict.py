"""Whether to route, in words: routing must beat every mixture of single models beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rolecall.registry.evaluation.curves import Curve, hull, reached
from rolecall.registry.evaluation.results import EvalVerdict
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.bootstrap import Interval, interval, known_interval

EQUAL_SUCCESS = "ours, equal success"
MOST_VALUE = "the cheapest within one standard error of the most value"
AS_SUCCESSFUL = "the cheapest that is as successful as the best within noise"

_LEAST_GROUPS = 30
# Success that falls further short than a point is not called equal, however wide the interval.
_POINT = 0.01
# What would be printed as a saving of 0 % or a gain of 0.0 points is no reason to route.
_LEAST_SAVING = 0.01
_LEAST_GAIN = 0.0005
# Rounding may lift a policy this far above the very models it is made of.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class PolicyMeans:
    """What a verdict rests on: policies' mean success and cost (1 + R, P), row 0 the estimate.

    `names` holds "single:MODEL" for every model, `method`, and, where costs are known,
    `EQUAL_SUCCESS`: the method where it comes nearest to the best single model's success, at a
    dial found on other prompts.
    """

    models: tuple[str, ...]
    best: int
    method: str
    quality_usd: float
    groups: int
    costs_known: bool
    names: tuple[str, ...]
    success: Table
    cost: Table

    def of(self, name: str) -> tuple[Table, Table]:
        """Return one policy's success and cost (1 + R,)."""
        column = self.names.index(name)
        return self.success[:, column], self.cost[:, column]

    def value(self, name: str) -> Table:
        """Return one policy's value in USD (1 + R,): the value of its success, less its cost."""
        success, cost = self.of(name)
        return np.asarray(self.quality_usd * success - cost)

    @cached_property
    def singles(self) -> tuple[Table, Table]:
        """The single models' success and cost (1 + R, M)."""
        columns = [self.names.index(f"single:{model}") for model in self.models]
        return self.success[:, columns], self.cost[:, columns]

    @cached_property
    def mixtures(self) -> Sequence[Curve]:
        """The hulls of the single models, found anew in every row."""
        success, cost = self.singles
        return [hull(points) for points in zip(cost, success, strict=True)]

    def over_mixtures(self, name: str) -> Table:
        """Return a policy's success above all mixtures of single models of its cost (1 + R,)."""
        success, cost = self.of(name)
        mixed = [reached(on, paid) for on, paid in zip(self.mixtures, cost.tolist(), strict=True)]
        return np.asarray(success - np.array(mixed))


def judge(means: PolicyMeans) -> EvalVerdict:
    """Return whether routing pays, and the single model that this is measured against.

    Routing pays in one of two ways. Either it saves at equal success: at a dial found on other
    prompts it is as successful as the best single model within noise, and costs less than the
    cheapest model that is. Or, at the dial `quality_usd`, it is worth more than any single model.
    Either way it must succeed more than any mixture of single models of its own mean cost. All of
    it at the low end of 95 % intervals, with the mixtures and the best single models found anew
    in every resample: so chance is no gain, and neither is what a cheaper single model
    would save too.
    """
    use = means.models[most_value(means)]
    points = interval(means.over_mixtures(means.method))
    value = interval(_value_over_singles(means))

    def verdict(route: bool, text: str, saving: Interval | None = None) -> EvalVerdict:
        return EvalVerdict(route, text, use, MOST_VALUE, saving, points, value)

    if means.groups < _LEAST_GROUPS:
        return verdict(False, f"too few cases to tell ({means.groups})")
    saving, reference = saving_at_equal_success(means)
    if saving is not None and saving.low >= _LEAST_SAVING:
        earned = interval(means.over_mixtures(EQUAL_SUCCESS))
        if earned.low > _ROUNDING:
            model = means.models[reference]
            text = _saves(saving, model)
            return EvalVerdict(True, text, model, AS_SUCCESSFUL, saving, earned, value)
    gained = points.low > _ROUNDING and points.mean >= _LEAST_GAIN
    if gained and value.low > means.quality_usd * _ROUNDING:
        return verdict(True, _gains(points, means), saving)
    return verdict(False, _worth_no_more(value, use) if gained else _adds_nothing(points, use))


def most_value(means: PolicyMeans) -> int:
    """Return the single model to use for everything: the one of most value.

    If a cheaper one comes within a standard error of that value, the cheapest such: the price is
    certain, the difference in success is not (the one-standard-error rule of Breiman et al.).
    """
    success, cost = means.singles
    value = means.quality_usd * success - cost
    models = range(len(means.models))
    first = min(models, key=lambda model: (-value[0, model], -success[0, model], cost[0, model]))
    behind = value[:, [first]] - value
    close = np.flatnonzero(behind[0] <= behind[1:].std(axis=0)).tolist()
    return min(close, key=lambda model: (cost[0, model], -value[0, model]))


def saving_at_equal_success(means: PolicyMeans) -> tuple[Interval | None, int]:
    """Return the share of cost saved where success is equal, and the model it is saved against.

    That is the cheapest model which is as successful as the best one within noise. `None` where
    routing falls short of the best model by more than noise or more than a point.
    """
    success, cost = means.singles
    equal = np.percentile(success[1:] - success[1:, [means.best]], 97.5, axis=0) >= 0
    reference = min(
        np.flatnonzero(equal).tolist(), key=lambda model: (cost[0, model], -success[0, model])
    )
    if not means.costs_known:
        return None, reference
    held, paid = means.of(EQUAL_SUCCESS)
    difference = interval(held - success[:, means.best])
    if difference.high < 0 or difference.mean < -_POINT:
        return None, reference
    with np.errstate(divide="ignore", invalid="ignore"):
        return known_interval(1 - paid / cost[:, reference]), reference


def _value_over_singles(means: PolicyMeans) -> Table:
    """Return the method's value above the single model of most value (1 + R,), in USD."""
    success, cost = means.singles
    best = (means.quality_usd * success - cost).max(axis=1)
    return np.asarray(means.value(means.method) - best)


def _saves(saving: Interval, model: str) -> str:
    mean, low, high = (f"{100 * x:.0f}" for x in (saving.mean, saving.low, saving.high))
    return f"route: saves {mean} % ({low}–{high}) of the cost of {model} at equal success"


def _gains(points: Interval, means: PolicyMeans) -> str:
    mean, low, high = (f"{100 * x:.1f}" for x in (points.mean, points.low, points.high))
    where = " at equal cost" if means.costs_known else ", costs unknown"
    return f"route: +{mean} points ({low}–{high}) over any mix of single models{where}"


def _adds_nothing(points: Interval, use: str) -> str:
    low, high = _signed(100 * points.low, "", 1), _signed(100 * points.high, "", 1)
    return f"don't: use {use} for everything; routing adds nothing here ({low} … {high} points)"


def _worth_no_more(value: Interval, use: str) -> str:
    low, high = _signed(value.low, "$", 5), _signed(value.high, "$", 5)
    return (
        f"don't: use {use} for everything; routing is worth no more at this dial "
        f"({low} … {high} a prompt)"
    )


def _signed(number: float, unit: str, digits: int) -> str:
    rounded = f"{abs(number):.{digits}f}"
    if not float(rounded):
        return unit + rounded
    return ("−" if number < 0 else "+") + unit + rounded
