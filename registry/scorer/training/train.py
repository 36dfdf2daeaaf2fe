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
from pathlib import Path
from typing import Any

from torch import nn

from rolecall.registry.errors import RegistryError
from rolecall.registry.scorer.artifact import MODEL_FILE, save_head
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED
from rolecall.registry.scorer.encode import Encoder
from rolecall.registry.scorer.integrity import file_digest
from rolecall.registry.scorer.judged import Judged, read_judged
from rolecall.registry.scorer.training.branch import Trunk
from rolecall.registry.scorer.training.describe import describe
from rolecall.registry.scorer.training.export import (
    export_encoder,
    load_torch_encoder,
    packaged_encoder,
    transformer_of,
)
from rolecall.registry.scorer.training.lesson import NAME, Lesson
from rolecall.registry.scorer.training.settings import Settings
from rolecall.registry.scorer.training.tune import Tuning

_CACHE = Path(".training")
_log = logging.getLogger(__name__)


def train(
    data: Path, out: Path, settings: Settings, encoder_source: str, cache: Path
) -> dict[str, Any]:
    """Train, evaluate and write the artifact folder `out` in one step; return its card.

    What takes long is kept in `cache`, from where a run that was broken off goes on. `out` is
    replaced only when everything has succeeded. Raises `InvalidDocument` for a line that is no
    judged row and `ScorerUnusable` when no encoder is at hand.
    """
    judged = _lowered(read_judged([data])[0])
    _log.info("%d prompts, %d models", len(judged.prompts), len(judged.models))
    cache.mkdir(parents=True, exist_ok=True)
    encoder = load_torch_encoder(encoder_source)
    trunk = Trunk(transformer_of(encoder), settings.tuned_layers)

    def export(branch: nn.ModuleList, folder: Path) -> tuple[Encoder, Path]:
        folder.mkdir(exist_ok=True)
        export_encoder(encoder, trunk, branch, folder)
        kept = cache / f"views-{file_digest(folder / MODEL_FILE)[:16]}.npz"
        return Encoder(folder, NAME), kept

    with tempfile.TemporaryDirectory(dir=cache) as name:
        # First with the encoder as it was published: the frozen members, and what they teach.
        lesson = Lesson(judged, settings, *export(trunk.copy_of_upper(), Path(name) / "frozen"))
        frozen = lesson.train_frozen()
        held_out = lesson.hold_out()

        # Then the upper layers, and the members that read them.
        checkpoint = cache / f"{lesson.version.rpartition('-')[2]}.pt"
        tuning = Tuning(settings, lesson.texts(), lesson.cast, trunk, checkpoint)
        branch, tuned = tuning.run(frozen)
        folder = Path(name) / out.name
        lesson.see(*export(branch, folder))

        # Then what joins them, on the tuning fold; and the figures, on the report fold.
        scorer = lesson.scorer(frozen, tuned, held_out)
        save_head(scorer.head, folder)
        card = describe(lesson, scorer, held_out, data, (encoder_source, trunk, branch))
        card["files"] = {path.name: file_digest(path) for path in sorted(folder.iterdir())}
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        (folder / CARD_FILE).write_text(text, encoding="utf-8")
        _replace(folder, out)
    return card


def _lowered(judged: Judged) -> Judged:
    """Return the rows with model names in lower case, as the scorer looks them up."""
    return replace(judged, models=tuple(model.lower() for model in judged.models))


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
    parser.add_argument("--epochs", type=int, default=Settings().tuned_epochs)
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where a run is kept")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("rolecall").setLevel(logging.INFO)
    settings = replace(Settings(), seed=chosen.seed, tuned_epochs=chosen.epochs)
    try:
        source = chosen.encoder or packaged_encoder()
        card = train(chosen.data, chosen.out, settings, source, chosen.cache)
    except RegistryError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        return int(error.exit_code)
    sys.stdout.write(json.dumps({"version": card["version"], **card["figures"]}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
