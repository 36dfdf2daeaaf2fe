"""The data as the networks meet it, and the steps from there to a scorer."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rolecall.registry.scorer.artifact import FORMAT, Floats
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encode import (
    HEAD_TOKENS,
    PHRASES,
    SENTENCE,
    TAIL_TOKENS,
    TUNED,
    Encoder,
)
from rolecall.registry.scorer.features import FEATURES, measure
from rolecall.registry.scorer.memory import both_views
from rolecall.registry.scorer.perturb import variants
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.signals import columns, read_inputs
from rolecall.registry.scorer.training.assemble import (
    Frame,
    asked_shares,
    axes_of,
    head_of,
    memory_of,
    with_task_signals,
)
from rolecall.registry.scorer.training.beliefs import (
    beliefs_text,
    everyday,
    facts_columns,
    fit_imputation,
    training_models,
)
from rolecall.registry.scorer.training.calibrate import Settled, calibrate
from rolecall.registry.scorer.training.evaluate import excess_spread
from rolecall.registry.scorer.training.fit import Cast, Examples, fit, go_on, standing, untrained
from rolecall.registry.scorer.training.heldout import HeldOut, hold_out_families
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.settings import Settings
from rolecall.registry.scorer.training.tune import Texts, Tuning
from rolecall.registry.scorer.training.vectors import encode_all

NAME = "minilm-latent"
EVERYDAY = "everyday"
_LEAST_FACTS_SPREAD = 0.4
_log = logging.getLogger(__name__)

Rows = NDArray[np.intp]


class Lesson:
    """One training run: its data, encoded and split, and what is made of them.

    Networks learn from what the encoder saw as it was `published`: a tuned one has been told the
    scores of its training prompts. What they are asked is read from its `views`.

    Prompts are numbered: the judged rows, then the everyday prompts. Each is read in a reworded
    form as well (the prompt itself where no rewording was found).
    """

    def __init__(
        self, judged: Judged, settings: Settings, encoder: Encoder, cache: Path | None
    ) -> None:
        self.judged, self.settings, self.encoder = judged, settings, encoder
        self.anchors = everyday()
        self.rows = judged.fold(*settings.train_folds)
        self.tune = judged.fold(settings.tune_fold)
        self.report = judged.fold(settings.report_fold)
        self.taught = np.sort(np.concatenate([self.rows, self.tune]))
        self.prompts = judged.prompts + self.anchors.prompts
        self.everyday = np.arange(len(judged.ids), len(self.prompts))
        self.models = training_models(judged.models)
        self.tasks, self.task_of = self._tasks()
        self.digest = _digest(settings, judged)
        self.version = f"{NAME}-{datetime.now(UTC).date()}-{self.digest}"
        self.features = _measured(self.prompts)
        self.views = self.published = encode_all(encoder, self.prompts, cache)
        trained, phrases = self.features[self.rows], self.views[self.rows, PHRASES]
        self.frame = Frame(
            version=self.version,
            models=self.models,
            tasks=self.tasks,
            prior=fit_imputation(self.models),
            feature_mean=trained.mean(axis=0),
            feature_scale=trained.std(axis=0) + np.float32(1e-3),
            phrase_mean=phrases.mean(axis=0),
            phrase_scale=phrases.std(axis=0) + np.float32(1e-3),
            asked=self._asked(),
        )
        facts = facts_columns(self.frame.prior, self.models)
        self.cast = Cast(self.models, facts, len(self.tasks))
        self.reads = columns((SENTENCE, PHRASES), self.features.shape[1])
        self._inputs = read_inputs(self.frame, self.views, self.features)
        self._other_forms = [
            next(iter(variants(prompt, settings.seed, 1)), prompt) for prompt in self.prompts
        ]
        self._other_views = encode_all(encoder, self._other_forms, cache)
        features = _measured(self._other_forms)
        self._reworded = read_inputs(self.frame, self._other_views, features)

    def train(self, rows: Rows) -> Network:
        """Train on these rows; then on, beside everyday prompts, as models stand on the rows."""
        settings, measured = self.settings, self.examples(rows)
        first = fit(settings, measured, self.cast, settings.members, self.reads)
        if settings.everyday_weight == 0:
            return first
        placed = standing(first, self._inputs[rows])
        _log.info("learnt how the models stand; now with everyday beliefs")
        weight = settings.everyday_weight
        return go_on(settings, first, self.examples(rows, placed, weight))

    def tuning(self, transformer: nn.Module, members: Network, cache: Path) -> Tuning:
        """Prepare to tune this transformer on the training rows, with a network that reads it.

        Everyday prompts are taught as models stand by `members`. The checkpoint in `cache` is named
        by all that the run rests on: settings, what is read, and what the encoder saw of it.
        """
        settings, features = self.settings, self.features.shape[1]
        lessons = np.concatenate([self.rows, self.everyday])
        placed = standing(members, self._inputs[self.rows])
        examples = self.examples(self.rows, placed, settings.tuned_everyday_weight)
        beside = replace(examples, inputs=examples.inputs[:, columns((), features)])
        prompts = [*(self.prompts[row] for row in lessons)]
        prompts += [self._other_forms[row] for row in lessons]
        most = settings.tuned_tokens
        texts = Texts(
            [_cut(self.encoder.token_ids(prompt), most) for prompt in prompts],
            np.concatenate([self.published[lessons], self._other_views[lessons]]),
            beside,
        )
        told = hashlib.sha256(repr((self.digest, texts.ids)).encode())
        told.update(texts.published.tobytes())
        checkpoint = cache / f"tuned-{told.hexdigest()[:16]}.pt"
        torch.manual_seed(settings.seed)
        dropouts = (settings.tuned_input_dropout, settings.dropout)
        reads = columns((TUNED,), features)
        network = untrained(settings, self.cast, settings.tuned_members, reads, dropouts)
        network.share_strength(members)
        return Tuning(settings, texts, transformer, network, checkpoint)

    def see(self, encoder: Encoder, cache: Path | None) -> None:
        """See every prompt through another encoder from now on; what members learn from stays."""
        self.encoder = encoder
        self.views = encode_all(encoder, self.prompts, cache)

    def examples(
        self, rows: Rows, placed: NDArray[np.float64] | None = None, everyday_weight: float = 0.0
    ) -> Examples:
        """Return these rows, and the everyday prompts if it is known how models are `placed` (M,).

        What is believed of an everyday prompt is said for weak models, 0, and strong ones, 1.
        """
        scores, tokens = self.judged.scores[rows], self.judged.tokens[rows]
        lessons, weights = rows, np.ones(len(rows), dtype=np.float32)
        if placed is not None:
            lengths = np.repeat(self.anchors.tokens[:, None], len(placed), axis=1)
            scores = np.concatenate([scores, self.anchors.targets(placed)])
            tokens = np.concatenate([tokens, lengths])
            lessons = np.concatenate([rows, self.everyday])
            counted = np.full(len(self.everyday), everyday_weight)
            weights = np.concatenate([weights, counted.astype(np.float32)])
        inputs = np.concatenate([self._inputs[lessons], self._reworded[lessons]])
        return Examples(inputs, scores, tokens, self.task_of[lessons], weights)

    def in_both_forms(self, rows: Rows) -> tuple[Floats, Floats]:
        """Return what members read (n, D) of these prompts, and of their reworded forms."""
        return self._inputs[rows], self._reworded[rows]

    def hold_out(self) -> HeldOut:
        """Predict every model on the tuning and report rows, in that order, by facts alone."""
        asked = np.concatenate([self.tune, self.report])
        seen = self.views[asked], self.features[asked]
        return hold_out_families(
            self.settings, self.examples(self.rows), self.frame, self.encoder, seen, self.reads
        )

    def settle(self, networks: Sequence[Network], held_out: HeldOut) -> Settled:
        """Return what the tuning rows say of networks trained on the training rows.

        The spread of the facts prior is what held-out families showed there.
        """
        judged, tune = self.judged, self.tune
        plain = self._uncalibrated(networks, self.rows)
        signals = self.signals(plain, tune)
        calibration = calibrate(plain, judged, tune, signals, self.views[tune])
        by_facts, _ = held_out.only(np.arange(len(tune))).success(_LEAST_FACTS_SPREAD)
        return Settled(calibration, excess_spread(judged, tune, by_facts, _LEAST_FACTS_SPREAD))

    def scorer(self, networks: Sequence[Network], rows: Rows, settled: Settled) -> Scorer:
        """Return the scorer of networks trained on these rows."""
        return settled.over(self._uncalibrated(networks, rows))

    def signals(self, scorer: Scorer, rows: Rows) -> Floats:
        """Return the scorer's signals (E, N, K) of these prompts."""
        return scorer.signals(self.views[rows], self.features[rows])

    def _uncalibrated(self, networks: Sequence[Network], rows: Rows) -> Scorer:
        settings = self.settings
        vectors = both_views(self.frame, self.published[rows])
        memory = memory_of(
            vectors,
            self.judged.scores[rows],
            axes_of(vectors, settings.axes),
            places=settings.places,
            temperature=settings.memory_temperature,
            seed=settings.seed,
        )
        lessons = np.concatenate([rows, self.everyday])
        head = with_task_signals(
            head_of(self.frame, networks, memory),
            self.views[lessons],
            self.features[lessons],
            self.task_of[lessons],
        )
        return Scorer(head, self.encoder)

    def _asked(self) -> Floats:
        """Return what share of each task's training prompts each model was asked, (T, M).

        What is believed of everyday prompts is believed of all models.
        """
        rows = self.rows
        asked = asked_shares(self.judged.scores[rows], self.task_of[rows], len(self.tasks))
        asked[self.tasks.index(EVERYDAY)] = 1
        return asked

    def _tasks(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the tasks that have a likeness, and each prompt's among them or -1."""
        names = [
            dataset if task == dataset else f"{dataset}/{task}"
            for dataset, task in zip(self.judged.datasets, self.judged.tasks, strict=True)
        ]
        counts = Counter(names[row] for row in self.rows)
        least = self.settings.least_task_prompts
        kept = sorted(name for name, count in counts.items() if count >= least)
        names += [EVERYDAY] * len(self.anchors.prompts)
        kept.append(EVERYDAY)
        place = {name: index for index, name in enumerate(kept)}
        return tuple(kept), np.array([place.get(name, -1) for name in names], dtype=np.int64)


def _cut(ids: list[int], most: int) -> list[int]:
    """Return the beginning and the end of a long text's ids."""
    if len(ids) <= most:
        return ids
    head = most * HEAD_TOKENS // (HEAD_TOKENS + TAIL_TOKENS)
    return ids[:head] + ids[head - most :]


def _measured(prompts: Sequence[str]) -> Floats:
    return np.stack([measure(prompt) for prompt in prompts])


def _digest(settings: Settings, judged: Judged) -> str:
    """Tell apart what makes another scorer: format, settings, beliefs, features or scores."""
    digest = hashlib.sha256(json.dumps([FORMAT, asdict(settings)]).encode())
    digest.update(beliefs_text().encode())
    digest.update(repr(FEATURES).encode())
    digest.update(judged.scores.tobytes())
    return digest.hexdigest()[:8]
