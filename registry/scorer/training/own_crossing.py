"""What the networks would say of rows that they have not seen, row by row of the few there are."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.own_rows import Rows, folds_of
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.own_lesson import OwnLesson
from rolecall.registry.scorer.training.own_numbers import (
    likeness_of,
    settle_likeness,
    settle_numbers,
)
from rolecall.registry.scorer.training.own_settings import Belief

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossed:
    """What was chosen by rows that had been held back, and what was said of them then.

    `logits` and the memory's, `local`, are (N, J) of the lesson's rows.
    """

    belief: Belief
    logits: Table
    local: Table


class Crossing:
    """The lesson's rows in folds; each is predicted by networks settled on the others.

    Everyday beliefs play no part in it.
    """

    def __init__(self, lesson: OwnLesson, start: Network, step: Callable[[], None]) -> None:
        self.lesson, self.step = lesson, step
        rows = lesson.rows
        groups = [lesson.judged.groups[row] for row in rows.tolist()]
        self.folds = folds_of(groups, lesson.settings.crossed_folds)
        self._likened: list[Network] = []
        for fold in range(lesson.settings.crossed_folds):
            self._likened.append(self._likeness(start, rows[self.folds != fold]))
            step()
        self.likeness = self._unseen()  # (E, N, T)

    def choose(self) -> Crossed:
        """Return the belief that misses least: first on tasks, then on single prompts."""
        settings = self.lesson.settings
        tasks, prompts = settings.task_beliefs, settings.prompt_beliefs
        middle = prompts[len(prompts) // 2]
        tried = {Belief(*task, middle): self.logits(Belief(*task, middle)) for task in tasks}
        best = min(tried, key=lambda one: self._missed(tried[one]))
        for prompt in prompts:
            belief = replace(best, prompt=prompt)
            if belief not in tried:
                tried[belief] = self.logits(belief)
        best = min(tried, key=lambda one: self._missed(tried[one]))
        return Crossed(best, tried[best], self.local())

    def logits(self, belief: Belief) -> Table:
        """Return what the network says of each row (N, J), without having seen it."""
        rows = self.lesson.rows
        found: Table = np.empty((len(rows), len(self.lesson.judged.models)))
        for fold, likened in enumerate(self._likened):
            inside = self.folds == fold
            settled = self._settled(likened, ~inside, belief)
            found[inside] = said_by(self.lesson, settled, rows[inside])
            self.step()
        return found

    def local(self) -> Table:
        """Return what memories of the other folds say of each row (N, J)."""
        lesson, rows = self.lesson, self.lesson.rows
        found: Table = np.empty((len(rows), len(lesson.judged.models)))
        for fold in range(lesson.settings.crossed_folds):
            inside = self.folds == fold
            memory = lesson.own_memory(rows[~inside])
            head = replace(
                lesson.base.head,
                axes=memory.axes,
                places=memory.places,
                outcomes=memory.outcomes,
                memory_temperature=memory.temperature,
            )
            found[inside] = recall(head, lesson.views[rows[inside]])
        return found

    def _likeness(self, start: Network, rows: Rows) -> Network:
        network = copy.deepcopy(start)
        settle_likeness(self.lesson.settings, network, self.lesson.given(rows, None))
        return network

    def _unseen(self) -> Tensor:
        """Return what each row is like for the networks of its fold, (E, N, T)."""
        rows, shape = self.lesson.rows, self._likened[0].shape
        found = torch.empty(shape.members, len(rows), shape.tasks)
        for fold, likened in enumerate(self._likened):
            inside = self.folds == fold
            found[:, inside] = likeness_of(likened, torch.tensor(self.lesson.inputs(rows[inside])))
        return found

    def _settled(self, likened: Network, taught: NDArray[np.bool_], belief: Belief) -> Network:
        network = copy.deepcopy(likened)
        given = self.lesson.given(self.lesson.rows[taught], None)
        given = replace(given, likeness=self.likeness[:, taught])
        settle_numbers(self.lesson.settings, network, given, belief)
        return network

    def _missed(self, logits: Table) -> float:
        scores = self.lesson.judged.scores[self.lesson.rows]
        return float(np.nanmean((1 / (1 + np.exp(-logits)) - scores) ** 2))


def said_by(lesson: OwnLesson, network: Network, rows: Rows) -> Table:
    """Return the uncalibrated logits (n, J) of the judged models."""
    with torch.no_grad():
        said = network.eval()(torch.tensor(lesson.inputs(rows))).success
    found: Table = said[..., lesson.roster.judged].double().mean(dim=0).numpy()
    return found
