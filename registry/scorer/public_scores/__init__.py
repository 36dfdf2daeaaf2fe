"""The shipped table of public benchmark scores, for `scorer show --model`, training and fitting.

Read only where asked for: never on the way of a request to its answer.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from rolecall.registry.scorer.variants import candidates

TABLE = "scores.csv.gz"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from; `who` is to be named with them."""

    repo: str
    commit: str
    licence: str
    who: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A column of the table.

    `kind` is the kind of work, `judged_set` the judged set that holds answers to the same exam,
    and `parts` says which rows of the source table make the column, the preferred first.
    """

    name: str
    kind: str
    judged_set: str | None
    parts: tuple[Mapping[str, str], ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the sources, the preferred first."""
        return tuple(dict.fromkeys(part["source"] for part in self.parts))


@dataclass(frozen=True, slots=True)
class PublicScore:
    """What a model variant is known to reach on a benchmark: 0 to 1, more is better.

    A `self_reported` score was published by the model's maker; such scores read high.
    """

    model: str
    benchmark: str
    score: float
    source: str
    self_reported: bool


@cache
def sources() -> Mapping[str, Source]:
    """Return all sources by the name that the table gives them."""
    return {name: Source(**plain) for name, plain in _content()["sources"].items()}


@cache
def benchmarks() -> Mapping[str, Benchmark]:
    """Return all benchmarks by their name."""
    return {
        name: Benchmark(name, plain["kind"], plain.get("judged_set"), tuple(plain["from"]))
        for name, plain in _content()["benchmarks"].items()
    }


@cache
def read_scores() -> tuple[PublicScore, ...]:
    """Return the whole table, by benchmark and model."""
    text = gzip.decompress(_file(TABLE)).decode("utf-8")
    return tuple(_score(row) for row in csv.DictReader(io.StringIO(text)))


def known_of(model: str, effort: str | int | None = None) -> tuple[PublicScore, ...]:
    """Return what is known of a model asked with an effort, each benchmark once.

    A benchmark that the variant itself was not tried on is answered by the nearest variant of
    the same model that was; `PublicScore.model` says which.
    """
    found: dict[str, PublicScore] = {}
    for name in candidates(model, effort):
        for score in _by_model().get(name, ()):
            found.setdefault(score.benchmark, score)
    return tuple(found[name] for name in benchmarks() if name in found)


def _score(row: Mapping[str, str]) -> PublicScore:
    score, told = float(row["score"]), row["self_reported"] == "1"
    return PublicScore(row["model"], row["benchmark"], score, row["source"], told)


@cache
def _by_model() -> Mapping[str, tuple[PublicScore, ...]]:
    found: dict[str, list[PublicScore]] = {}
    for score in read_scores():
        found.setdefault(score.model, []).append(score)
    return {model: tuple(scores) for model, scores in found.items()}


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(_file("benchmarks.yaml"), Loader=_LOADER)
    return content


def _file(name: str) -> bytes:
    return resources.files(__name__).joinpath(name).read_bytes()
