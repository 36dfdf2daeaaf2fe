"""A prompt and any pool of models become success and expected tokens, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rolecall.registry.core.predictions import ModelFacts, Prediction, SuccessParts
from rolecall.registry.scorer.arrays import Floats, Rows, Table
from rolecall.registry.scorer.artifact import PUBLIC, Head, load_head
from rolecall.registry.scorer.card import PRETRAINED
from rolecall.registry.scorer.encoder import SENTENCE, WIDTH, Encoder, Session
from rolecall.registry.scorer.features import FEATURES, measure
from rolecall.registry.scorer.length import LengthModel
from rolecall.registry.scorer.pools import pools
from rolecall.registry.scorer.posterior import LATENT_FLOOR, expected, logistic

if TYPE_CHECKING:
    from rolecall.registry.scorer.onboarding import Fits


_MOST_DEVIATIONS = 4.0
_LEAST_SUCCESS = 0.01
_FEW_PROMPTS = 10.0  # of a data set, at which a model half counts as asked it
_AGENT = "/agent/"
# The share of the likeliest data set: below, a prompt is like those of none; above, of that one.
_OF_ONE_SET = 0.3, 0.7
_OTHER_SCRIPT = 0.2, 0.5  # shares of characters: below none of them count, above all do


@dataclass(frozen=True, slots=True)
class Signals:
    """What the network makes of N prompts, calibrated: a logit is `latent · loading + offset`.

    `loading` (N, 1 + L), `offset` (N,); `task_shares` (N, T) sum to 1.
    """

    loading: Table
    offset: Table
    task_shares: Table


@dataclass(frozen=True, slots=True)
class Local:
    """What judged prompts like these say of trained models, beside the network.

    `logit` (N, M) is of the nearest prompts and of the tasks alike, `share` (N, M) how much that
    counts: 0 where a model was asked neither. `asked` (N, M), 0–1, is how far a model was asked
    such tasks at all. `familiar` (N,), 0–1, is how near the prompt is to anything known.
    """

    logit: Table
    share: Table
    asked: Table
    familiar: Table


@dataclass(frozen=True, slots=True)
class Reading:
    """What the scorer took from one prompt, once for any number of models.

    `vector` (384,) is the sentence embedding. `loading` (1 + L,) and `offset` give a model's logit,
    `local` (M,) and `local_share` what judged prompts like it say of trained models, and `asked`
    (M,), 0–1, how far those were asked such tasks.
    `task` is the training task that the prompt is most like and `task_probability` how much, 0–1;
    `usual_loading` and `usual_offset` are those of its average prompt. `familiar`, 0–1, is how
    near the prompt is to anything known. `spread`, in logits, is what the prompt does not tell.
    `difficulty` is the share of the artifact's reference models expected to fail, 0–1. That panel
    is fixed at training, so that the figure does not move with anyone's pool.
    """

    vector: Floats
    loading: Table
    offset: float
    local: Table
    local_share: Table
    asked: Table
    usual_loading: Table
    usual_offset: float
    task: int
    task_probability: float
    familiar: float
    spread: float
    difficulty: float
    features: Floats
    text: str


class Scorer:
    """The trained head with its encoder; `lengths` are null in training only."""

    def __init__(
        self,
        head: Head,
        encoder: Encoder,
        lengths: LengthModel | None = None,
        fits: Fits | None = None,
    ) -> None:
        self.head = head
        self.encoder = encoder
        self.lengths = lengths
        self.fits = fits
        self._is_agent = np.array([_AGENT in f"/{task}/" for task in head.tasks], dtype=bool)
        self._of_set = _tasks_of_sets(head.tasks)
        self._asked = _asked(head, self._of_set)
        self.pool = pools(head, fits)

    @classmethod
    def load(cls, folder: Path | None = None, session: Session | None = None) -> Scorer:
        """Load an artifact folder, by default the shipped one; raises `ScorerUnusable`.

        `session` is its encoder's where it was loaded before.
        """
        folder = folder or PRETRAINED
        head = load_head(folder)
        return cls(head, Encoder(folder, head.version, session), LengthModel.load(folder))

    def with_fits(self, fits: Fits | None) -> Self:
        """Return a scorer like this one that reads these models by what was fitted for them."""
        other = copy(self)
        other.fits = fits
        other.pool = pools(other.head, fits)
        return other

    def with_encoder(self, encoder: Encoder) -> Self:
        """Return a scorer like this one that reads by this encoder."""
        other = copy(self)
        other.encoder = encoder
        return other

    @property
    def version(self) -> str:
        """The artifact's version: name, date, and digest of settings and scores."""
        return self.head.version

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one L2-normalised sentence embedding (384) per text."""
        return self.encoder.encode(texts)[:, SENTENCE]

    def read(self, text: str, *, is_agent: bool | None = None) -> Reading:
        """Read one prompt, once for any number of models.

        `is_agent` says whether an agent's whole run is asked for, or not; null where that is not
        known. Scores of whole runs never count for single answers.
        """
        embeddings = self.encoder.encode([text])  # (1, 2, 384)
        features = measure(text)
        local, signals = self.understand(embeddings, features[None], is_agent=is_agent)
        shares = signals.task_shares[0]
        task = int(shares.argmax())
        usual = self._usual(shares)
        panel = self.trained_logits(signals, local, np.array(self.head.panel))[0]
        far = 1 - float(local.familiar[0])
        calibration = self.head.calibration
        return Reading(
            vector=embeddings[0, SENTENCE],
            loading=signals.loading[0],
            offset=float(signals.offset[0]),
            local=local.logit[0],
            local_share=local.share[0],
            asked=local.asked[0],
            usual_loading=usual[:-1],
            usual_offset=float(usual[-1]),
            task=task,
            task_probability=round(float(shares[task]), 4),
            familiar=round(1 - far, 4),
            spread=float(np.hypot(calibration.spread, far * calibration.far_spread)),
            difficulty=round(float(1 - logistic(panel).mean()), 4),
            features=features,
            text=text,
        )

    def understand(
        self, embeddings: Floats, features: Floats, *, is_agent: bool | None = None
    ) -> tuple[Local, Signals]:
        """Return what neighbours and network make of N prompts.

        `embeddings` (N, 2, 384), `features` (N, F) as `features.measure` gives them.
        """
        head = self.head
        inputs = self._inputs(embeddings, features)  # (N, D)
        hidden = np.maximum(inputs @ head.hidden_weight + head.hidden_bias, 0)
        signals = (hidden @ head.signal_weight + head.signal_bias).astype(np.float64)  # (N, L + 1)
        tasks = (inputs @ head.task_weight + head.task_bias).astype(np.float64)
        if is_agent is not None and self._is_agent.any():
            tasks[:, self._is_agent != is_agent] = -np.inf
        shares = _softmax(tasks)
        local = self._local(embeddings, shares, is_agent)
        familiar = local.familiar * known_script(features) * self._known_set(shares)
        local = replace(local, familiar=familiar)
        loading, offset = self._calibrated(signals, shares)
        _, usual_offset = self._calibrated(shares @ head.usual_signals, shares)
        near = local.familiar
        general = self.head.calibration.scale * head.general_loading.astype(np.float64)
        loading = near[:, None] * loading + (1 - near[:, None]) * general
        return local, Signals(loading, near * offset + (1 - near) * usual_offset, shares)

    def trained_logits(self, signals: Signals, local: Local, rows: Rows) -> Table:
        """Return the logits (N, R) of trained models (R rows of the head's) on N prompts."""
        asked, expected_latent = local.asked[:, rows], self.head.expected_latent[rows]
        net = asked * (signals.loading @ self.head.latent[rows].T)
        net += (1 - asked) * (signals.loading @ expected_latent.T) + signals.offset[:, None]
        share = local.share[:, rows]
        return net + share * (local.logit[:, rows] - net)

    def predict(self, reading: Reading, facts: Sequence[ModelFacts]) -> tuple[Prediction, ...]:
        """Predict for each model in `facts`, in that order.

        A model is read by what was fitted for it (`scorer fit`), else by its latent if it was
        seen in training, else by public scores and facts, with a wider `success_std`.
        """
        if not facts:
            return ()
        wanted = tuple(facts)
        pool = self.pool(wanted)
        rows, latent = pool.rows, pool.latent
        world = self._world(reading.vector)
        share = np.where(rows >= 0, reading.local_share[rows], 0.0)
        unasked = np.where(rows >= 0, 1 - reading.asked[rows], 0.0)
        usual = latent @ reading.usual_loading - unasked * (pool.own @ reading.usual_loading)
        plain = latent @ reading.loading - unasked * (pool.own @ reading.loading)
        usual, plain = usual + reading.usual_offset, plain + reading.offset
        local = plain + share * (reading.local[rows] - plain)
        # What is unknown of the model widens; what is unknown of the prompt is calibrated already,
        # but for what is added far from everything known.
        unsure = pool.covariance @ reading.loading @ reading.loading
        unsure += unasked * (pool.unasked @ reading.loading @ reading.loading)
        unsure *= (1 - share) ** 2
        far = reading.spread**2 - self.head.calibration.spread**2
        steps = expected(np.array([usual, plain, local, local + world]), unsure + far)  # (4, N)
        success = np.clip(steps[-1], _LEAST_SUCCESS, 1 - _LEAST_SUCCESS)
        apart = success * (1 - success)
        deviation = np.minimum(apart * np.sqrt(unsure + reading.spread**2), np.sqrt(apart))
        assert self.lengths is not None
        visible, hidden, known = self.lengths.predict(
            reading.vector,
            reading.features,
            reading.text,
            reading.difficulty,
            wanted,
            None if self.fits is None else self.fits.log_tokens(one.model for one in wanted),
        )
        columns = (
            [one.model for one in wanted],
            success.round(4).tolist(),
            np.maximum(deviation, LATENT_FLOOR).round(4).tolist(),
            np.maximum(visible + hidden, 1).astype(np.intp).tolist(),
            pool.bases,
            self._parts(reading, steps.round(4)),
            hidden.astype(np.intp).tolist(),
            known.tolist(),
        )
        return tuple(map(Prediction, *columns))

    def usual_prompt(self, tasks: Sequence[int]) -> tuple[Table, float]:
        """Return loading (1 + L,) and offset of the average prompt of these tasks together."""
        shares = np.zeros(len(self.head.tasks))
        shares[list(tasks)] = 1 / len(tasks)
        usual = self._usual(shares)
        return usual[:-1], float(usual[-1])

    def _local(self, embeddings: Floats, task_shares: Table, is_agent: bool | None) -> Local:
        head, calibration = self.head, self.head.calibration
        places = head.neighbours.locate(embeddings)
        mean, weight, similarity = head.neighbours.recall(places, is_agent=is_agent)
        asked = task_shares @ self._asked  # (N, M)
        near = asked * calibration.local_share * weight / (weight + calibration.local_weight)
        near = np.where(np.isfinite(mean), near, 0.0)
        alike = (task_shares @ (self._asked * head.task_means)) / np.maximum(asked, 1e-9)
        told = calibration.task_share * asked
        share = near + told
        both = near * as_logit(np.nan_to_num(mean, nan=0.5)) + told * as_logit(alike)
        logit = calibration.scale * both / np.maximum(share, 1e-9) + calibration.shift
        span = max(calibration.near - calibration.far, 1e-6)
        familiar = np.clip((similarity - calibration.far) / span, 0.0, 1.0)
        return Local(np.nan_to_num(logit), share, asked, familiar)

    def _known_set(self, task_shares: Table) -> Table:
        """Return how far N prompts are as those of one data set are, 0–1 (N,)."""
        least, most = _OF_ONE_SET
        share = (task_shares @ self._of_set).max(axis=1)
        return np.asarray(np.clip((share - least) / (most - least), 0.0, 1.0))

    def _inputs(self, embeddings: Floats, features: Floats) -> Floats:
        head = self.head
        raw = raw_inputs(embeddings, features)
        scaled = (raw - head.input_mean) / head.input_scale
        found: Floats = np.clip(scaled, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
        return found

    def _calibrated(self, signals: Table, shares: Table) -> tuple[Table, Table]:
        """Return loadings (N, 1 + L) and offsets (N,) of signals (N, L + 1) and task shares."""
        head, scale = self.head, self.head.calibration.scale
        loading = signals[:, :-1] + shares @ head.task_loading
        offset = signals[:, -1] + shares @ head.task_offset
        whole = np.concatenate([np.ones((len(signals), 1)), loading], axis=1)
        return scale * whole, scale * offset + head.calibration.shift

    def _usual(self, shares: Table) -> Table:
        """Return loading and offset (1 + L + 1,) of the average prompt of these task shares."""
        signals = shares[None] @ self.head.usual_signals
        loading, offset = self._calibrated(signals, shares[None])
        return np.append(loading[0], offset[0])

    def _world(self, vector: Floats) -> float:
        if self.fits is None or self.fits.world is None:
            return 0.0
        return float(self.fits.world.offsets(vector[None].astype(np.float64))[0])

    def _parts(self, reading: Reading, steps: Table) -> list[SuccessParts]:
        """Return what each success rests on: the average, the prompt, neighbours, own rows."""
        task = self.head.tasks[reading.task]
        shared = (repeat(one) for one in (task, reading.task_probability))
        columns = (steps[0].tolist(), *(steps[1:] - steps[:-1]).round(4).tolist())
        return list(map(SuccessParts, *shared, *columns, repeat(reading.familiar)))


def known_script(features: Floats) -> Table:
    """Return how far N prompts are in a script that the judged prompts have, 0–1 (N,).

    Those are Latin, Chinese and Japanese; accents are no other script.
    """
    other, han, kana = (
        features[:, FEATURES.index(name)].astype(np.float64)
        for name in ("non_ascii_share", "han_share", "kana_share")
    )
    least, most = _OTHER_SCRIPT
    return np.asarray(1 - np.clip((other - han - kana - least) / (most - least), 0.0, 1.0))


def _tasks_of_sets(tasks: Sequence[str]) -> Table:
    """Return 1 where a task is of a data set (T, S), else 0."""
    names = [task.split("/")[0] for task in tasks]
    return np.array([[float(name == one) for one in dict.fromkeys(names)] for name in names])


def _asked(head: Head, of_set: Table) -> Table:
    """Return how far each model was asked the data set of each task (T, M), 0–1.

    Of public scores each task, a benchmark, stands for itself.
    """
    public = np.array([task.split("/")[0] == PUBLIC for task in head.tasks])
    count = np.where(public[:, None], head.asked, of_set @ (of_set.T @ head.asked))
    return np.asarray(count / (count + _FEW_PROMPTS))


def as_logit(success: Table) -> Table:
    """Return successes as logits, the extremes drawn in."""
    clipped = np.clip(success, _LEAST_SUCCESS, 1 - _LEAST_SUCCESS)
    return np.asarray(np.log(clipped / (1 - clipped)))


def raw_inputs(embeddings: Floats, features: Floats) -> Floats:
    """Return what the network reads (N, D), not yet standardised."""
    flat = embeddings.reshape(len(embeddings), -1)
    joined: Floats = np.concatenate([flat, features], axis=1)
    assert joined.shape[1] == 2 * WIDTH + features.shape[1]
    return joined


def _softmax(logits: Table) -> Table:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Table = raised / raised.sum(axis=1, keepdims=True)
    return shares
