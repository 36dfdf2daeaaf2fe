"""The training loop over texts: the whole encoder learns a view of what decides success.

Its first token's last state becomes that view. The other views are held where they were.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.encode import TUNED
from rolecall.registry.scorer.signals import UNIT_SCALE
from rolecall.registry.scorer.training.fit import Examples, reading_groups
from rolecall.registry.scorer.training.losses import total_loss
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.settings import Settings
from rolecall.registry.scorer.training.views import Views

_log = logging.getLogger(__name__)
_STEPS_BETWEEN_LINES = 50
_STEPS_BETWEEN_CHECKPOINTS = 200
_WARM_UP = 0.08
_LAST_RATE = 0.02
# Texts of like length share a batch; so many batches are sorted together.
_SORTED_BATCHES = 40


@dataclass(frozen=True, slots=True)
class Texts:
    """The token ids of every form of every prompt, and their views (F, V, 384) as published.

    `examples.inputs` (F, D) holds what the network reads beside the tuned view.
    """

    ids: Sequence[Sequence[int]]
    published: Floats
    examples: Examples


class Tuning:
    """One run of the loop; it goes on from `checkpoint` if that holds an earlier part of it."""

    def __init__(
        self,
        settings: Settings,
        texts: Texts,
        transformer: nn.Module,
        network: Network,
        checkpoint: Path | None,
    ) -> None:
        """`network` reads the tuned view first, then `texts.examples.inputs`."""
        self.settings, self.texts, self.checkpoint = settings, texts, checkpoint
        self.transformer, self.network = transformer, network
        self._views = Views(transformer)
        self._beside = torch.tensor(texts.examples.inputs)
        self._truth = texts.examples.truth()
        held = texts.published[:, :TUNED]  # (F, V - 1, 384)
        self._held = torch.tensor(held)
        self._spread = torch.tensor(held.var(axis=0).sum(axis=-1))  # (V - 1,)

    def run(self, most_steps: int | None = None) -> None:
        """Train the transformer and the network where they are.

        Stops for now, with a checkpoint, after `most_steps` if that is given.
        """
        settings = self.settings
        batches = ceil(len(self.texts.examples) / settings.tuned_batch)
        steps = settings.tuned_epochs * batches
        optimizer = self._optimizer()
        first = self._resume(optimizer)
        started, average = time.monotonic(), None
        for epoch in range(first // batches, settings.tuned_epochs):
            for number, (rows, forms) in enumerate(self._batches(epoch)):
                step = epoch * batches + number
                if step < first:
                    continue
                if step == most_steps:
                    self._keep(step, optimizer)
                    return
                losses = self._step(step, steps, optimizer, rows, forms)
                average = losses if average is None else 0.98 * average + 0.02 * losses
                done = step + 1
                if done % _STEPS_BETWEEN_LINES == 0 or done == steps:
                    left = (time.monotonic() - started) / (done - first) * (steps - done)
                    told = (done, steps, *average, left)
                    _log.info("step %d of %d, loss %.4f, moved %.4f, %.0f s left", *told)
                if done % _STEPS_BETWEEN_CHECKPOINTS == 0 or done == steps:
                    self._keep(done, optimizer)
        self.transformer.eval()
        self.network.eval()

    def _step(
        self,
        step: int,
        steps: int,
        optimizer: torch.optim.Optimizer,
        rows: NDArray[np.intp],
        forms: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """Take one step; return the loss, and how far the held views have moved (2,)."""
        # Seeded by step, so that a run that was broken off goes on as it would have.
        torch.manual_seed(self.settings.seed * 1_000_003 + step)
        share = min(1.0, (step + 1) / (_WARM_UP * steps)) * max(_LAST_RATE, 1 - step / steps)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * share
        self.transformer.train()
        self.network.train()
        ids, present = padded([self.texts.ids[form] for form in forms])
        # Half precision is twice as quick where the processor has it, and as good to train in.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            views = self._views.of_texts(ids, present)
        views = views.float()
        inputs = torch.cat([views[:, TUNED] * UNIT_SCALE, self._beside[forms]], dim=1)
        said = self.network.score(inputs)
        loss = total_loss(self.settings, self.network, said, self._truth.only(torch.tensor(rows)))
        gone = (views[:, :TUNED] - self._held[forms]).square().sum(dim=2)  # (N, V - 1)
        moved = (gone / self._spread).mean()
        optimizer.zero_grad()
        total = loss + self.settings.held_weight * moved
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.transformer.parameters(), 1.0)
        optimizer.step()
        return np.array([float(loss.detach()), float(moved.detach())])

    def _batches(self, epoch: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Return one epoch's batches as prompts and the form each is read in."""
        size, examples = self.settings.tuned_batch, self.texts.examples
        order = np.random.default_rng((self.settings.seed, epoch))
        forms = examples.forms(order, self.settings.reworded_share)
        lengths = np.array([len(self.texts.ids[form]) for form in forms])
        shuffled = order.permutation(len(examples))
        found = []
        for start in range(0, len(shuffled), size * _SORTED_BATCHES):
            part = shuffled[start : start + size * _SORTED_BATCHES]
            part = part[np.argsort(lengths[part], kind="stable")]
            found += [part[at : at + size] for at in range(0, len(part), size)]
        return [(found[index], forms[found[index]]) for index in order.permutation(len(found))]

    def _optimizer(self) -> torch.optim.Optimizer:
        settings = self.settings
        decayed, biases = reading_groups(self.network)
        read = {id(parameter) for parameter in decayed + biases}
        of_models = [p for p in self.network.parameters() if id(p) not in read and p.requires_grad]
        encoder = [p for p in self.transformer.parameters() if p.requires_grad]
        head = settings.tuned_head_rate
        kinds = (
            (encoder, settings.tuned_rate, 0.01),
            (decayed, head, settings.tuned_weight_decay),
            (biases, head, 0.0),
            (of_models, head * settings.tuned_model_rate, 0.0),
        )
        groups = [
            {"params": parameters, "rate": rate, "weight_decay": decay}
            for parameters, rate, decay in kinds
        ]
        return torch.optim.AdamW(groups)

    def _keep(self, done: int, optimizer: torch.optim.Optimizer) -> None:
        if self.checkpoint is None:
            return
        content = {
            "done": done,
            "transformer": self.transformer.state_dict(),
            "network": self.network.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(content, fresh)
        fresh.replace(self.checkpoint)

    def _resume(self, optimizer: torch.optim.Optimizer) -> int:
        if self.checkpoint is None or not self.checkpoint.is_file():
            return 0
        content = torch.load(self.checkpoint, weights_only=True)
        self.transformer.load_state_dict(content["transformer"])
        self.network.load_state_dict(content["network"])
        optimizer.load_state_dict(content["optimizer"])
        _log.info("going on from step %d of %s", content["done"], self.checkpoint)
        return int(content["done"])


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return token ids (N, tokens) and which are present (N, tokens), as 1 and 0."""
    longest = max(len(row) for row in ids)
    rows, present = torch.zeros(len(ids), longest, dtype=torch.long), torch.zeros(len(ids), longest)
    for index, row in enumerate(ids):
        rows[index, : len(row)] = torch.tensor(row)
        present[index, : len(row)] = 1
    return rows, present
