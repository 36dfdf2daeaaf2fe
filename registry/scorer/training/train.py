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

from rolecall.registry.errors import RegistryError
from rolecall.registry.scorer.artifact import save_head
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED
from rolecall.registry.scorer.data import Judged, read_judged
from rolecall.registry.scorer.integrity import file_digest
from rolecall.registry.scorer.training.describe import describe
from rolecall.registry.scorer.training.export import (
    exported,
    load_torch_encoder,
    packaged_encoder,
    trainable,
)
from rolecall.registry.scorer.training.lesson import Lesson
from rolecall.registry.scorer.training.settings import Settings

_CACHE = Path(".training")
_log = logging.getLogger(__name__)


def train(
    data: Path, out: Path, settings: Settings, encoder_source: str, cache: Path
) -> dict[str, Any]:
    """Train, evaluate and write the artifact folder `out` in one step; return its card.

    What takes long, reading the prompts and tuning the encoder, is kept in `cache`: a run that was
    broken off goes on from there. `out` is replaced only when everything has succeeded. Raises
    `InvalidDocument` for a line that is no judged row and `ScorerUnusable` when no encoder is at
    hand.
    """
    judged = _lowered(read_judged([data])[0])
    _log.info("%d prompts, %d models", len(judged.prompts), len(judged.models))
    cache.mkdir(parents=True, exist_ok=True)
    source = load_torch_encoder(encoder_source)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        published, folder = Path(name) / "published", Path(name) / out.name
        lesson = Lesson(judged, settings, *exported(source, published, cache))

        # First without the tuning rows, which then say how sure to be of what was learnt.
        held_out = lesson.hold_out()
        members = lesson.train(lesson.rows)
        transformer = trainable(source)
        tuning = lesson.tuning(transformer, members, cache)
        tuning.run()
        lesson.see(*exported(source, folder, cache, transformer))
        settled = lesson.settle([members, tuning.network], held_out)

        # Then the members once more on all but the report rows, which the figures are taken on.
        rows = lesson.taught
        members = lesson.train(rows)
        scorer = lesson.scorer([members, tuning.network], rows, settled)
        save_head(scorer.head, folder)
        card = describe(lesson, scorer, held_out, data, (encoder_source, transformer))
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
    sys.stdout.write(json.dumps({"version": card["version"], **card["figures"]}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
