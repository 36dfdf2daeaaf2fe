"""Build the shipped table of public scores: `python -m ….public_scores MODEL_SCORES.csv.gz`.

The source table has one row per model, benchmark and metric, in many spellings. Out of it come
one score of 0 to 1 per canonical model variant and benchmark of `benchmarks.yaml`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from rolecall.registry.scorer import public_scores
from rolecall.registry.scorer.public_scores import TABLE, benchmarks, sources
from rolecall.registry.scorer.variants import canonical

_FOLDER = Path(public_scores.__file__).parent
_SORTABLE = re.compile(r"\d{4}-")
_ROUNDS = 50
# Of the data sets that a mean of several stands for, a model must have this share.
_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One figure of the source table, on 0 to 1, under the canonical name of its model."""

    model: str
    source: str
    benchmark: str
    metric: str
    score: float
    date: str
    self_reported: bool


@dataclass(frozen=True, slots=True)
class TableCell:
    """One figure of the shipped table."""

    model: str
    benchmark: str
    score: float
    source: str
    self_reported: bool


def read_rows(path: Path) -> list[SourceRow]:
    """Return the usable rows of a source table: scaled, named, in a known source."""
    rules = _rules()
    names = {source.repo: name for name, source in sources().items()}
    rows = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for plain in csv.DictReader(file):
            source, score = names.get(plain["source_repo"]), _scaled(plain)
            if source is None or score is None or _left_out(plain, rules):
                continue
            row = SourceRow(
                model=_model(plain, source, rules),
                source=source,
                benchmark=plain["benchmark"],
                metric=plain["metric"],
                score=score,
                date=plain["date"] if _SORTABLE.match(plain["date"]) else "",
                self_reported=_like(plain["note"], rules["self_reported"]),
            )
            rows.append(row)
    return rows


def table(rows: Sequence[SourceRow]) -> list[TableCell]:
    """Return the cells of all benchmarks, by benchmark and model."""
    cells: list[TableCell] = []
    for name, benchmark in benchmarks().items():
        found: dict[str, TableCell] = {}
        for part in benchmark.parts:
            own = [row for row in rows if row.source == part["source"]]
            for cell in _cells(name, part, own):
                found.setdefault(cell.model, cell)
        cells += [found[model] for model in sorted(found)]
    return cells


def write(cells: Iterable[TableCell], path: Path) -> None:
    """Write the cells as the same bytes every time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("benchmark", "model", "score", "source", "self_reported"))
    for cell in cells:
        score = f"{cell.score:.3f}"
        writer.writerow((cell.benchmark, cell.model, score, cell.source, int(cell.self_reported)))
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def main(arguments: Sequence[str]) -> int:
    """Build `scores.csv.gz` from the table that the only argument names."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("error: no table of public scores; give MODEL_SCORES.csv.gz\n")
        return 2
    cells = table(read_rows(Path(arguments[0])))
    write(cells, _FOLDER / TABLE)
    models = len({cell.model for cell in cells})
    sys.stderr.write(f"{len(cells)} scores of {models} models, {len(benchmarks())} benchmarks\n")
    return 0


def _left_out(plain: Mapping[str, str], rules: Mapping[str, Any]) -> bool:
    unlike = rules["unlike"].get(plain["benchmark"], ())
    written = plain["model_as_written"]
    return written in unlike or _like(written, rules["left_out"])


def _model(plain: Mapping[str, str], source: str, rules: Mapping[str, Any]) -> str:
    if source in rules["effort_in_model"]:
        return canonical(plain["model"])
    written = re.sub(r" \((zero-shot, )?val\)$", "", plain["model_as_written"])
    thinks = any(
        source == one["source"]
        and _like(written, one["models"])
        and _like(plain["benchmark"], one["benchmarks"])
        for one in rules["thinks"]
    )
    return canonical(f"{written}#thinking" if thinks else written)


def _scaled(plain: Mapping[str, str]) -> float | None:
    """Return a score on 0 to 1; null where the scale is open or the figure lies outside it."""
    if not plain["scale_max"]:
        return None
    score = float(plain["score"])
    low, high = float(plain["scale_min"] or 0), float(plain["scale_max"])
    # Correlations of EuroEval may lie below 0, which is chance.
    share = (max(score, low) - low) / (high - low)
    return share if share <= 1 else None


def _cells(name: str, part: Mapping[str, str], rows: Sequence[SourceRow]) -> list[TableCell]:
    if "benchmark" not in part:
        means = _adjusted_means(_parts_of(part, rows))
        return [
            TableCell(model, name, score, part["source"], False) for model, score in means.items()
        ]
    found: dict[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        if (row.benchmark, row.metric) == (part["benchmark"], part["metric"]):
            found[row.model].append(row)
    return [_cell(name, model, own) for model, own in found.items()]


def _cell(name: str, model: str, rows: Sequence[SourceRow]) -> TableCell:
    """Return the mean of a model's best attested figures: independent, then the newest."""
    own = [row for row in rows if not row.self_reported] or list(rows)
    newest = max(row.date for row in own)
    scores = [row.score for row in own if row.date == newest]
    return TableCell(model, name, fmean(scores), own[0].source, own[0].self_reported)


def _parts_of(part: Mapping[str, str], rows: Sequence[SourceRow]) -> dict[str, dict[str, float]]:
    """Return model by model its mean scores in the data sets of a task or of some languages."""
    rules = _rules()
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        _, language, *rest = row.benchmark.split("/")
        task = _task_of(rest[0], rules["tasks"]) if rest else None
        if "task" in part:
            wanted = task == part["task"]
        else:
            wanted = task is not None and language in rules["languages"][part["languages"]]
        if wanted:
            found[row.model][row.benchmark].append(row.score)
    return {
        model: {dataset: fmean(scores) for dataset, scores in own.items()}
        for model, own in found.items()
    }


def _task_of(dataset: str, tasks: Mapping[str, Sequence[str]]) -> str:
    return next(task for task, names in tasks.items() if _like(dataset, names))


def _adjusted_means(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return each model's mean over all data sets, as if it had been asked all of them.

    A score is taken to be the sum of the model's level and the data set's, so that a model
    that was asked only the easy ones does not score too high.
    """
    count = len({dataset for own in scores.values() for dataset in own})
    known = {model: own for model, own in scores.items() if len(own) >= _SHARE * count}
    datasets = sorted({dataset for own in known.values() for dataset in own})
    shift = dict.fromkeys(datasets, 0.0)
    level: dict[str, float] = {}
    for _ in range(_ROUNDS if known else 0):
        level = {m: fmean(s - shift[d] for d, s in own.items()) for m, own in known.items()}
        raw = {
            d: fmean(own[d] - level[m] for m, own in known.items() if d in own) for d in datasets
        }
        middle = fmean(raw.values())
        shift = {d: each - middle for d, each in raw.items()}
    return {model: min(1.0, max(0.0, each)) for model, each in level.items()}


def _like(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


@cache
def _rules() -> dict[str, Any]:
    text = Path(__file__).with_name("public_scores.yaml").read_text(encoding="utf-8")
    rules: dict[str, Any] = yaml.safe_load(text)
    return rules


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
