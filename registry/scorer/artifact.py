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

FORMAT = 1
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONSTANTS_FILE = "head.json"
ARRAYS_FILE = "head.bin"
_HINT = "reinstall rolecall, or train again: make train"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on the tuning fold: logits are read as `scale · logit + shift`.

    `latent_spread` is the standard deviation, in logits, left in the success of a model seen in
    training; `token_shift` turns an expected logarithm of tokens into that of expected tokens.
    """

    scale: float
    shift: float
    latent_spread: float
    token_shift: float


@dataclass(frozen=True, slots=True)
class Head:
    """The trained head: E members, H hidden units, K signals of a prompt, M models.

    A prompt's K signals are, in order: `dim` for success, its easiness, `token_dim` for length,
    its length. Each model's rows meet them in `predict.py`.
    """

    version: str
    models: tuple[str, ...]
    panel: tuple[int, ...]
    dim: int
    token_dim: int
    prior: FactsPrior
    calibration: Calibration
    feature_mean: Floats  # (F,)
    feature_scale: Floats  # (F,)
    hidden_weight: Floats  # (E, D, H)
    hidden_bias: Floats  # (E, 1, H)
    signal_weight: Floats  # (E, H, K)
    signal_bias: Floats  # (E, 1, K)
    latent: Floats  # (E, M, dim)
    bias: Floats  # (E, M)
    origin: Floats  # (E, dim + 1): latent and bias of a model of strength 0
    slope: Floats  # (E, dim + 1): what one unit of strength adds to them
    token_latent: Floats  # (E, M, token_dim)
    token_bias: Floats  # (E, M)


ARRAYS = (
    "feature_mean",
    "feature_scale",
    "hidden_weight",
    "hidden_bias",
    "signal_weight",
    "signal_bias",
    "latent",
    "bias",
    "origin",
    "slope",
    "token_latent",
    "token_bias",
)


def save_head(head: Head, folder: Path) -> None:
    """Write the head's two files into `folder`, beside the encoder's, which they vouch for."""
    arrays = [np.ascontiguousarray(getattr(head, name), dtype="<f4") for name in ARRAYS]
    blob = b"".join(array.tobytes() for array in arrays)
    constants = {
        "format": FORMAT,
        "version": head.version,
        "models": head.models,
        "panel": head.panel,
        "dim": head.dim,
        "token_dim": head.token_dim,
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
    numbers = np.frombuffer(blob, dtype="<f4")
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
        dim=int(constants["dim"]),
        token_dim=int(constants["token_dim"]),
        prior=prior_from_dict(constants["prior"]),
        calibration=Calibration(**constants["calibration"]),
        **arrays,
    )
