"""The artifact folder: the trained arrays and constants, saved and loaded."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.card import MODEL_FILE, TOKENIZER_FILE
from rolecall.registry.scorer.knn import Neighbours
from rolecall.registry.scorer.metadata_prior import MetadataPrior

FORMAT = 6
CONSTANTS_FILE = "head.json"
ARRAYS_FILE = "head.bin"
_HINT = "reinstall rolecall"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was tuned on the tuning fold: logits are read as `scale · logit + shift`.

    `local_share` is the largest part of a trained model's logit that comes from the nearest
    judged prompts, `local_weight` the weight of neighbours at which it is half of that.
    `far` and `near` are similarities to the nearest training prompt: below `far` models stand as
    they do on the average prompt, as hard as its kind is; above `near` it counts as it is.
    `spread` is the standard deviation, in logits, of what the prompt does not tell, `far_spread`
    what is added to it far away.
    """

    scale: float
    shift: float
    local_share: float
    local_weight: float
    far: float
    near: float
    spread: float
    far_spread: float


@dataclass(frozen=True, slots=True)
class Head:
    """The trained head: D inputs of a prompt, H hidden units, T tasks, M models, L latent numbers.

    The logit of a model's success on a prompt is `latent · loading + offset` (`model.py`).
    `panel` are the reference models whose expected failures are a prompt's difficulty. `prior` is
    null in training only, before it is fitted.
    """

    version: str
    models: tuple[str, ...]
    panel: tuple[int, ...]
    tasks: tuple[str, ...]
    calibration: Calibration
    prior: MetadataPrior | None
    neighbours: Neighbours
    input_mean: Floats  # (D,)
    input_scale: Floats  # (D,)
    hidden_weight: Floats  # (D, H)
    hidden_bias: Floats  # (H,)
    signal_weight: Floats  # (H, L + 1): the latent loading, then the difficulty offset
    signal_bias: Floats  # (L + 1,)
    task_weight: Floats  # (D, T)
    task_bias: Floats  # (T,)
    task_loading: Floats  # (T, L)
    task_offset: Floats  # (T,)
    usual_signals: Floats  # (T, L + 1): the mean signals of each task's training prompts
    general_loading: Floats  # (1 + L,): of the average prompt, each data set alike
    latent: Floats  # (M, 1 + L): ability, then the latent vector
    latent_covariance: Floats  # (1 + L, 1 + L): how far a latent may be off
    asked: Floats  # (T, M): how many training prompts of each task each model was asked


ARRAYS = (
    "input_mean",
    "input_scale",
    "hidden_weight",
    "hidden_bias",
    "signal_weight",
    "signal_bias",
    "task_weight",
    "task_bias",
    "task_loading",
    "task_offset",
    "usual_signals",
    "general_loading",
    "latent",
    "latent_covariance",
    "asked",
)
# Half precision moves a success by less than 0.001 and halves the file.
_STORED = "<f2"


def rounded(array: Floats) -> Floats:
    """Return an array as it will be once saved and loaded."""
    return array.astype(_STORED).astype(np.float32)


def save_head(head: Head, folder: Path) -> None:
    """Write the head's two files into `folder`, beside the encoder's, which they vouch for."""
    arrays = [np.ascontiguousarray(getattr(head, name), dtype=_STORED) for name in ARRAYS]
    dense = b"".join(array.tobytes() for array in arrays)
    assert head.prior is not None
    neighbours, packed = head.neighbours.pack()
    blob = dense + packed
    constants = {
        "format": FORMAT,
        "version": head.version,
        "models": head.models,
        "panel": head.panel,
        "tasks": head.tasks,
        "calibration": asdict(head.calibration),
        "prior": head.prior.to_dict(),
        "neighbours": neighbours,
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
    shapes = [tuple(constants["shapes"][name]) for name in ARRAYS]
    size = sum(map(prod, shapes))
    numbers = np.frombuffer(blob, dtype=_STORED, count=size).astype(np.float32)
    arrays: dict[str, Floats] = {}
    start = 0
    for name, shape in zip(ARRAYS, shapes, strict=True):
        arrays[name] = numbers[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
    return Head(
        version=str(constants["version"]),
        models=tuple(constants["models"]),
        panel=tuple(constants["panel"]),
        tasks=tuple(constants["tasks"]),
        calibration=Calibration(**constants["calibration"]),
        prior=MetadataPrior.from_dict(constants["prior"]),
        neighbours=Neighbours.unpack(constants["neighbours"], blob[2 * size :]),
        **arrays,
    )
