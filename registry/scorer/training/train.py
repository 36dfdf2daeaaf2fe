"""Train the scorer on a folder of judged rows and write its artifact."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rolecall.registry.core.errors import RegistryError
from rolecall.registry.scorer.arrays import Floats, Rows
from rolecall.registry.scorer.artifact import (
    FORMAT,
    HEAD_FILE,
    PUBLIC,
    Head,
    load_head,
    prompt_key,
    save_head,
    write_seen,
)
from rolecall.registry.scorer.asked_length import asked_tokens
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED, file_digest
from rolecall.registry.scorer.data import read_judged
from rolecall.registry.scorer.encoder import SENTENCE, Encoder
from rolecall.registry.scorer.length import LengthModel
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.training.assemble import assemble
from rolecall.registry.scorer.training.calibrate import calibrated
from rolecall.registry.scorer.training.card import describe, sets_marked
from rolecall.registry.scorer.training.config import Settings
from rolecall.registry.scorer.training.dataset import TrainingData, load_data
from rolecall.registry.scorer.training.export import (
    export_encoder,
    load_torch_encoder,
    packaged_encoder,
)
from rolecall.registry.scorer.training.length import LengthRows, assumed_rows, train_length
from rolecall.registry.scorer.training.task_classifier import train_task_classifier

NAME = "minilm-latent"
_CACHE = Path(".training")
_log = logging.getLogger(__name__)


def train(
    data: Path, out: Path, settings: Settings, encoder_source: str, cache: Path
) -> dict[str, Any]:
    """Train, evaluate and write the artifact folder `out` in one step; return its card.

    Reading the prompts takes longest and is kept in `cache`: a run that was broken off goes on
    from there. `out` is replaced only when everything has succeeded. Raises `InvalidDocument` for
    a line that is no judged row and `ScorerUnusable` when no encoder is at hand.
    """
    torch.set_num_threads(1)  # the same figures whatever the machine
    judged = read_judged([data])[0]
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name) / out.name
        folder.mkdir()
        encoder = export_encoder(load_torch_encoder(encoder_source), folder)
        read = load_data(judged, encoder, settings, cache)
        _log.info("%d prompts, %d models", len(judged.prompts), len(read.judged.models))
        head = learn(read, settings, encoder, NAME)
        save_head(head, folder)
        # Told apart by what was learnt, whatever made it differ.
        version = f"{NAME}-{datetime.now(UTC).date()}-{file_digest(folder / HEAD_FILE)[:8]}"
        save_head(replace(head, version=version), folder)
        taught = read.judged.fold(*settings.train_folds, settings.tune_fold)
        _write_others(read, taught, folder, encoder)
        scorer = Scorer(load_head(folder), encoder, LengthModel.load(folder))
        card = describe(read, scorer, settings, encoder_source)
        card = {"version": version, "format": FORMAT, "date": str(datetime.now(UTC).date()), **card}
        card["files"] = {path.name: file_digest(path) for path in sorted(folder.iterdir())}
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        (folder / CARD_FILE).write_text(text, encoding="utf-8")
        _replace(folder, out)
    return card


def learn(data: TrainingData, settings: Settings, encoder: Encoder, version: str) -> Head:
    """Return a head learnt from the training and tuning folds.

    It is calibrated as one that is learnt without the tuning fold is on that fold.
    """
    tuned = assemble(data, data.judged.fold(*settings.train_folds), settings, "tuning")
    tuned = calibrated(tuned, data, data.judged.fold(settings.tune_fold), encoder)
    taught = data.judged.fold(*settings.train_folds, settings.tune_fold)
    return replace(assemble(data, taught, settings, version), calibration=tuned.calibration)


def _write_others(data: TrainingData, taught: Rows, folder: Path, encoder: Encoder) -> None:
    """Write what stands beside the head: lengths, task classifier, and which prompts were seen."""
    write_seen(folder, map(prompt_key, data.judged.only(taught).prompts))
    taught = taught[data.set_of[taught] != PUBLIC]  # public scores have no lengths
    judged = data.judged.only(taught)
    known = np.isfinite(judged.scores)

    def encode(texts: Sequence[str]) -> Floats:
        return encoder.encode(texts)[:, SENTENCE]

    difficulty = 1 - np.where(known, judged.scores, 0).sum(axis=1) / known.sum(axis=1)
    train_length(
        LengthRows(
            models=judged.models,
            vectors=data.embeddings[taught, SENTENCE],
            features=data.features[taught],
            tokens=judged.tokens,
            difficulty=difficulty.astype(np.float32),
            sets=np.array(judged.datasets),
            tasks=np.array(data.tasks)[data.task_of[taught]],
            count_hidden=np.isin(judged.datasets, sets_marked("tokens", "counted")),
            typical=~np.isin(judged.datasets, sets_marked("answers", "instructed")),
            told=np.array([asked_tokens(prompt) is not None for prompt in judged.prompts]),
        ),
        assumed_rows(encode),
    ).save(folder)
    told = train_task_classifier(encode, folder)
    _log.info("task classifier: %s", "; ".join(told))


def _replace(folder: Path, out: Path) -> None:
    """Put `folder` where `out` is; what was there goes where `folder` was, to be deleted."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        shutil.move(out, folder.with_name("replaced"))
    shutil.move(folder, out)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the training named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of judged rows (*.jsonl, *.jsonl.gz)")
    parser.add_argument("--out", type=Path, default=PRETRAINED, help="artifact folder to write")
    parser.add_argument("--encoder", help="sentence-transformers folder or hub id")
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where a run is kept")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("rolecall").setLevel(logging.INFO)
    settings = replace(Settings(), seed=chosen.seed, epochs=chosen.epochs)
    try:
        source = chosen.encoder or packaged_encoder()
        card = train(chosen.data, chosen.out, settings, source, chosen.cache)
    except RegistryError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        return int(error.exit_code)
    sys.stdout.write(f"{card['version']}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
