"""What the scorer makes of the user's rows: fits, and scorers that have not seen a row."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from time import perf_counter

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.catalog.lookup import known_facts
from rolecall.registry.core.entities import Registry
from rolecall.registry.core.formatting import seconds
from rolecall.registry.core.judged_rows import JudgedRow
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.core.reporting import ReportProgress, Tell, say_nothing
from rolecall.registry.learning.rows import counts
from rolecall.registry.scorer.artifact import prompt_key
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.onboarding import (
    Answers,
    Fits,
    answers_of,
    cross_fits,
    fit_models,
    part_numbers,
    parts_of,
)
from rolecall.registry.scorer.packing import pack_fits, pack_reading, unpack_reading
from rolecall.registry.scorer.variants import canonical
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.judged_rows import (
    read_judged_rows,
    read_readings,
    uses_fits,
    write_fits,
    write_readings,
)
from rolecall.registry.storage.registry import read_registry

_LONG_S = 1.0


@dataclass(frozen=True, slots=True)
class CrossFits:
    """Scorers that have not learned from a group: fits are made anew without its part."""

    whole: Scorer
    parts: tuple[Scorer, ...]
    part_of: dict[str, int]

    def without(self, prompt: str, group: str | None = None) -> Scorer:
        """Return the scorer to predict a prompt by; for one never learned from, the whole."""
        part = self._part(prompt, group)
        return self.whole if part is None else self.parts[part]

    def has_seen(self, prompt: str, group: str | None = None) -> bool:
        """Return whether the fits learned from this prompt or its group."""
        return self._part(prompt, group) is not None

    def _part(self, prompt: str, group: str | None) -> int | None:
        own = self.part_of.get(f"{prompt_key(prompt):016x}")
        return self.part_of.get(group or "") if own is None else own


def derive_fits(db: Database, scorer: Scorer, tell: Tell = say_nothing) -> Fits:
    """Fit the models of the active rows and keep the fits; `tell` so if it takes over a second."""
    started = perf_counter()
    rows = read_judged_rows(db)
    fits = fit_models(scorer, read_answers(db, scorer, rows))
    with db.dispensable():
        write_fits(db, scorer.version, pack_fits(fits))
    took = perf_counter() - started
    if took > _LONG_S:
        tell(f"fitted {len(fits.by_model)} models to {len(rows):,} judged rows in {seconds(took)}")
    return fits


def read_answers(
    db: Database, scorer: Scorer, rows: Sequence[JudgedRow], report: ReportProgress | None = None
) -> Answers:
    """Return the rows as the scorer reads them; each prompt is read once by a scorer version."""
    kept = read_readings(db, scorer.version)
    new = [row for row in rows if row.id not in kept]
    readings = read_prompts(scorer, [row.prompt for row in new], report)
    packed = {row.id: pack_reading(one) for row, one in zip(new, readings, strict=True)}
    if packed:
        with db.dispensable():
            write_readings(db, scorer.version, packed)
    kept |= packed
    return answers_of(
        scorer,
        rows,
        # What was just read is taken as it will be read back, so that fits are the same again.
        [unpack_reading(kept[row.id], row.prompt) for row in rows],
        facts_by_name(tuple(counts(rows)), read_registry(db)),
    )


def read_prompts(
    scorer: Scorer, prompts: Sequence[str], report: ReportProgress | None = None
) -> list[Reading]:
    """Read prompts, several at once; `report` is told how many of how many are read."""
    readings: list[Reading] = []
    with ThreadPoolExecutor(cpu_count()) as threads:  # the encoder lets other threads run
        for reading in threads.map(scorer.read, prompts):
            readings.append(reading)
            if report is not None:
                report(len(readings), len(prompts))
    return readings


def facts_by_name(models: Sequence[str], registry: Registry) -> dict[str, ModelFacts]:
    """Return the facts of models by canonical name: the registry's, else what is known of them."""
    registered = facts_of(registry)
    by_name = {canonical(model): facts for model, facts in registered.items()}
    others = known_facts([model for model in models if model not in by_name], registered)
    return {model: replace(by_name.get(model) or others[model], model=model) for model in models}


def cross_fitted(db: Database, scorer: Scorer) -> CrossFits:
    """Return scorers for rows that a registry's fits have seen, in five parts by group.

    `scorer` is the one in use, with the fits. Without fits in use there is no part.
    """
    if scorer.fits is None or not uses_fits(db):
        return CrossFits(scorer, (), {})
    rows = read_judged_rows(db)
    answers = read_answers(db, scorer, rows)
    part_of = parts_of(answers.groups)
    parts = cross_fits(scorer, answers, part_numbers(answers.groups, part_of))
    places = part_of | {row.id: part_of[row.group or row.id] for row in rows}
    return CrossFits(scorer, tuple(scorer.with_fits(fits) for fits in parts), places)
