"""Numbers settle on what prompts look like to those who have not seen them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.features import measure
from rolecall.registry.scorer.signals import read_inputs
from tests.scorer.tiny import TinyEncoder, tiny_head

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from rolecall.registry.scorer.training.losses import Truth  # noqa: E402
from rolecall.registry.scorer.training.own_numbers import (  # noqa: E402
    Given,
    likeness_of,
    settle_numbers,
)
from rolecall.registry.scorer.training.own_settings import Belief, OwnSettings  # noqa: E402
from rolecall.registry.scorer.training.own_start import network_of, roster_of  # noqa: E402

TASKS = ("own/a", "own/b")
# A stranger that is right on one task and wrong on the other, of which prompts show nothing.
RIGHT = np.array([0.9, 0.1])


def gap(sureness: float) -> float:
    """Return how far apart the tasks' levels settle when prompts are so surely like their own."""
    head = tiny_head()
    roster = roster_of(head, ("stranger",), TASKS, (ModelFacts("stranger"),))
    network = network_of(head, roster, (0.0, 0.0)).eval()
    count, columns = 200, [roster.tasks.index(task) for task in TASKS]
    prompts = [f"sums number {number}" for number in range(count)]
    features = np.stack([measure(prompt) for prompt in prompts])
    inputs = torch.tensor(read_inputs(head, TinyEncoder().encode(prompts), features))
    task = np.arange(count) % 2
    labels = torch.tensor(np.array(columns)[task])
    scores = torch.tensor(RIGHT[task][:, None], dtype=torch.float32)
    likeness = torch.zeros_like(likeness_of(network, inputs))
    for column in columns:
        likeness[..., column] = torch.where(labels == column, sureness, 1 - sureness)
    given = Given(
        inputs=inputs,
        labels=labels,
        tasks=tuple(columns),
        truth=Truth(scores, torch.full_like(scores, torch.nan), labels, torch.ones(count)),
        judged=torch.tensor(roster.judged),
        everyday=columns[0],
        base=len(head.models),
        believed=None,
        strength_variance=1.0,
        dispersion=1.0,
        likeness=likeness,
    )
    settled = copy.deepcopy(network)
    settle_numbers(OwnSettings(), settled, given, Belief(3.0, 1.6, 0.0))
    levels = settled.latents()[:, -1, network.shape.dim :]
    return float((levels[:, columns[0]] - levels[:, columns[1]]).detach().mean())


def test_levels_settle_further_apart_where_tasks_are_hard_to_tell() -> None:
    sure = gap(1.0)
    assert sure == pytest.approx(2 * np.log(9), rel=0.15)
    assert gap(0.8) > 1.2 * sure


def test_tasks_that_cannot_be_told_settle_on_one_level() -> None:
    assert gap(0.5) == pytest.approx(0, abs=0.05)
