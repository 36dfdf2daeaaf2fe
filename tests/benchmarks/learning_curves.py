"""How many judged rows a new model needs: fitted to 0 to 500 of them, as `scorer fit` does.

`python -m tests.benchmarks.learning_curves DATA` trains without eight models of eight families
and, for each, fits it to rows of the other folds, drawn at random three times: of one data set, or
of all data sets that judge it. It prints the Brier score and the pair order (pairs with this model)
on the report fold of each set, as means over models and their sets, beside the scorer trained on
all rows, the nearest of the same rows, and the model's mean on them. It takes some three minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.evaluation.metrics import brier, pair_order
from rolecall.registry.scorer.arrays import Floats, Rows, Table
from rolecall.registry.scorer.artifact import PUBLIC
from rolecall.registry.scorer.baselines import nearest
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.encoder import SENTENCE
from rolecall.registry.scorer.length import LengthModel
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.onboarding import Answers, Fits, fit_models
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData
from rolecall.registry.scorer.training.model_facts import facts_of
from rolecall.registry.scorer.training.train import learn
from tests.benchmarks.learnt import (
    FOLD,
    LEFT_OUT,
    Logits,
    ReadBefore,
    ReportSet,
    logits_of,
    read_arguments,
    report_sets,
    without_models,
)

COUNTS = (0, 10, 25, 50, 100, 200, 500)
DRAWS = 3
LEAST_CASES = 8

# By method and number of rows, null for all of them: Brier score and pair order, by model and set.
Curves = dict[tuple[str, int | None], list[tuple[float, float]]]


def main() -> int:
    """Print the curves on rows of one set and on rows of all sets."""
    data, encoder = read_arguments(__doc__)
    whole = learn(data, Settings(), encoder, "whole")
    head = learn(without_models(data, LEFT_OUT), Settings(), encoder, "without")
    scorer = Scorer(head, ReadBefore(data), LengthModel.load(PRETRAINED))
    past = (data.judged.folds != FOLD) & (data.set_of != PUBLIC)
    learner = Learner(scorer, data, past, head.neighbours.locate(data.embeddings), {})
    same_set, all_sets = Curves(), Curves()
    for one in report_sets(data):
        names = [data.judged.models[column] for column in one.columns.tolist()]
        asked = np.isfinite(one.scores).sum(axis=0)
        places = [
            place
            for place, model in enumerate(names)
            if model in LEFT_OUT and asked[place] >= LEAST_CASES
        ]
        if not places:
            continue
        others = Others.of(learner, one, names)
        trained = logits_of(whole, data, encoder, one.rows, facts_of(names)).success()
        for place in places:
            for curves, datasets in ((same_set, [one.name]), (all_sets, data.judged.datasets)):
                _add(curves, "trained", None, measured(trained, one, place))
                for draw, count in product(range(DRAWS), COUNTS):
                    rows = learner.rows_of(names[place], datasets, draw)[:count]
                    for method, table in learner.tables(one, others, place, rows).items():
                        _add(curves, method, count, measured(table, one, place))
    _print("rows of the set evaluated on", same_set)
    _print("rows of all sets that judge the model", all_sets)
    return 0


@dataclass(frozen=True)
class Others:
    """What each method predicts for the other models of a set, from all of their rows (N, M)."""

    names: Sequence[str]
    scorer: Logits
    nearest: Table
    mean: Table

    @classmethod
    def of(cls, learner: Learner, one: ReportSet, names: Sequence[str]) -> Others:
        """Predict a set's models by each method; a left-out model's column is filled in later."""
        data, head = learner.data, learner.scorer.head
        past = np.flatnonzero(learner.past)
        judged = data.judged.only(past)
        inside = data.judged.only(past[np.array(judged.datasets) == one.name]).of(names)
        means = np.nanmean(inside.scores.astype(np.float64), axis=0)
        return cls(
            names,
            logits_of(head, data, learner.scorer.encoder, one.rows, facts_of(names)),
            nearest(judged, learner.places[past], learner.places[one.rows], names),
            np.tile(means, (len(one.rows), 1)),
        )


@dataclass(frozen=True)
class Learner:
    """A scorer that has not learnt the left-out models, all prompts' places, and its readings.

    `past` (P,) marks the judged prompts outside the report fold.
    """

    scorer: Scorer
    data: TrainingData
    past: NDArray[np.bool_]
    places: Floats
    readings: dict[int, Reading]

    def rows_of(self, model: str, datasets: Sequence[str], draw: int) -> Rows:
        """Return the past rows that judge a model, in an order drawn."""
        judged = self.data.judged
        asked = np.isfinite(judged.scores[:, judged.models.index(model)])
        inside = np.isin(judged.datasets, list(set(datasets)))
        rows = np.flatnonzero(asked & inside & self.past)
        return np.random.default_rng(draw).permutation(rows)

    def tables(self, one: ReportSet, others: Others, place: int, rows: Rows) -> dict[str, Table]:
        """Return each method's table (N, M), the model at `place` predicted from these rows."""
        model = others.names[place]
        filled = {"ours": self._fitted(one, others, model, rows)}
        if len(rows):
            known = self.data.judged.only(rows).of([model])
            near = nearest(known, self.places[rows], self.places[one.rows], [model])
            filled["nearest"] = others.nearest, near[:, 0]
            mean = (known.scores.sum() + 1) / (len(rows) + 2)
            filled["mean"] = others.mean, np.full(len(one.rows), float(mean))
        tables = {}
        for method, (table, column) in filled.items():
            tables[method] = table.copy()
            tables[method][:, place] = column
        return tables

    def _fitted(
        self, one: ReportSet, others: Others, model: str, rows: Rows
    ) -> tuple[Table, Table]:
        """Predict the others, moved by what the rows have in common, and the model itself."""
        facts = facts_of([model])
        scores = self.data.judged.scores[rows, self.data.judged.models.index(model)][:, None]
        answers = Answers(
            readings=self._read(rows),
            facts=facts,
            groups=tuple(self.data.judged.groups[row] for row in rows.tolist()),
            scores=scores.astype(np.float64),
            samples=np.ones_like(scores, dtype=np.float64),
            longer=np.full(scores.shape, np.nan),
        )
        fits = fit_models(self.scorer, answers) if len(rows) else Fits()
        scorer = self.scorer.with_fits(fits)
        said = [scorer.predict(reading, facts)[0].success for reading in self._read(one.rows)]
        if fits.world is None:
            return others.scorer.success(), np.array(said)
        moved = fits.world.offsets(self.data.embeddings[one.rows, SENTENCE].astype(np.float64))
        return others.scorer.success(moved[:, None]), np.array(said)

    def _read(self, rows: Rows) -> tuple[Reading, ...]:
        for row in rows.tolist():
            if row not in self.readings:
                self.readings[row] = self.scorer.read(self.data.judged.prompts[row])
        return tuple(self.readings[row] for row in rows.tolist())


def measured(table: Table, one: ReportSet, place: int) -> tuple[float, float]:
    """Return Brier score and pair order of the model at a place."""
    is_model = np.arange(table.shape[1]) == place
    order = pair_order(table, one.scores, of=is_model)
    return float(brier(table[:, is_model], one.scores[:, is_model])), float(order)


def _add(curves: Curves, method: str, count: int | None, found: tuple[float, float]) -> None:
    curves.setdefault((method, count), []).append(found)


def _print(title: str, curves: Curves) -> None:
    trained = np.nanmean(curves["trained", None], axis=0)
    cases = len(curves["trained", None])
    sys.stdout.write(
        f"\n{title} (all there are, if fewer), {DRAWS} draws; {len(LEFT_OUT)} models, "
        f"{cases} pairs of model and set\n"
        f"trained on all rows: Brier {trained[0]:.4f}, pair order {trained[1]:.4f}\n"
        f"{'rows':>5} {'ours: Brier':>12} {'to trained':>10} {'order':>6} {'nearest':>12} "
        f"{'order':>6} {'mean':>9} {'order':>6}\n"
    )
    for count in COUNTS:
        told = f"{count:>5}"
        for method, width in (("ours", 12), ("nearest", 12), ("mean", 9)):
            found = curves.get((method, count))
            if found is None:
                continue
            score, order = np.nanmean(found, axis=0)
            gap = f" {score / trained[0] - 1:>+10.1%}" if method == "ours" else ""
            told += f" {score:>{width}.4f}{gap} {order:>6.3f}"
        sys.stdout.write(told + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
