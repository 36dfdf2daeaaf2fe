"""How often each policy chose otherwise for prompts that mean the same, by kind of change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.evaluation.perturbations.perturb import EDITS, KINDS, RESTATEMENTS
from rolecall.registry.scorer.bootstrap import Draws, draw, interval

# Beside the strategies: the highest predicted success in the pool; of the models judged on the
# prompt, the one with the highest predicted success and the one that scored best on the nearest
# judged prompts; and a policy that never changes.
ARGMAX, PREDICTED, NEAREST, CONSTANT = "argmax", "predicted", "nearest", "constant"
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessPlan:
    """What is measured: so many prompts, every strategy of the registry unless some are named.

    Prompts come from one `fold` and one `dataset` if they are given. `most_past` is how many
    judged prompts the nearest are looked for among: those of the `train` files if there are any.
    """

    prompts: int = 300
    fold: int | None = None
    dataset: str | None = None
    strategies: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    seed: int = 7
    most_past: int = 2000
    train: tuple[Path, ...] = ()
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class FlipRate:
    """How many of `cases` flipped, as a share with its 95 % interval; null without a case."""

    flips: int
    cases: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class KindFlips:
    """Each policy's flips by one kind of change; the mean absolute change of predicted success."""

    kind: str
    flips: Mapping[str, FlipRate]
    success_moved: float | None


@dataclass(frozen=True, slots=True)
class RobustnessReport:
    """How often each policy chose otherwise for prompts that mean the same.

    `flips` counts all kinds, `edits` and `restatements` the kinds of that name. `left_out` spells
    out the lines of the files that were no judged rows.
    """

    scorer_version: str
    seed: int
    prompts: int
    texts: int
    endpoints: int
    strategies: tuple[str, ...]
    kinds: tuple[KindFlips, ...]
    flips: Mapping[str, FlipRate]
    edits: Mapping[str, FlipRate]
    restatements: Mapping[str, FlipRate]
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class RoutedText:
    """What each policy chose for a prompt as it is (`kind` null) or with one kind of change.

    `row` is the prompt's number, `success` what is predicted by endpoint, `place` (A,) where the
    text lies among judged prompts.
    """

    row: int
    kind: str | None
    chosen: dict[str, str | None]
    success: Mapping[str, float]
    place: NDArray[np.float32]


def summarize(
    plan: RobustnessPlan,
    strategies: Sequence[str],
    routed: Sequence[RoutedText],
    scorer_version: str,
    endpoints: int,
) -> RobustnessReport:
    """Count flips by policy and kind; `endpoints` is the size of the pool."""
    originals = {one.row: one for one in routed if one.kind is None}
    changed: dict[int, dict[str, RoutedText]] = {row: {} for row in originals}
    for one in routed:
        if one.kind is not None:
            changed[one.row][one.kind] = one
    policies = next(iter(originals.values())).chosen
    found: dict[str, _Flips] = {
        policy: {
            row: {kind: other.chosen[policy] != before for kind, other in others.items()}
            for row, others in changed.items()
            if (before := originals[row].chosen[policy]) is not None
        }
        for policy in policies
    }

    def rates(kinds: Sequence[str]) -> dict[str, FlipRate]:
        return {policy: flip_rate(one, kinds, seed=plan.seed) for policy, one in found.items()}

    return RobustnessReport(
        scorer_version=scorer_version,
        seed=plan.seed,
        prompts=len(originals),
        texts=sum(map(len, changed.values())),
        endpoints=endpoints,
        strategies=tuple(strategies),
        kinds=tuple(
            KindFlips(kind, rates([kind]), _success_moved(originals, changed, kind))
            for kind in plan.kinds
        ),
        flips=rates(plan.kinds),
        edits=rates([kind for kind in plan.kinds if kind in EDITS]),
        restatements=rates([kind for kind in plan.kinds if kind in RESTATEMENTS]),
    )


_Flips = Mapping[int, Mapping[str, bool]]


def flip_rate(flipped: _Flips, kinds: Sequence[str], *, seed: int) -> FlipRate:
    """Return how often a policy flipped on these kinds of change.

    `flipped` has the kinds that applied to each prompt. The interval is the percentile bootstrap's
    (Efron and Tibshirani 1993) over prompts: what was done to one prompt is not independent
    evidence.
    """
    of_kinds = [[one[kind] for kind in kinds if kind in one] for one in flipped.values()]
    flips, cases = sum(map(sum, of_kinds)), sum(map(len, of_kinds))
    if not cases:
        return FlipRate(0, 0, None, None, None)
    table = np.array([(sum(one), len(one)) for one in of_kinds], dtype=np.float64)  # (P, 2)
    drawn = _draws(len(table), seed).totals(table)  # (1 + R, 2)
    drawn = drawn[drawn[:, 1] > 0]
    found = interval(drawn[:, 0] / drawn[:, 1])
    return FlipRate(flips, cases, found.mean, found.low, found.high)


@lru_cache(maxsize=2)
def _draws(prompts: int, seed: int) -> Draws:
    return draw(np.arange(prompts), _RESAMPLES, seed)


def _success_moved(
    originals: Mapping[int, RoutedText], changed: Mapping[int, Mapping[str, RoutedText]], kind: str
) -> float | None:
    moved = [
        abs(success - others[kind].success[endpoint])
        for row, others in changed.items()
        if kind in others
        for endpoint, success in originals[row].success.items()
        if endpoint in others[kind].success
    ]
    return fmean(moved) if moved else None
