"""From the base's networks to a new version's: the numbers settle, then everything is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rolecall.registry.scorer.own_rows import Rows
from rolecall.registry.scorer.training.fit import standing
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.own_crossing import Crossed, Crossing, said_by
from rolecall.registry.scorer.training.own_fit import train_on
from rolecall.registry.scorer.training.own_lesson import OwnLesson
from rolecall.registry.scorer.training.own_numbers import (
    settle_lengths,
    settle_likeness,
    settle_numbers,
)
from rolecall.registry.scorer.training.own_settings import Belief
from rolecall.registry.scorer.training.own_start import network_of

Report = Callable[[str, int, int], None]
Table = NDArray[np.float64]

SETTLING, TRAINING = "settling the models' numbers", "training"


@dataclass(frozen=True, slots=True)
class Learned:
    """The network of a new version, and how it came about.

    `crossed` is what rows held back in turn have shown, null where a tuning part was kept.
    `epochs` were trained after the numbers had settled, fewer where Ctrl-C ended it.
    """

    network: Network
    belief: Belief
    crossed: Crossed | None
    epochs: int
    was_interrupted: bool


def learn(lesson: OwnLesson, report: Report) -> Learned:
    """Return what the lesson's rows make of the base's network.

    Ctrl-C before the numbers have settled is passed on; after that it ends the training.
    """
    settings = lesson.settings
    dropouts = (settings.input_dropout, settings.dropout)
    start = network_of(lesson.base.head, lesson.roster, dropouts)
    settling = _Settling(lesson, start, report)
    if lesson.is_crossed:
        with _one_thread():
            return settling.crossed()
    return _train(lesson, settling, report)


class _Settling:
    """The steps in which numbers settle, counted."""

    def __init__(self, lesson: OwnLesson, start: Network, report: Report) -> None:
        self.lesson, self.start, self.report = lesson, start, report
        settings = lesson.settings
        self.rows = _some(lesson.rows, settings.most_settled, settings.seed)
        self.likeness: Tensor | None = None
        self.done, beliefs = 0, len(settings.task_beliefs)
        self.total = 2 + beliefs
        if lesson.is_crossed:
            tried = beliefs + len(settings.prompt_beliefs) - 1
            self.total = 3 + settings.crossed_folds * (1 + tried)

    def crossed(self) -> Learned:
        """Choose the belief by rows held back in turn, then settle on all of them."""
        crossing = Crossing(self.lesson, self.start, self.step)
        crossed = crossing.choose()
        self.likeness = crossing.likeness
        self.liken()
        network = self.with_beliefs(crossed.belief, self.stand(crossed.belief))
        return Learned(network, crossed.belief, crossed, 0, was_interrupted=False)

    def liken(self) -> None:
        """Learn likenesses and lengths, on the network as given."""
        given = self.lesson.given(self.rows, None)
        settle_likeness(self.lesson.settings, self.start.eval(), given)
        settle_lengths(self.start, given)
        self.step()

    def stand(self, belief: Belief) -> Table:
        """Return how the models stand (M,) by the rows alone."""
        return standing(self.with_beliefs(belief, None), self.lesson.inputs(self.rows))

    def with_beliefs(self, belief: Belief, placed: Table | None) -> Network:
        """Return the network settled on the rows, and on everyday prompts if models are placed."""
        network = copy.deepcopy(self.start)
        given = replace(self.lesson.given(self.rows, placed), likeness=self.likeness)
        settle_numbers(self.lesson.settings, network, given, belief)
        self.step()
        return network

    def step(self) -> None:
        """Report one more step."""
        self.done += 1
        self.report(SETTLING, self.done, self.total)


def _train(lesson: OwnLesson, settling: _Settling, report: Report) -> Learned:
    """Settle the numbers as the tuning part likes, then train everything."""
    settings, rows = lesson.settings, lesson.rows
    settling.liken()
    beliefs = [Belief(*task, prompt=1.0) for task in settings.task_beliefs]
    placed = settling.stand(beliefs[len(beliefs) // 2])
    tried = {belief: settling.with_beliefs(belief, placed) for belief in beliefs}
    belief = min(tried, key=lambda one: _missed(lesson, tried[one]))
    total = settings.epochs * ceil(len(rows) / settings.batch)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        report(TRAINING, done, total)

    given = lesson.given(rows, placed)
    trained = train_on(settings, tried[belief], given, partial(_missed, lesson), step)
    return Learned(trained.network, belief, None, trained.epochs, trained.was_interrupted)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: on few rows, threads wait longer for each other than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _missed(lesson: OwnLesson, network: Network) -> float:
    """Return the Brier score of this network, uncalibrated, on the tuning part."""
    rows = lesson.split.tune
    success = 1 / (1 + np.exp(-said_by(lesson, network, rows)))
    return float(np.nanmean((success - lesson.judged.scores[rows]) ** 2))


def _some(rows: Rows, most: int, seed: int) -> Rows:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
