"""Train a version of the scorer on own data, and compare it with the one in use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.predictions import ModelFacts
from rolecall.registry.scorer.artifact import MODEL_FILE, TOKENIZER_FILE, Floats, save_head
from rolecall.registry.scorer.card import CARD_FILE, PRETRAINED, card
from rolecall.registry.scorer.data import Judged
from rolecall.registry.scorer.encode import SENTENCE
from rolecall.registry.scorer.integrity import check, file_digest
from rolecall.registry.scorer.predict import Scorer
from rolecall.registry.scorer.training.own_assemble import scorer_of
from rolecall.registry.scorer.training.own_describe import Told, describe
from rolecall.registry.scorer.training.own_lesson import OwnLesson, Read
from rolecall.registry.scorer.training.own_networks import Learned, Report, learn
from rolecall.registry.scorer.training.own_report import (
    INCUMBENT,
    NEW,
    Comparison,
    baselines,
    compare,
    predicted_by,
)
from rolecall.registry.scorer.training.own_settings import OwnSettings
from rolecall.registry.scorer.training.vectors import encode_all

NAME = "own"
READING = "reading prompts"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRun:
    """What to train on, from which scorer, and where to.

    `judged` are rows made ready by `prepare`, and `facts` are by their models. `base` is the
    folder to start from and `incumbent` that of the scorer in use. The version becomes a folder
    in `scorers`, where the prompts' views are kept too.
    """

    judged: Judged
    facts: Mapping[str, ModelFacts]
    files: tuple[str, ...]
    base: Path | None
    incumbent: Path | None
    scorers: Path
    settings: OwnSettings


@dataclass(frozen=True, slots=True)
class OwnVersion:
    """A version that was written, and how it compares; `was_interrupted` tells of Ctrl-C.

    One that `is_in_use` is the very version that it was compared with.
    """

    name: str
    card: dict[str, Any]
    comparison: Comparison
    is_in_use: bool
    was_interrupted: bool


def train_own(run: OwnRun, report: Report) -> OwnVersion:
    """Train, compare and write a version; whether it is used is not decided here.

    `report` is told of each stage how far it is. Ctrl-C while everything is trained ends that
    with the best so far. Raises ScorerUnusable for a base or incumbent that cannot be loaded.
    """
    base, incumbent = Scorer.load(run.base), Scorer.load(run.incumbent)
    judged, facts = run.judged, run.facts
    lesson = OwnLesson(judged, facts, base, run.settings, _reader(base, run.base, run, report))
    learned = learn(lesson, report)
    scorer = scorer_of(lesson, learned, _version(lesson, learned))

    train, rows = lesson.rows, lesson.split.report
    known = [facts[model] for model in judged.models]
    vectors = lesson.views[train, SENTENCE], lesson.views[rows, SENTENCE]
    views = lesson.views[rows]
    features = lesson.features[rows]
    theirs = views
    if _encoder_digest(run.incumbent) != _encoder_digest(run.base):
        read = _reader(incumbent, run.incumbent, run, report)
        theirs = read([judged.prompts[row] for row in rows.tolist()])
    predicted = {
        NEW: predicted_by(scorer, views, features, known),
        INCUMBENT: predicted_by(incumbent, theirs, features, known),
        **baselines(judged.only(train), judged.only(rows), vectors, run.settings.seed),
    }
    comparison = compare(judged.only(rows), predicted, run.settings.seed)
    told = Told(run.files, card(run.base), incumbent.version)
    content = describe(lesson, scorer, learned, (predicted, comparison), told)
    _write(run, scorer, content)
    return OwnVersion(
        name=scorer.version,
        card=content,
        comparison=comparison,
        is_in_use=scorer.version == incumbent.version,
        was_interrupted=learned.was_interrupted,
    )


def _write(run: OwnRun, scorer: Scorer, content: dict[str, Any]) -> None:
    """Write the version's folder in one step; a whole one of that name holds the same already."""
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=run.scorers))
    try:
        for name in (MODEL_FILE, TOKENIZER_FILE):
            _link(_folder(run.base) / name, made / name)
        save_head(scorer.head, made)
        content["files"] = {path.name: file_digest(path) for path in sorted(made.iterdir())}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (made / CARD_FILE).write_text(text, encoding="utf-8")
        target = run.scorers / scorer.version
        if not _is_whole(target):
            shutil.rmtree(target, ignore_errors=True)
            with suppress(FileExistsError):  # another run may just have put the same there
                made.rename(target)
    finally:
        if made.exists():
            shutil.rmtree(made)


def _version(lesson: OwnLesson, learned: Learned) -> str:
    """Return a name by the day and by all that decides what was trained."""
    digest = hashlib.sha256(lesson.base.version.encode())
    digest.update(repr((lesson.settings, lesson.roster.facts, learned.epochs)).encode())
    judged = lesson.judged
    digest.update(repr((judged.models, judged.prompts, judged.tasks, judged.groups)).encode())
    for table in (judged.folds, judged.scores, judged.tokens):
        digest.update(table.tobytes())
    return f"{NAME}-{datetime.now(UTC).date()}-{digest.hexdigest()[:8]}"


def _is_whole(folder: Path) -> bool:
    if not folder.exists():
        return False
    try:
        check(folder)
    except ScorerUnusable:
        return False
    return True


def _link(source: Path, target: Path) -> None:
    """Let two names share a file, or copy it where they cannot."""
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)


def _reader(scorer: Scorer, folder: Path | None, run: OwnRun, report: Report) -> Read:
    cache = run.scorers / f"views-{_encoder_digest(folder)[:16]}.npz"

    def read(prompts: Sequence[str]) -> Floats:
        return encode_all(
            scorer.encoder, prompts, cache, lambda done, total: report(READING, done, total)
        )

    return read


def _encoder_digest(folder: Path | None) -> str:
    return file_digest(_folder(folder) / MODEL_FILE)


def _folder(folder: Path | None) -> Path:
    return PRETRAINED if folder is None else folder
