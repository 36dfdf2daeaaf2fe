"""How fast a new model is known: its judged rows against their mean and nearest rows.

In turn, models of different strength are left out of training, and join by rows of theirs.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.data import Judged, read_judged
from rolecall.registry.scorer.design import facts_prior, success_design
from rolecall.registry.scorer.posterior import (
    Design,
    Floats,
    Gaussian,
    fit_posterior,
    predict_with,
)
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.proof.metrics import auc
from rolecall.registry.scorer.suggest import suggest
from rolecall.registry.scorer.training.beliefs import training_models
from tests.benchmarks.left_out import LeftOut

COUNTS = (0, 10, 25, 50, 100, 200, 500)
SUGGESTED = (25, 50)
DRAWS = 5
# One choice of rows is as much luck as skill: the answers to them are drawn only once.
POOLS = 10
POOL_ROWS = 1000
MODELS = 8
LEAST_ROWS = 1500
NEIGHBOURS = (5, 10, 20, 50, 100)
PULLS = (1.0, 4.0, 16.0)

Rows = NDArray[np.intp]
Predict = Callable[[Rows, Rows], Floats]


@dataclass(frozen=True)
class Stranger:
    """One model left out: what the network without it makes of the prompts, and its scores."""

    name: str
    scores: Floats  # (N,), nan where it was not asked
    design: Design
    prior: Callable[[Rows], Gaussian]  # before the answers to these prompts
    spread: float
    vectors: Floats  # (N, 384)
    train: Rows
    tune: Rows
    test: Rows

    def fitted(self, rows: Rows, asked: Rows) -> Floats:
        """Predict from these rows as `scorer fit` does, and without any as by facts and peers."""
        if not len(rows):
            return predict_with(self.prior(asked), self.design.only(asked), spread=self.spread)[0]
        belief = fit_posterior(self.design.only(rows), self.scores[rows], self.prior(rows))
        return predict_with(belief, self.design.only(asked), spread=self.spread)[0]

    def mean(self, rows: Rows, asked: Rows) -> Floats:
        """Predict the rows' mean, as if one more row had half succeeded."""
        return np.full(len(asked), (self.scores[rows].sum() + 0.5) / (len(rows) + 1))

    def nearest(self, rows: Rows, asked: Rows) -> Floats:
        """Predict the mean of the nearest rows, drawn to the mean of all.

        How many and how strongly is what does best on the tuning fold.
        """
        options = [(count, pull) for count in NEIGHBOURS if count <= len(rows) for pull in PULLS]
        if not options:
            return self.mean(rows, asked)
        best = min(
            options,
            key=lambda one: brier(self._near(rows, self.tune, *one), self.scores[self.tune]),
        )
        return self._near(rows, asked, *best)

    def _near(self, rows: Rows, asked: Rows, count: int, pull: float) -> Floats:
        order = np.argsort(-(self.vectors[asked] @ self.vectors[rows].T), axis=1)[:, :count]
        mean = self.mean(rows, asked[:1])
        near: Floats = (self.scores[rows][order].sum(axis=1) + pull * mean) / (count + pull)
        return near

    def suggested(self, pool: Rows, count: int) -> Rows:
        """Return the rows that `--suggest` picks of a pool."""
        return pool[suggest(self.design.only(pool), self.prior(pool), count)]


def brier(predicted: Floats, scores: Floats) -> float:
    return float(np.mean((predicted - scores) ** 2))


def by_strength(judged: Judged, count: int) -> list[str]:
    """Return models from the weakest to the strongest, of those with enough training rows."""
    scores = judged.scores[judged.fold(0, 1, 2, 3, 4, 5)]
    able = np.flatnonzero((~np.isnan(scores)).sum(axis=0) >= LEAST_ROWS)
    order = able[np.argsort(np.nanmean(scores[:, able], axis=0), kind="stable")]
    places = ((np.arange(count) + 0.5) / count * len(order)).astype(int)
    return [judged.models[index] for index in order[places]]


def curve(stranger: Stranger, trained: Floats, counts: Sequence[int]) -> dict[str, Any]:
    """Return Brier score and AUC on the test rows by method and number of rows."""
    scores = stranger.scores[stranger.test]

    def figures(predicted: Floats) -> list[float]:
        return [brier(predicted, scores), auc(scores >= 0.5, predicted)]

    methods: dict[str, Predict] = {
        "ours": stranger.fitted,
        "mean": stranger.mean,
        "nearest": stranger.nearest,
    }
    found: dict[str, Any] = {"cases": len(scores), "trained": figures(trained)}
    for name, method in methods.items():
        found[name] = {
            str(count): np.mean(
                [figures(method(rows, stranger.test)) for rows in _drawn(stranger, count)], axis=0
            ).tolist()
            for count in counts
        }
    pools = list(_drawn(stranger, POOL_ROWS, POOLS))
    for name, choose in (("suggested", stranger.suggested), ("random", _first)):
        found[name] = {
            str(count): np.mean(
                [figures(stranger.fitted(choose(one, count), stranger.test)) for one in pools],
                axis=0,
            ).tolist()
            for count in SUGGESTED
        }
    return found


def _first(pool: Rows, count: int) -> Rows:
    """Return random rows of a pool, which is in random order."""
    return pool[:count]


def _drawn(stranger: Stranger, count: int, draws: int = DRAWS) -> Iterator[Rows]:
    for draw in range(draws if count else 1):
        order = np.random.default_rng(draw)
        yield order.choice(stranger.train, min(count, len(stranger.train)), replace=False)


def made_stranger(left_out: LeftOut, name: str, scorer: Scorer, test_fold: int) -> Stranger:
    """Return a model that this scorer was trained without."""
    head, signals = scorer.head, left_out.signals(scorer)
    judged = left_out.judged
    scores = judged.scores[:, judged.models.index(name)].astype(np.float64)
    asked = np.flatnonzero(~np.isnan(scores))
    folds = judged.folds[asked]
    facts: ModelFacts = training_models([name])[0].facts
    return Stranger(
        name=name,
        scores=scores,
        design=success_design(head, signals),
        prior=lambda rows: facts_prior(head, facts, signals[:, rows]),
        spread=head.calibration.latent_spread,
        vectors=left_out.vectors.astype(np.float64),
        train=asked[folds < 6],
        tune=asked[folds == 6],
        test=asked[folds == test_fold],
    )


def measure(left_out: LeftOut, names: Sequence[str], out: Path, test_fold: int) -> dict[str, Any]:
    """Return every model's curve, keeping each in the file `out` as soon as it is known."""
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    key = f"{left_out.version} fold {test_fold}"
    curves: dict[str, Any] = kept.setdefault(key, {})
    missing = [name for name in names if name not in curves]
    if not missing:
        return {name: curves[name] for name in names}
    whole = left_out.scorer()
    signals = left_out.signals(whole)
    for name in missing:
        scorer = left_out.scorer(without=name)
        one = made_stranger(left_out, name, scorer, test_fold)
        row = np.array([whole.head.models.index(name)])
        nowhere = np.full((len(one.test), len(whole.head.models)), np.nan)
        trained, _ = whole.trained_success(signals[:, one.test], nowhere, row)
        curves[name] = curve(one, trained[:, 0], COUNTS)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(kept, indent=1))
        print(f"{name}: done", flush=True)
    return {name: curves[name] for name in names}


def report(curves: dict[str, Any]) -> None:
    """Print each model's Brier score by rows, and all models' beside the fully trained latent."""
    for place, figure in enumerate(("brier", "auc")):
        print(f"\n{figure} by rows: ours / nearest / mean; trained: the latent of all its rows")
        print(f"{'':<32}" + "".join(f"{count:>23}" for count in COUNTS) + f"{'trained':>10}")
        for name, one in curves.items():
            cells = [
                " / ".join(
                    f"{one[side][str(n)][place]:.3f}" for side in ("ours", "nearest", "mean")
                )
                for n in COUNTS
            ]
            print(f"{name:<32}" + "".join(map("{:>23}".format, cells)), end="")
            print(f"{one['trained'][place]:10.3f}")
    print("\nbrier over that of the fully trained latent, mean over models")
    for side in ("ours", "nearest", "mean"):
        print(f"{side:<10}" + "".join(f"{n:>5}: {_ratio(curves, side, n):.3f}" for n in COUNTS))
    print(f"\nof a pool of {POOL_ROWS:,}: random rows against suggested ones, the same ratio")
    for n in SUGGESTED:
        better = sum(o["suggested"][str(n)][0] < o["random"][str(n)][0] for o in curves.values())
        random, chosen = _ratio(curves, "random", n), _ratio(curves, "suggested", n)
        print(f"{n:>5}: {random:.3f} against {chosen:.3f}; better for {better} of {len(curves)}")


def _ratio(curves: dict[str, Any], side: str, count: int) -> float:
    ratios = [one[side][str(count)][0] / one["trained"][0] for one in curves.values()]
    return float(np.mean(ratios))


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of judged rows")
    parser.add_argument(
        "--artifact", type=Path, default=PRETRAINED, help="whose prior spread to take"
    )
    parser.add_argument("--cache", type=Path, default=Path(".training"), help="kept vectors")
    parser.add_argument("--out", type=Path, help="kept curves (by default in the cache)")
    parser.add_argument("--models", nargs="*", help="these instead of eight by strength")
    parser.add_argument("--fold", type=int, default=7, help="the fold to predict")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    judged, _ = read_judged([chosen.data])
    judged = replace(judged, models=tuple(model.lower() for model in judged.models))
    names = chosen.models or by_strength(judged, MODELS)
    left_out = LeftOut(judged, chosen.artifact, chosen.cache)
    out = chosen.out or chosen.cache / "learning-curves.json"
    report(measure(left_out, names, out, chosen.fold))


if __name__ == "__main__":
    main()
