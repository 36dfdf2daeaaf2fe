"""What each part of the scorer adds, on the report fold: learnt anew without it, beside the whole.

`python -m tests.benchmarks.ablation DATA` trains each variant on the other folds and prints the
mean over data sets of AUC, Brier score and pair order, and by how much each differs from the whole
with its 95 % interval (paired bootstrap by group). It takes some five minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.evaluation.bootstrap import draw, known_interval
from rolecall.registry.evaluation.cases import Table
from rolecall.registry.evaluation.compare import METRIC_RESAMPLES
from rolecall.registry.evaluation.evaluate import mean_over_sets
from rolecall.registry.evaluation.metrics import brier, mean_auc, pair_order
from rolecall.registry.scorer.artifact import Head
from rolecall.registry.scorer.encoder import SENTENCE, Encoder
from rolecall.registry.scorer.public_scores import read_scores
from rolecall.registry.scorer.training import assemble, calibrate
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData
from rolecall.registry.scorer.training.train import learn
from rolecall.registry.scorer.variants import variant
from tests.benchmarks.learnt import (
    FOLD,
    LEFT_OUT,
    ReportSet,
    logits_of,
    read_arguments,
    report_sets,
    without_models,
)

METRICS: Mapping[str, Callable[..., Table]] = {
    "auc": mean_auc,
    "brier": brier,
    "pair order": pair_order,
}
_SEED = 7

# By metric, on the prompts as they are and on resampled ones: the mean over sets (1 + R,).
Figures = Mapping[str, Table]


def main() -> int:
    """Print what each part adds, for trained models and for models without rows."""
    data, encoder = read_arguments(__doc__)
    sets = report_sets(data)
    sys.stdout.write(f"trained models, fold {FOLD}, mean over {len(sets)} sets\n")
    heads = {"the whole": learn(data, Settings(), encoder, "the whole")}
    tables = {"the whole": predicted_sets(heads["the whole"], data, encoder, sets)}
    for name, other in changed_data(data).items():
        head = learn(other, Settings(), encoder, name)
        tables[f"without {name}"] = predicted_sets(head, other, encoder, sets)
    for name, head in changed_heads(heads["the whole"], data, encoder).items():
        tables[f"without {name}"] = predicted_sets(head, data, encoder, sets)
    print_table({name: figures(sets, found) for name, found in tables.items()})
    print_without_rows(data, encoder)
    return 0


def changed_data(data: TrainingData) -> dict[str, TrainingData]:
    """Return what is learnt from where a part of it is left out, by that part."""
    sentences = data.embeddings[:, [SENTENCE, SENTENCE]]
    return {
        "second wordings": replace(
            data, reworded_embeddings=data.embeddings, reworded_features=data.features
        ),
        "task shares": replace(data, tasks=("all/all",), task_of=np.zeros_like(data.task_of)),
        "phrases (the sentence twice)": replace(
            data,
            embeddings=sentences,
            reworded_embeddings=data.reworded_embeddings[:, [SENTENCE, SENTENCE]],
        ),
        "features": replace(
            data,
            features=np.zeros_like(data.features),
            reworded_features=np.zeros_like(data.reworded_features),
        ),
    }


def changed_heads(whole: Head, data: TrainingData, encoder: Encoder) -> dict[str, Head]:
    """Return heads that leave out a part of the whole one, tuned without it where it is tuned."""
    settings = Settings()
    tuned = assemble.assemble(data, data.judged.fold(*settings.train_folds), settings, "tuning")
    tune = data.judged.fold(settings.tune_fold)
    found = {}
    for name, shares, weights in (
        ("neighbours", (0.0,), calibrate._WEIGHTS),
        ("the network (neighbours alone)", (1.0,), (0.0,)),
    ):
        with patch.multiple(calibrate, _SHARES=shares, _WEIGHTS=weights):
            head = calibrate.calibrated(tuned, data, tune, encoder)
        neighbours = replace(whole.neighbours, temperature=head.neighbours.temperature)
        found[name] = replace(whole, calibration=head.calibration, neighbours=neighbours)
    anywhere = replace(whole.calibration, far=-2.0, near=-1.0)
    return found | {"shrinkage far from everything": replace(whole, calibration=anywhere)}


def predicted_sets(
    head: Head, data: TrainingData, encoder: Encoder, sets: Sequence[ReportSet]
) -> list[Table]:
    """Return the success of each set's models on its prompts."""
    names = np.array(data.judged.models)
    return [
        logits_of(head, data, encoder, one.rows, names[one.columns].tolist()).success()
        for one in sets
    ]


def figures(
    sets: Sequence[ReportSet],
    tables: Sequence[Table],
    metrics: Sequence[Mapping[str, Callable[..., Table]]] | None = None,
) -> Figures:
    """Return each metric's mean over the sets; the same draws for whatever is predicted."""
    found: dict[str, list[Table]] = {}
    for one, table, by in zip(sets, tables, metrics or [METRICS] * len(sets), strict=True):
        weights = draw(one.groups, METRIC_RESAMPLES, _SEED).by_prompt(METRIC_RESAMPLES)
        for name, metric in by.items():
            found.setdefault(name, []).append(metric(table, one.scores, weights))
    return {name: mean_over_sets(each, [1] * len(each)) for name, each in found.items()}


def print_table(found: Mapping[str, Figures]) -> None:
    """Print a line for each variant: its figures, and the difference to the first, the whole."""
    whole = next(iter(found.values()))
    for name, each in found.items():
        told = [f"{name:<42}"]
        for metric, figure in each.items():
            told.append(f"{metric} {figure[0]:.4f}")
            gap = known_interval(figure - whole[metric])
            if each is not whole and gap is not None:
                told.append(f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")
        sys.stdout.write("  ".join(told) + "\n")
    sys.stdout.flush()


def print_without_rows(data: TrainingData, encoder: Encoder) -> None:
    """Print how well models without rows are predicted, by public scores and facts or by less."""
    rest = without_models(data, LEFT_OUT)
    head = learn(rest, Settings(), encoder, "without rows")
    strangers = ~np.isin(data.judged.models, rest.judged.models)
    sets = [one for one in report_sets(data) if strangers[one.columns].any()]
    only = [
        {
            "auc": partial(_of_columns, mean_auc, strangers[one.columns]),
            "brier": partial(_of_columns, brier, strangers[one.columns]),
            "pair order": partial(pair_order, of=strangers[one.columns]),
        }
        for one in sets
    ]
    told = f"{strangers.sum()} models without rows, mean over {len(sets)} sets"
    sys.stdout.write(f"\n{told} (pairs: with one of them)\n")
    found = {}
    for name, changed in changed_priors(head, rest, encoder).items():
        tables = predicted_sets(changed, data, encoder, sets)
        found[name] = figures(sets, tables, only)
    print_table(found)


def changed_priors(head: Head, data: TrainingData, encoder: Encoder) -> dict[str, Head]:
    """Return heads that know less of models without rows: the whole prior first."""
    assert head.prior is not None
    judged = {variant(model).base for model in (*data.judged.models, *LEFT_OUT)}
    others = tuple(one for one in read_scores() if variant(one.model).base not in judged)
    taught = data.judged.fold(*Settings().train_folds, Settings().tune_fold)
    with patch.object(assemble, "read_scores", lambda: others):
        by_facts = assemble.with_prior(head, data, taught, encoder)
    alike = [
        replace(kernel, scores=0.0, facts=0.0, near=0.0, family=0.0, base=0.0)
        for kernel in head.prior.kernels
    ]
    return {
        "public scores and facts": head,
        "without public scores": by_facts,
        "without facts either": replace(head, prior=replace(head.prior, kernels=tuple(alike))),
    }


def _of_columns(
    metric: Callable[..., Table],
    columns: NDArray[np.bool_],
    said: Table,
    scores: Table,
    weights: Table,
) -> Table:
    return metric(said[:, columns], scores[:, columns], weights)


if __name__ == "__main__":
    raise SystemExit(main())
