"""The artifact folder: the trained arrays and constants, saved and loaded."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.arrays import Arrays, Floats, pack_arrays, unpack_arrays
from rolecall.registry.scorer.card import MODEL_FILE, PRETRAINED, TOKENIZER_FILE
from rolecall.registry.scorer.knn import Neighbours
from rolecall.registry.scorer.metadata_prior import MetadataPrior

FORMAT = 7
HEAD_FILE = "head.bin"
SEEN_FILE = "seen.bin"  # the prompts that the scorer learned from: sorted 64-bit hashes
PUBLIC = "public_scores"  # the data set of prompts that stand for public benchmarks
_KEYS = np.dtype("<u8")
_HINT = "reinstall rolecall"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was tuned on the tuning fold: logits are read as `scale · logit + shift`.

    `local_share` is the largest part of a trained model's logit that comes from the nearest
    judged prompts, `local_weight` the weight of neighbours at which it is half of that;
    `task_share` is the largest part that comes from its means on the training tasks alike.
    `far` and `near` are similarities to the nearest training prompt: below `far` models stand as
    they do on the average prompt, as hard as its kind is; above `near` it counts as it is.
    `spread` is the standard deviation, in logits, of what the prompt does not tell, `far_spread`
    what is added to it far away.
    """

    scale: float
    shift: float
    local_share: float
    local_weight: float
    task_share: float
    far: float
    near: float
    spread: float
    far_spread: float


@dataclass(frozen=True, slots=True)
class Head:
    """The trained head: D inputs of a prompt, H hidden units, T tasks, M models, L latent numbers.

    The logit of a model's success on a prompt is `latent · loading + offset` (`model.py`).
    `panel` are the reference models whose expected failures are a prompt's difficulty.
    """

    version: str
    models: tuple[str, ...]
    panel: tuple[int, ...]
    tasks: tuple[str, ...]
    calibration: Calibration
    prior: MetadataPrior
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
    expected_latent: Floats  # (M, 1 + L): what would be expected of each without its rows
    latent_covariance: Floats  # (1 + L, 1 + L): how far a latent may be off
    asked: Floats  # (T, M): how many training prompts of each task each model was asked
    task_means: Floats  # (T, M): what each model scored on those, drawn to its mean


ARRAYS = tuple(field.name for field in fields(Head) if field.type == "Floats")
# Half precision moves a success by less than 0.001 and halves the file.
_STORED = "<f2"
_CHECKSUM_BYTES = 4


def rounded(array: Floats) -> Floats:
    """Return an array as it will be once saved and loaded."""
    return array.astype(_STORED).astype(np.float32)


def save_head(head: Head, folder: Path) -> None:
    """Write the head's file into `folder`, with checksums of the encoder's beside it."""
    prior, prior_arrays = head.prior.pack()
    neighbours, neighbour_arrays = head.neighbours.pack()
    about = {
        "format": FORMAT,
        "version": head.version,
        "models": head.models,
        "panel": head.panel,
        "tasks": head.tasks,
        "calibration": asdict(head.calibration),
        "prior": prior,
        "neighbours": neighbours,
        "tokenizer_crc32": zlib.crc32((folder / TOKENIZER_FILE).read_bytes()),
        "model_bytes": (folder / MODEL_FILE).stat().st_size,
    }
    arrays = {name: np.asarray(getattr(head, name), dtype=_STORED) for name in ARRAYS}
    whole = pack_arrays(about, {**arrays, **prior_arrays, **neighbour_arrays})
    checksum = zlib.crc32(whole).to_bytes(_CHECKSUM_BYTES)
    (folder / HEAD_FILE).write_bytes(whole + checksum)


def load_head(folder: Path) -> Head:
    """Read the head of an artifact folder; raises `ScorerUnusable`.

    Small files are checked by checksum, the encoder by its size: reading its 23 MB would cost
    as much as running it. `integrity.check` reads everything.
    """
    try:
        content = (folder / HEAD_FILE).read_bytes()
        tokenizer = (folder / TOKENIZER_FILE).read_bytes()
        model_bytes = (folder / MODEL_FILE).stat().st_size
    except FileNotFoundError as error:
        raise ScorerUnusable(f"no scorer at {folder}", hint=_HINT) from error
    except OSError as error:
        raise ScorerUnusable(f"the scorer at {folder} is unreadable", hint=_HINT) from error
    try:
        about, arrays = unpack_arrays(content)
        if about["format"] != FORMAT:
            message = f"the scorer at {folder} has another format than {FORMAT}"
            raise ScorerUnusable(message, hint=_HINT)
        checksum = int.from_bytes(content[-_CHECKSUM_BYTES:])
        if (
            zlib.crc32(memoryview(content)[:-_CHECKSUM_BYTES]) != checksum
            or zlib.crc32(tokenizer) != about["tokenizer_crc32"]
            or model_bytes != about["model_bytes"]
        ):
            raise ValueError("a file does not match its checksum")
        return _assemble(about, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScorerUnusable(f"the scorer at {folder} is damaged", hint=_HINT) from error


def _assemble(about: dict[str, Any], arrays: Arrays) -> Head:
    return Head(
        version=str(about["version"]),
        models=tuple(about["models"]),
        panel=tuple(about["panel"]),
        tasks=tuple(about["tasks"]),
        calibration=Calibration(**about["calibration"]),
        prior=MetadataPrior.unpack(about["prior"], arrays),
        neighbours=Neighbours.unpack(about["neighbours"], arrays),
        **{name: arrays[name].astype(np.float32) for name in ARRAYS},
    )


def prompt_key(text: str) -> int:
    """Return the first 8 bytes of the SHA-256 of a prompt, blanks around it left out."""
    return int.from_bytes(sha256(text.strip().encode("utf-8", "surrogatepass")).digest()[:8])


def write_seen(folder: Path, keys: Iterable[int]) -> None:
    """Write the keys of the prompts that a scorer learned from into its folder."""
    (folder / SEEN_FILE).write_bytes(np.array(sorted(set(keys)), dtype=_KEYS).tobytes())


def load_seen(folder: Path | None = None) -> frozenset[int]:
    """Return the keys in a scorer's folder, by default the shipped one's; none if it has none."""
    path = (folder or PRETRAINED) / SEEN_FILE
    if not path.is_file():
        return frozenset()
    return frozenset(np.frombuffer(path.read_bytes(), dtype=_KEYS).tolist())
