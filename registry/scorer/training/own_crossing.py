"""What the networks would say of rows that they have not seen, row by row of the few there are."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.memory import recall
from rolecall.registry.scorer.own_rows import Rows, folds_of
from rolecall.registry.scorer.training.assemble import Part
from rolecall.registry.scorer.training.own_lesson import OwnLesson
from rolecall.registry.scorer.training.own_numbers import settle_likeness, settle_numbers
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

    def __init__(self, lesson: OwnLesson, start: Sequence[Part], step: Callable[[], None]) -> None:
        self.lesson, self.step = lesson, step
        rows = lesson.rows
        groups = [lesson.judged.groups[row] for row in rows.tolist()]
        self.folds = folds_of(groups, lesson.settings.crossed_folds)
        self._likened: list[list[Part]] = []
        for fold in range(lesson.settings.crossed_folds):
            self._likened.append([self._likeness(part, rows[self.folds != fold]) for part in start])
            step()

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
        """Return what the parts together say of each row (N, J), without having seen it."""
        rows = self.lesson.rows
        found: Table = np.empty((len(rows), len(self.lesson.judged.models)))
        for fold, parts in enumerate(self._likened):
            inside = self.folds == fold
            settled = [self._settled(part, rows[~inside], belief) for part in parts]
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
                places=memory.places,
                outcomes=memory.outcomes,
                memory_temperature=memory.temperature,
            )
            found[inside] = recall(head, lesson.tuned(rows[inside]))
        return found

    def _likeness(self, part: Part, rows: Rows) -> Part:
        network = copy.deepcopy(part.network)
        given = self.lesson.given(part.view, rows, None)
        settle_likeness(self.lesson.settings, network, given)
        return replace(part, network=network)

    def _settled(self, part: Part, rows: Rows, belief: Belief) -> Part:
        network = copy.deepcopy(part.network)
        given = self.lesson.given(part.view, rows, None)
        settle_numbers(self.lesson.settings, network, given, belief)
        return replace(part, network=network)

    def _missed(self, logits: Table) -> float:
        scores = self.lesson.judged.scores[self.lesson.rows]
        return float(np.nanmean((1 / (1 + np.exp(-logits)) - scores) ** 2))


def said_by(lesson: OwnLesson, parts: Sequence[Part], rows: Rows) -> Table:
    """Return the uncalibrated logits (n, J) of the judged models, the parts by their weight."""
    total: Table = np.zeros((len(rows), len(lesson.judged.models)))
    for part in parts:
        with torch.no_grad():
            said = part.network.eval()(torch.tensor(lesson.inputs(part.view, rows))).success
        total += part.weight * said[..., lesson.roster.judged].double().mean(dim=0).numpy()
    return total / sum(part.weight for part in parts)
