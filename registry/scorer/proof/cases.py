"""The table that a proof is made on: what each model made of each prompt, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

# What may predict, weakest first.
METHODS = ("task means", "nearest", "ours")


@dataclass(frozen=True, slots=True)
class Cases:
    """N judged prompts × M models, every cell known.

    `groups` (N) are the bootstrap's units. `scores` (N, M) run from 0 to 1. `costs` (N, M) are
    the USD paid, `expected_costs` (N, M) the USD as known before the call, which is all of the
    cost that a policy may look at. `predicted` holds each method's success (N, M), by the names
    in `METHODS`. Raises `ValueError` on shapes that differ and on cells that are not finite.
    """

    models: tuple[str, ...]
    groups: tuple[str, ...]
    scores: Table
    costs: Table | None
    expected_costs: Table | None
    predicted: Mapping[str, Table]

    def __post_init__(self) -> None:
        shape = (len(self.groups), len(self.models))
        if 0 in shape:
            raise ValueError("a proof needs at least one prompt and one model")
        if not self.predicted or not set(self.predicted) <= set(METHODS):
            raise ValueError(f"predicted: expected methods among {METHODS}")
        tables = {"scores": self.scores, "costs": self.costs, "expected_costs": self.expected_costs}
        for name, table in {**tables, **self.predicted}.items():
            if table is not None and (table.shape != shape or not np.isfinite(table).all()):
                raise ValueError(f"{name}: expected {shape} finite numbers")

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that predicted, weakest first."""
        return tuple(method for method in METHODS if method in self.predicted)

    @property
    def paid(self) -> Table:
        """The true costs (N, M) to reckon with: all 0 where unknown, so that success decides."""
        return np.zeros_like(self.scores) if self.costs is None else self.costs

    @property
    def visible_costs(self) -> Table:
        """What a policy may know of the costs (N, M): what was expected before the call.

        Each model's mean cost stands in where nobody can say more, and 0 where no cost is known.
        """
        if self.costs is None:
            return self.paid
        if self.expected_costs is None:
            return np.broadcast_to(self.costs.mean(axis=0), self.costs.shape)
        return self.expected_costs

    def by_name(self) -> Cases:
        """Return the same cases with the models in the order of their names."""
        order = sorted(range(len(self.models)), key=lambda column: self.models[column])

        def sorted_table(table: Table) -> Table:
            return np.take(np.asarray(table, dtype=np.float64), order, axis=1)

        return replace(
            self,
            models=tuple(self.models[column] for column in order),
            scores=sorted_table(self.scores),
            costs=None if self.costs is None else sorted_table(self.costs),
            expected_costs=(
                None if self.expected_costs is None else sorted_table(self.expected_costs)
            ),
            predicted={name: sorted_table(table) for name, table in self.predicted.items()},
        )
