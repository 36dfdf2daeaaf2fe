"""The table that an evaluation is made on: what models made of prompts, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rolecall.registry.scorer.arrays import Table

# What may predict, weakest first.
METHODS = ("price order", "one ability", "detected tasks", "task means", "nearest", "ours")

_MEAN_CELLS = 0.1


@dataclass(frozen=True)
class Cases:
    """N judged prompts × M models.

    `sets` (N) names each prompt's data set and `groups` (N) the bootstrap's units in it;
    `weights` (N,) say how much a prompt counts. `scores` (N, M) run from 0 to 1, NaN where a
    model was not asked. `costs` (N, M) are the USD paid, `expected_costs` (N, M) the USD as known
    before the call, which is all of the cost that a policy may look at; both are null where costs
    are unknown. `predicted` holds each method's success (N, M), by the names in `METHODS`. Raises
    `ValueError` on shapes that differ, and on cells that are not finite elsewhere.
    """

    models: tuple[str, ...]
    sets: tuple[str, ...]
    groups: tuple[str, ...]
    weights: Table
    scores: Table
    costs: Table | None
    expected_costs: Table | None
    predicted: Mapping[str, Table]

    def __post_init__(self) -> None:
        shape = (len(self.groups), len(self.models))
        if 0 in shape or len(self.sets) != shape[0] or self.weights.shape != shape[:1]:
            raise ValueError("expected a set, a group and a weight for each prompt, and models")
        if not self.predicted or not set(self.predicted) <= set(METHODS):
            raise ValueError(f"predicted: expected methods among {METHODS}")
        if (self.costs is None) != (self.expected_costs is None):
            raise ValueError("costs: paid and expected ones are known together or not at all")
        tables = {"costs": self.costs, "expected_costs": self.expected_costs, **self.predicted}
        for name, table in tables.items():
            if table is not None and (table.shape != shape or not np.isfinite(table).all()):
                raise ValueError(f"{name}: expected {shape} finite numbers")
        if self.scores.shape != shape or not np.isfinite(self.scores).any(axis=0).all():
            raise ValueError(f"scores: expected {shape} numbers, some of them for every model")

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that predicted, weakest first."""
        return tuple(method for method in METHODS if method in self.predicted)

    @cached_property
    def expected(self) -> Table:
        """What an additive model of models and prompts expects (N, M), fitted set by set."""
        found, names = np.empty_like(self.scores), np.array(self.sets, dtype=object)
        for name in dict.fromkeys(self.sets):
            ability, prompt_effect = additive(self.scores[names == name])
            found[names == name] = ability + prompt_effect
        return found

    @cached_property
    def success(self) -> Table:
        """Scores without holes (N, M), whose means are those of the whole table.

        Where every model was asked, they are the scores. Elsewhere a cell is what is `expected`
        there, and a cell that was asked adds what it differs by, divided by the share of the
        set's prompts on which the model was asked: the doubly robust estimate of a policy's value
        (Dudík et al. 2011). Its mean is right if models were asked at random within a set, or if
        the additive model is right, as where weak models were given other prompts than strong
        ones. Single cells may lie outside 0–1.
        """
        known, names = np.isfinite(self.scores), np.array(self.sets, dtype=object)
        if known.all():
            return self.scores
        share = np.empty_like(self.scores)
        for name in dict.fromkeys(self.sets):
            share[names == name] = known[names == name].mean(axis=0)
        missed = np.where(known, np.nan_to_num(self.scores) - self.expected, 0.0)
        return np.asarray(self.expected + missed / np.where(known, share, 1.0))

    @property
    def paid(self) -> Table:
        """The costs (N, M) to count: all 0 where unknown, so that success decides."""
        return np.zeros_like(self.scores) if self.costs is None else self.costs

    @property
    def visible_costs(self) -> Table:
        """What a policy may know of the costs (N, M); 0 where no cost is known."""
        return self.paid if self.expected_costs is None else self.expected_costs

    def mean(self, table: Table) -> Table:
        """Return the weighted mean over the prompts of a table (N,) or (N, …)."""
        return np.asarray(np.average(table, axis=0, weights=self.weights))


def additive(scores: Table) -> tuple[Table, Table]:
    """Fit scores (N, M) by a model's ability (M,) + an effect of the prompt, by least squares.

    So models are compared on the prompts that they share. The prompt's effect (N, M) is as the
    *other* models found it, so that it knows nothing of the cell's own score; it is drawn to 0 as
    if by a tenth of a score, which sets models apart that share no prompt. A model that was never
    asked has the mean ability.
    """
    known = np.isfinite(scores).astype(np.float64)
    truth = np.nan_to_num(scores)
    by_prompt, by_model = known.sum(axis=1) + _MEAN_CELLS, known.sum(axis=0)
    share = known / by_prompt[:, None]
    left = np.diag(np.where(by_model > 0, by_model, 1.0)) - share.T @ known
    right = truth.sum(axis=0) - share.T @ truth.sum(axis=1)
    ability = np.linalg.solve(left, right)
    ability[by_model == 0] = ability[by_model > 0].mean()
    missed = known * (truth - ability)
    others = missed.sum(axis=1, keepdims=True) - missed
    return ability, others / (by_prompt[:, None] - known)
