"""Own rows as the networks meet them: named, split, encoded, and beside everyday prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.baselines import task_means
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.memory import both_views
from rolecall.registry.scorer.own_rows import Rows, split_of
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.signals import read_inputs
from rolecall.registry.scorer.training.assemble import Memory, axes_of, memory_of
from rolecall.registry.scorer.training.beliefs import everyday
from rolecall.registry.scorer.training.losses import Truth
from rolecall.registry.scorer.training.own_numbers import Given
from rolecall.registry.scorer.training.own_settings import OwnSettings
from rolecall.registry.scorer.training.own_start import Roster, roster_of

Read = Callable[[Sequence[str]], Floats]

EVERYDAY = "everyday"
_LEAST_DISPERSION = 0.02


class OwnLesson:
    """One run on own data: rows, split, views, and what the networks are given of them.

    Prompts are numbered: the judged rows, then the everyday prompts.
    """

    def __init__(
        self,
        judged: Judged,
        facts: Mapping[str, ModelFacts],
        base: Scorer,
        settings: OwnSettings,
        read: Read,
    ) -> None:
        """`judged` are rows made ready by `prepare`; `read` encodes prompts as the base does."""
        self.judged, self.base, self.settings = judged, base, settings
        self.split = split_of(judged)
        # Too few to spare any for tuning alone: the same rows teach and, by folds, tune.
        self.is_crossed = len(self.split.train) < settings.least_trained
        self.rows = self.split.train
        if self.is_crossed:
            self.rows = np.sort(np.concatenate([self.split.train, self.split.tune]))
        self.dispersion = _dispersion(judged.only(self.rows), settings.seed)
        self.anchors = everyday()
        prompts = (*judged.prompts, *self.anchors.prompts)
        self.views = read(prompts)  # (N, V, 384)
        self.features = np.stack([measure(prompt) for prompt in prompts])
        self._inputs = read_inputs(base.head, self.views, self.features)
        names = _task_names(judged)
        counts = Counter(names[row] for row in self.rows.tolist())
        least = settings.least_task_prompts
        self.own_tasks = tuple(sorted(task for task in counts if counts[task] >= least))
        known = [facts[model] for model in judged.models]
        self._learned = self.own_tasks
        if EVERYDAY not in (*base.head.tasks, *self.own_tasks):
            self._learned = (*self.own_tasks, EVERYDAY)
        self.roster: Roster = roster_of(base.head, judged.models, self._learned, known)
        place = {task: index for index, task in enumerate(self.roster.tasks)}
        names += [EVERYDAY] * len(self.anchors.prompts)
        self.task_of = np.array([place.get(name, -1) for name in names], dtype=np.int64)

    def given(self, rows: Rows, standing: NDArray[np.float64] | None) -> Given:
        """Return what the members are given of the rows and everyday prompts.

        `standing` (M,) places every model between weak 0 and strong 1, as far as known.
        """
        first = len(self.judged.prompts)
        lessons = np.concatenate([rows, np.arange(first, len(self.task_of))])
        place = {task: index for index, task in enumerate(self.roster.tasks)}
        believed = None if standing is None else torch.tensor(self.anchors.targets(standing))
        labels = torch.tensor(self.task_of[lessons])
        return Given(
            inputs=torch.tensor(self.inputs(lessons)),
            labels=labels,
            tasks=tuple(place[task] for task in self._learned),
            truth=Truth(
                torch.tensor(self.judged.scores[rows]),
                torch.tensor(self.judged.tokens[rows]),
                labels[: len(rows)],
                torch.ones(len(rows)),
            ),
            judged=torch.tensor(self.roster.judged),
            believed=believed,
            everyday=place[EVERYDAY],
            base=len(self.base.head.models),
            strength_variance=self.base.head.prior.spread**2,
            dispersion=self.dispersion,
        )

    def inputs(self, rows: Rows) -> Floats:
        """Return what the members read of these prompts (n, D)."""
        found: Floats = self._inputs[rows]
        return found

    def signals(self, scorer: Scorer, rows: Rows) -> Floats:
        """Return a scorer's signals (E, n, K), which must read these views."""
        return scorer.signals(self.views[rows], self.features[rows])

    def own_memory(self, rows: Rows) -> Memory:
        """Return places among these rows' vectors, with the judged models' outcomes (P, J)."""
        settings, head = self.settings, self.base.head
        places = min(len(rows) // settings.prompts_per_place, settings.most_places)
        vectors = both_views(head, self.views[rows])
        return memory_of(
            vectors,
            self.judged.scores[rows],
            head.axes if len(head.places) else axes_of(vectors, settings.axes),
            places=max(places, settings.least_places),
            temperature=head.memory_temperature if len(head.places) else settings.temperature,
            seed=settings.seed,
        )

    def memory(self) -> Memory:
        """Return the base's places, for models nobody judged, and new ones for those judged."""
        head, own = self.base.head, self.own_memory(self.rows)
        old, count = len(head.places), len(head.places) + len(own.places)
        outcomes = np.full((count, len(self.roster.models)), np.nan, dtype=np.float32)
        outcomes[:old, : len(head.models)] = head.outcomes
        outcomes[:, self.roster.judged] = np.nan
        outcomes[old:, self.roster.judged] = own.outcomes
        is_heard = np.isfinite(outcomes).any(axis=1)
        places = np.concatenate([head.places.reshape(old, -1), own.places]) if old else own.places
        return Memory(own.axes, places[is_heard], outcomes[is_heard], own.temperature)


def _task_names(judged: Judged) -> list[str]:
    """Return each row's task as the base would name it."""
    return [
        dataset if task == dataset else f"{dataset}/{task}"
        for dataset, task in zip(judged.datasets, judged.tasks, strict=True)
    ]


def _dispersion(judged: Judged, seed: int) -> float:
    """Return how much scores scatter around their task's means, as a share of what 0 and 1 would.

    The dispersion of quasi-likelihood (McCullagh and Nelder, "Generalized Linear Models", 4.5).
    """
    said = task_means(judged, judged.tasks, judged.models, seed)
    known = ~np.isnan(judged.scores)
    scatter = np.square(said - judged.scores)[known].sum() / (said * (1 - said))[known].sum()
    return float(np.clip(scatter, _LEAST_DISPERSION, 1.0))
