"""Networks trained on own data become a scorer: memory, calibration, version."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Calibration, Floats, Head, rounded
from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.own_rows import pieces
from rolecall.registry.scorer.signals import read_signals
from rolecall.registry.scorer.training.assemble import Frame, asked_shares, head_of
from rolecall.registry.scorer.training.beliefs import TrainingModel
from rolecall.registry.scorer.training.calibrate import LEAST_SPREAD, fit_blend, token_shift
from rolecall.registry.scorer.training.evaluate import excess_spread
from rolecall.registry.scorer.training.own_crossing import said_by
from rolecall.registry.scorer.training.own_lesson import EVERYDAY, OwnLesson
from rolecall.registry.scorer.training.own_networks import Learned


def scorer_of(lesson: OwnLesson, learned: Learned, version: str) -> Scorer:
    """Return the calibrated scorer made of these networks."""
    base, roster = lesson.base.head, lesson.roster
    strangers = (*(ModelFacts(model) for model in base.models), *roster.facts)
    frame = Frame(
        version=version,
        models=tuple(TrainingModel(facts, "", base=False, narrow=False) for facts in strangers),
        tasks=roster.tasks,
        prior=base.prior,
        feature_mean=base.feature_mean,
        feature_scale=base.feature_scale,
        phrase_mean=base.phrase_mean,
        phrase_scale=base.phrase_scale,
        asked=_asked(lesson),
    )
    made = head_of(frame, [learned.network], lesson.memory())
    # Difficulty stays the share of the base's reference models that would fail.
    head = replace(made, panel=base.panel, prior=base.prior)
    # The network knows the base's models by their numbers alone.
    strength = np.concatenate([base.strength, made.strength[len(base.models) :]])
    head = replace(head, strength=strength)
    head = replace(head, task_signals=_task_signals(lesson, head))
    head = replace(
        head, calibration=_calibration(lesson, learned, Scorer(head, lesson.base.encoder))
    )
    return Scorer(head, lesson.base.encoder)


def _asked(lesson: OwnLesson) -> Floats:
    """Return what share of each task's prompts each model was asked, (T, M), here or before."""
    base, roster, rows = lesson.base.head, lesson.roster, lesson.rows
    asked = np.zeros((len(roster.tasks), len(roster.models)), dtype=np.float32)
    asked[: len(base.tasks), : len(base.models)] = base.asked
    scores, tasks = lesson.judged.scores[rows], lesson.task_of[rows]
    own = asked_shares(scores, tasks, len(roster.tasks))
    asked[:, roster.judged] = np.maximum(asked[:, roster.judged], own)
    asked[roster.tasks.index(EVERYDAY)] = 1  # what is believed is believed of all
    return asked


def _calibration(lesson: OwnLesson, learned: Learned, plain: Scorer) -> Calibration:
    """Calibrate on rows held back, each figure drawn to what is usual where they are few."""
    usual = lesson.base.head.calibration
    rows = lesson.rows if learned.crossed else lesson.split.tune
    judged = lesson.judged.only(rows)
    if learned.crossed:
        network, local = learned.crossed.logits, learned.crossed.local
    else:
        columns = lesson.roster.judged
        network = said_by(lesson, learned.network, rows)
        local = recall(plain.head, lesson.views[rows])[:, columns]
    blend = fit_blend(network, local, judged)
    said = blend.success(network, local)
    everyone = np.arange(len(rows))
    told = pieces(judged.groups)
    share = told / (told + lesson.settings.calibration_prompts)
    spread = excess_spread(judged, everyone, said, LEAST_SPREAD)
    shift = usual.token_shift
    if np.isfinite(judged.tokens).any():
        lengths = plain.log_tokens(lesson.signals(plain, rows))[:, lesson.roster.judged]
        shift += share * (token_shift(lengths, judged.tokens) - shift)
    return Calibration(
        # The networks were settled on these very scores: untouched logits are what is usual.
        scale=1 + share * (blend.scale - 1),
        shift=share * blend.shift,
        local_share=share * blend.share,
        latent_spread=usual.latent_spread + share * (spread - usual.latent_spread),
        token_shift=shift,
    )


def _task_signals(lesson: OwnLesson, head: Head) -> Floats:
    """Return each task's mean signals (E, T, K): own ones anew, the base's as they were.

    The base's know nothing of the new likenesses, and their easiness counts as it now does.
    """
    base = lesson.base.head
    more = len(head.tasks) - len(base.tasks)
    old = base.task_signals  # (E, T, K)
    gap = np.zeros((*old.shape[:2], more), dtype=np.float32)
    kept = np.concatenate(
        [old[..., : base.dim], gap, old[..., base.dim : -1], gap, old[..., -1:]], axis=-1
    )
    free = base.dim - len(base.tasks)
    grown = np.linalg.norm(head.signal_weight[..., free], axis=1)
    usual = np.linalg.norm(base.signal_weight[..., free], axis=1)
    kept[..., head.dim] *= (grown / np.maximum(usual, 1e-9))[:, None]
    means = np.zeros((len(old), len(head.tasks), kept.shape[-1]), dtype=np.float32)
    means[:, : len(base.tasks)] = kept
    rows = lesson.rows
    signals = read_signals(head, lesson.views[rows], lesson.features[rows])
    for task in lesson.own_tasks:
        place = head.tasks.index(task)
        means[:, place] = signals[:, lesson.task_of[rows] == place].mean(axis=1)
    return rounded(means)
