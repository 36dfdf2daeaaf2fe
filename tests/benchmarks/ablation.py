"""What each part of the scorer adds, on the report fold: learnt anew without it, beside the whole.

`python -m tests.benchmarks.ablation DATA` trains each variant on the other folds and prints the
mean over data sets of AUC, Brier score and pair order, and by how much each differs from the whole
with its 95 % interval (paired bootstrap by group). The interval is over prompts: another
seed of the training moves AUC by up to 0.009, as much as most parts add. It takes ten minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.evaluation.compare import METRIC_RESAMPLES
from rolecall.registry.evaluation.evaluate import mean_over_sets
from rolecall.registry.evaluation.metrics import brier, mean_auc, pair_order
from rolecall.registry.scorer import model
from rolecall.registry.scorer.arrays import Table
from rolecall.registry.scorer.artifact import PUBLIC, Head
from rolecall.registry.scorer.bootstrap import draw, known_interval
from rolecall.registry.scorer.encoder import SENTENCE, Encoder
from rolecall.registry.scorer.metadata_prior import ModelInputs
from rolecall.registry.scorer.public_scores import benchmarks
from rolecall.registry.scorer.training.assemble import assemble
from rolecall.registry.scorer.training.calibrate import calibrated
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData
from rolecall.registry.scorer.training.model_facts import facts_of
from rolecall.registry.scorer.training.train import learn
from rolecall.registry.scorer.variants import candidates
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
_NO_FOLD = -1  # neither learnt from nor evaluated on
# Bounds by which any prompt is as those of one data set, and in a known script.
_ANY_SET, _NO_SCRIPT = (-2.0, -1.0), (2.0, 3.0)

# By metric, on the prompts as they are and on resampled ones: the mean over sets (1 + R,).
Figures = Mapping[str, Table]


def main() -> int:
    """Print what each part adds, for trained models and for models without rows."""
    data, encoder = read_arguments(__doc__)
    sets = report_sets(data)
    whole = learn(data, Settings(), encoder, "the whole")
    tables = {"the whole": predicted_sets(whole, data, encoder, sets)}
    for name, (other, settings) in changed_training(data).items():
        head = learn(other, settings, encoder, name)
        tables[f"without {name}"] = predicted_sets(head, other, encoder, sets)
    with patch.object(ModelInputs, "rows", _nothing_known):
        head = learn(data, Settings(), encoder, "nothing known")
    tables["without scores, facts and relatives"] = predicted_sets(head, data, encoder, sets)
    for name, head in changed_shares(whole, data, encoder).items():
        tables[f"without {name}"] = predicted_sets(head, data, encoder, sets)
    with patch.multiple(model, _OF_ONE_SET=_ANY_SET, _OTHER_SCRIPT=_NO_SCRIPT):
        near = replace(whole, calibration=replace(whole.calibration, far=-2.0, near=-1.0))
        tables["without shrinkage far away"] = predicted_sets(near, data, encoder, sets)
    sys.stdout.write(f"trained models, fold {FOLD}, mean over {len(sets)} sets\n")
    print_table({name: figures(sets, found) for name, found in tables.items()})
    print_without_rows(data, encoder)
    return 0


def changed_training(data: TrainingData) -> dict[str, tuple[TrainingData, Settings]]:
    """Return what is learnt from, and how, where a part of it is left out, by that part."""
    sentences = data.embeddings[:, [SENTENCE, SENTENCE]]
    taught = np.where(data.set_of == PUBLIC, _NO_FOLD, data.judged.folds)
    plain = {
        "second wordings": replace(
            data, augmented_embeddings=data.embeddings, augmented_features=data.features
        ),
        "phrases (the sentence twice)": replace(
            data,
            embeddings=sentences,
            augmented_embeddings=data.augmented_embeddings[:, [SENTENCE, SENTENCE]],
        ),
        "features": replace(
            data,
            features=np.zeros_like(data.features),
            augmented_features=np.zeros_like(data.augmented_features),
        ),
        "public prompts": replace(data, judged=replace(data.judged, folds=taught)),
    }
    # So large a penalty keeps the tasks' own loadings and offsets at 0.
    no_tasks = replace(Settings(), task_decay=1e3)
    found = {name: (other, Settings()) for name, other in plain.items()}
    return found | {"task shares in the network": (data, no_tasks)}


def changed_shares(whole: Head, data: TrainingData, encoder: Encoder) -> dict[str, Head]:
    """Return heads that leave out what is beside the network, calibrated without it."""
    settings = Settings()
    tuned = assemble(data, data.judged.fold(*settings.train_folds), settings, "tuning")
    tune = data.judged.fold(settings.tune_fold)
    found = {}
    for name, shares in (
        ("neighbours", {"local_share": 0.0}),
        ("means on tasks alike", {"task_share": 0.0}),
        ("neighbours and means on tasks alike", {"local_share": 0.0, "task_share": 0.0}),
    ):
        less = replace(tuned, calibration=replace(tuned.calibration, **shares))
        calibration = calibrated(less, data, tune, encoder).calibration
        found[name] = replace(whole, calibration=calibration)
    return found


def predicted_sets(
    head: Head,
    data: TrainingData,
    encoder: Encoder,
    sets: Sequence[ReportSet],
    facts: Callable[[Sequence[str]], Sequence[ModelFacts]] = facts_of,
) -> list[Table]:
    """Return the success of each set's models, of which these facts are known, on its prompts."""
    names = np.array(data.judged.models)
    return [
        logits_of(head, data, encoder, one.rows, facts(names[one.columns].tolist())).success()
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
    whole, width = next(iter(found.values())), max(map(len, found))
    for name, each in found.items():
        told = [f"{name:<{width}}"]
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
    names = np.array(data.judged.models)[strangers].tolist()
    same_exams = {name for name, one in benchmarks().items() if one.judged_set is not None}
    unrated, average = without_scores(head, names, set(benchmarks())), average_model(head)
    unexamined = without_scores(head, names, same_exams)
    tables = {
        "public scores and facts": predicted_sets(head, data, encoder, sets),
        "without scores on exams of the sets": predicted_sets(unexamined, data, encoder, sets),
        "without public scores": predicted_sets(unrated, data, encoder, sets),
        "without facts either (name alone)": predicted_sets(
            unrated, data, encoder, sets, lambda named: [ModelFacts(name) for name in named]
        ),
        "without the name (the average model)": predicted_sets(average, data, encoder, sets),
    }
    told = f"{strangers.sum()} models without rows, mean over {len(sets)} sets"
    sys.stdout.write(f"\n{told} (pairs: with one of them)\n")
    print_table({name: figures(sets, found, only) for name, found in tables.items()})


def without_scores(head: Head, models: Sequence[str], names: Collection[str]) -> Head:
    """Return a head that knows no score of these models, in any effort, on these benchmarks."""
    inputs = head.prior.inputs
    hidden = {one for name in models for one in candidates(name)}
    table = inputs.factors.table.copy()
    rows, columns = np.isin(inputs.factors.models, list(hidden)), list(names)
    table[np.ix_(rows, np.isin(inputs.factors.benchmarks, columns))] = np.nan
    known = replace(inputs, factors=replace(inputs.factors, table=table))
    return replace(head, prior=replace(head.prior, inputs=known))


def average_model(head: Head) -> Head:
    """Return a head to which every model without rows is the average of the trained ones."""
    latent, prior = head.latent.astype(np.float64), head.prior
    anyone = replace(
        prior,
        level=latent.mean(axis=0),
        common=np.zeros_like(prior.common),
        own=np.cov(latent, rowvar=False),
        of_family=np.zeros_like(prior.of_family),
        of_base=np.zeros_like(prior.of_base),
    )
    return replace(head, prior=anyone)


def _nothing_known(inputs: ModelInputs, facts: Sequence[ModelFacts]) -> Table:
    count = len(inputs.centre) + len(inputs.families) + len(inputs.bases)
    return np.zeros((len(facts), count))


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
