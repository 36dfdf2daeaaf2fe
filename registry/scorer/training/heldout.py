"""The facts prior tested on whole families of models that the network never saw."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rolecall.registry.scorer.artifact import Floats
from rolecall.registry.scorer.chances import FACTS_FLOOR, expected
from rolecall.registry.scorer.encode import Encoder
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training.assemble import Frame, head_of, no_memory
from rolecall.registry.scorer.training.beliefs import facts_columns
from rolecall.registry.scorer.training.evaluate import Table
from rolecall.registry.scorer.training.fit import Cast, Columns, Examples, fit
from rolecall.registry.scorer.training.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Logits (N, M) from facts alone, how they rise with strength, and each model's imputation."""

    logits: Table  # (N, M)
    rise: Table  # (N, M)
    unaided: Table  # (N, M): logits of an average model, as if the facts were not known
    imputed: Table  # (M,)

    def success(self, spread: float) -> tuple[Table, Table]:
        """Return success and deviation (N, M) when strength is known up to `spread`."""
        return expected(self.logits, self.rise * np.hypot(self.imputed, spread), FACTS_FLOOR)

    def only(self, rows: NDArray[np.intp]) -> HeldOut:
        """Return these prompts alone."""
        return replace(
            self, logits=self.logits[rows], rise=self.rise[rows], unaided=self.unaided[rows]
        )


def hold_out_families(
    settings: Settings,
    examples: Examples,
    frame: Frame,
    encoder: Encoder,
    asked: tuple[Floats, Floats],
    reads: Columns,
) -> HeldOut:
    """Predict every model on the asked views and features from its facts alone.

    Each family is predicted by one member that reads these columns, and an imputation, neither of
    which saw any of its models.
    """
    count = len(asked[0])
    logits, rise, unaided = np.full((3, count, len(frame.models)), np.nan)
    imputed = np.zeros(len(frame.models))
    families = np.array([model.family for model in frame.models])
    for family in sorted(set(families.tolist())):
        kept, held = np.flatnonzero(families != family), np.flatnonzero(families == family)
        if not len(kept):
            continue
        within = frame.only(kept)
        models = within.models
        cast = Cast(models, facts_columns(within.prior, models), len(frame.tasks))
        network = fit(settings, examples.only(kept), cast, 1, reads)
        nothing = no_memory(len(models))
        head = head_of(within, [network], nothing)
        scorer = Scorer(head, encoder)
        strength, imputed[held] = head.prior.strength([frame.models[i].facts for i in held])
        with torch.no_grad():
            cost = network.limited_weights.double().numpy()  # (2,)
        limited = np.array([(frame.models[i].base, frame.models[i].narrow) for i in held])
        signals = scorer.signals(*asked)
        average = head.prior.strength([model.facts for model in models])[0].mean(keepdims=True)
        said, steep, _ = scorer.facts_logits(signals, strength + limited @ cost)
        logits[:, held], rise[:, held] = said, steep
        unaided[:, held] = scorer.facts_logits(signals, average)[0]
        _log.info("held out %s (%d models)", family, len(held))
    return HeldOut(logits, rise, unaided, imputed)
