"""The artifact folder: the head's arrays and constants, saved and loaded."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.strength import FactsPrior, prior_from_dict

FORMAT = 5
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONSTANTS_FILE = "head.json"
ARRAYS_FILE = "head.bin"
_HINT = "rolecall scorer use pretrained; if that is damaged too, reinstall rolecall"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on the tuning fold: logits are read as `scale · logit + shift`.

    `local_share` is how much of a trained model's logit comes from the memory of like prompts;
    `latent_spread` is the standard deviation, in logits, left in the success of a model seen in
    training; `token_shift` is added to the logarithm of 1 + tokens.
    """

    scale: float
    shift: float
    local_share: float
    latent_spread: float
    token_shift: float


@dataclass(frozen=True, slots=True)
class Head:
    """The trained head: E members, H hidden units, T tasks, K signals of a prompt, M models.

    A member reads a prompt's views and features. Its K signals are, in order: `dim` for success,
    its easiness, `token_dim` for length, its length. The last T of both `dim` and `token_dim` are
    the prompt's likeness to each task of the training data, which sums to 1; the others, L with
    easiness and length, are learnt. Each model's rows meet them in `predict.py`. `weights` say
    what the members count.

    The memory holds P places among the prompts' views, seen along A axes, and what models made of
    the training prompts around them, as logits; `nan` where a model was not asked.
    """

    version: str
    models: tuple[str, ...]
    panel: tuple[int, ...]
    tasks: tuple[str, ...]
    dim: int
    token_dim: int
    memory_temperature: float
    prior: FactsPrior
    calibration: Calibration
    weights: Floats  # (E,), summing to 1
    feature_mean: Floats  # (F,)
    feature_scale: Floats  # (F,)
    phrase_mean: Floats  # (384,)
    phrase_scale: Floats  # (384,)
    hidden_weight: Floats  # (E, D, H)
    hidden_bias: Floats  # (E, 1, H)
    signal_weight: Floats  # (E, H, L)
    signal_bias: Floats  # (E, 1, L)
    task_weight: Floats  # (E, D, T)
    task_bias: Floats  # (E, 1, T)
    task_signals: Floats  # (E, T, K): the mean signals of each task's training prompts
    latent: Floats  # (E, M, dim)
    bias: Floats  # (E, M)
    origin: Floats  # (E, dim + 1): latent and bias of a model of strength 0
    slope: Floats  # (E, dim + 1): what one unit of strength adds to them
    strength: Floats  # (M,): how strong each model's facts say it is
    asked: Floats  # (T, M): the share of each task's training prompts that each model was asked
    token_latent: Floats  # (E, M, token_dim)
    token_bias: Floats  # (E, M)
    axes: Floats  # (768, A)
    places: Floats  # (P, A)
    outcomes: Floats  # (P, M)


ARRAYS = (
    "weights",
    "feature_mean",
    "feature_scale",
    "phrase_mean",
    "phrase_scale",
    "hidden_weight",
    "hidden_bias",
    "signal_weight",
    "signal_bias",
    "task_weight",
    "task_bias",
    "task_signals",
    "latent",
    "bias",
    "origin",
    "slope",
    "strength",
    "asked",
    "token_latent",
    "token_bias",
    "axes",
    "places",
    "outcomes",
)
# Half precision moves a success by less than 0.001 and halves the file.
_STORED = "<f2"


def rounded(array: Floats) -> Floats:
    """Return an array as it will be once saved and loaded."""
    return array.astype(_STORED).astype(np.float32)


def save_head(head: Head, folder: Path) -> None:
    """Write the head's two files into `folder`, beside the encoder's, which they vouch for."""
    arrays = [np.ascontiguousarray(getattr(head, name), dtype=_STORED) for name in ARRAYS]
    blob = b"".join(array.tobytes() for array in arrays)
    constants = {
        "format": FORMAT,
        "version": head.version,
        "models": head.models,
        "panel": head.panel,
        "tasks": head.tasks,
        "dim": head.dim,
        "token_dim": head.token_dim,
        "memory_temperature": head.memory_temperature,
        "prior": head.prior.to_dict(),
        "calibration": {
            name: getattr(head.calibration, name) for name in Calibration.__dataclass_fields__
        },
        "shapes": {name: array.shape for name, array in zip(ARRAYS, arrays, strict=True)},
        "crc32": {
            ARRAYS_FILE: zlib.crc32(blob),
            TOKENIZER_FILE: zlib.crc32((folder / TOKENIZER_FILE).read_bytes()),
        },
        "bytes": {MODEL_FILE: (folder / MODEL_FILE).stat().st_size},
    }
    (folder / ARRAYS_FILE).write_bytes(blob)
    (folder / CONSTANTS_FILE).write_text(json.dumps(constants), encoding="utf-8")


def load_head(folder: Path) -> Head:
    """Read the head of an artifact folder; raises `ScorerUnusable`.

    Small files are checked by checksum, the encoder by its size: reading its 23 MB would cost
    as much as running it. `integrity.check` reads everything.
    """
    try:
        constants = json.loads((folder / CONSTANTS_FILE).read_text(encoding="utf-8"))
        blob = (folder / ARRAYS_FILE).read_bytes()
        tokenizer = (folder / TOKENIZER_FILE).read_bytes()
        model_bytes = (folder / MODEL_FILE).stat().st_size
    except FileNotFoundError as error:
        raise ScorerUnusable(f"no scorer at {folder}", hint=_HINT) from error
    except (OSError, ValueError) as error:
        raise ScorerUnusable(f"the scorer at {folder} is unreadable", hint=_HINT) from error
    if not isinstance(constants, dict) or constants.get("format") != FORMAT:
        raise ScorerUnusable(f"the scorer at {folder} has another format than {FORMAT}", hint=_HINT)
    try:
        checksums = constants["crc32"]
        if (
            zlib.crc32(blob) != checksums[ARRAYS_FILE]
            or zlib.crc32(tokenizer) != checksums[TOKENIZER_FILE]
            or model_bytes != constants["bytes"][MODEL_FILE]
        ):
            raise ValueError("a file does not match its checksum")
        return _assemble(constants, blob)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScorerUnusable(f"the scorer at {folder} is damaged", hint=_HINT) from error


def _assemble(constants: dict[str, Any], blob: bytes) -> Head:
    numbers = np.frombuffer(blob, dtype=_STORED).astype(np.float32)
    arrays: dict[str, Floats] = {}
    start = 0
    for name in ARRAYS:
        shape = tuple(constants["shapes"][name])
        arrays[name] = numbers[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
    return Head(
        version=str(constants["version"]),
        models=tuple(constants["models"]),
        panel=tuple(constants["panel"]),
        tasks=tuple(constants["tasks"]),
        dim=int(constants["dim"]),
        token_dim=int(constants["token_dim"]),
        memory_temperature=float(constants["memory_temperature"]),
        prior=prior_from_dict(constants["prior"]),
        calibration=Calibration(**constants["calibration"]),
        **arrays,
    )
