"""The training loop over texts: the encoder's upper layers and the members that read them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rolecall.registry.scorer.encode import WIDTH
from rolecall.registry.scorer.training.branch import Trunk, attention, climb, padded, pooled
from rolecall.registry.scorer.training.fit import Cast, Examples, parameter_groups, untrained
from rolecall.registry.scorer.training.losses import total_loss
from rolecall.registry.scorer.training.network import Network
from rolecall.registry.scorer.training.settings import Settings

_log = logging.getLogger(__name__)
_STEPS_BETWEEN_LINES = 50
_STEPS_BETWEEN_CHECKPOINTS = 200
_WARM_UP = 0.08
_LAST_RATE = 0.02
# Texts of like length share a batch; so many batches are sorted together.
_SORTED_BATCHES = 40


@dataclass(frozen=True, slots=True)
class Texts:
    """The token ids of every form of every prompt, as the rows of `examples.inputs`.

    `examples.inputs` holds what a member reads beside the tuned vector.
    """

    ids: list[list[int]]
    examples: Examples


class Tuning:
    """One run of the loop; it goes on from `checkpoint` if that holds an earlier part of it."""

    def __init__(
        self, settings: Settings, texts: Texts, cast: Cast, trunk: Trunk, checkpoint: Path | None
    ) -> None:
        self.settings, self.texts, self.trunk = settings, texts, trunk
        self.checkpoint = checkpoint
        torch.manual_seed(settings.seed)
        self.branch = trunk.copy_of_upper()
        dropouts = (settings.input_dropout / 2, settings.dropout)
        inputs = texts.examples.inputs.shape[1] + WIDTH
        self.network = untrained(settings, inputs, cast, settings.tuned_members, dropouts)
        self._beside = torch.tensor(texts.examples.inputs)
        self._truth = texts.examples.truth()
        self._states: dict[int, Tensor] = {}

    def run(
        self, strength_of: Network, most_steps: int | None = None
    ) -> tuple[nn.ModuleList, Network]:
        """Train, and return the upper layers and the network, ready to be exported.

        Stops for now, with a checkpoint, after `most_steps` if that is given.
        """
        settings = self.settings
        self.network.share_strength(strength_of)
        batches = ceil(len(self.texts.examples) / settings.tuned_batch)
        steps = settings.tuned_epochs * batches
        optimizer = self._optimizer()
        first = self._resume(optimizer)
        started, average = time.monotonic(), float("nan")
        for epoch in range(first // batches, settings.tuned_epochs):
            for number, (rows, forms) in enumerate(self._batches(epoch)):
                step = epoch * batches + number
                if step < first:
                    continue
                if step == most_steps:
                    self._keep(step, optimizer)
                    return self.branch.eval(), self.network.eval()
                loss = self._step(step, steps, optimizer, rows, forms)
                average = loss if average != average else 0.98 * average + 0.02 * loss
                done = step + 1
                if done % _STEPS_BETWEEN_LINES == 0 or done == steps:
                    left = (time.monotonic() - started) / (done - first) * (steps - done)
                    _log.info("step %d of %d, loss %.4f, %.0f s left", done, steps, average, left)
                if done % _STEPS_BETWEEN_CHECKPOINTS == 0 or done == steps:
                    self._keep(done, optimizer)
        return self.branch.eval(), self.network.eval()

    def _step(
        self,
        step: int,
        steps: int,
        optimizer: torch.optim.Optimizer,
        rows: NDArray[np.intp],
        forms: NDArray[np.intp],
    ) -> float:
        # Seeded by step, so that a run that was broken off goes on as it would have.
        torch.manual_seed(self.settings.seed * 1_000_003 + step)
        share = min(1.0, (step + 1) / (_WARM_UP * steps)) * max(_LAST_RATE, 1 - step / steps)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * share
        self.branch.train()
        self.network.train()
        vectors = self._vectors(forms)
        inputs = torch.cat([vectors * vectors.shape[1] ** 0.5, self._beside[forms]], dim=1)
        said = self.network(inputs)
        loss = total_loss(self.settings, self.network, said, self._truth.only(torch.tensor(rows)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.branch.parameters(), 1.0)
        optimizer.step()
        return float(loss.detach())

    def _vectors(self, forms: NDArray[np.intp]) -> Tensor:
        """Return the tuned vectors (N, 384), the trunk's part remembered between epochs."""
        ids = [self.texts.ids[form] for form in forms]
        rows, present = padded(ids)
        mask = attention(present)
        missing = [place for place, form in enumerate(forms) if int(form) not in self._states]
        # Half precision is twice as quick where the processor has it, and as good to train in.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            if missing:
                with torch.no_grad():
                    lower, _ = self.trunk(rows[missing], mask[missing])
                for place, states in zip(missing, lower.bfloat16(), strict=True):
                    self._states[int(forms[place])] = states[: len(ids[place])].clone()
            states = torch.zeros(*rows.shape, self._states[int(forms[0])].shape[1])
            for place, form in enumerate(forms):
                known = self._states[int(form)]
                states[place, : len(known)] = known.float()
            last = climb(self.branch, states, mask)
        return pooled(last.float(), present)

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
        decayed, biases, of_models = parameter_groups(self.network)
        head, models = settings.tuned_head_rate, settings.tuned_model_rate
        kinds = (
            (list(self.branch.parameters()), settings.tuned_rate, 0.01),
            (decayed, head, settings.tuned_weight_decay),
            (biases, head, 0.0),
            (of_models, head * models, 0.0),
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
            "branch": self.branch.state_dict(),
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
        self.branch.load_state_dict(content["branch"])
        self.network.load_state_dict(content["network"])
        optimizer.load_state_dict(content["optimizer"])
        _log.info("going on from step %d of %s", content["done"], self.checkpoint)
        return int(content["done"])
