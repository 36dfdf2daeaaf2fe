"""Train a version of the scorer on one's own judged rows, and use it if it is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolecall.registry.errors import ExitCode, RegistryError, RegistryUnusable
from rolecall.registry.facts import facts_of
from rolecall.registry.known import read_known
from rolecall.registry.known_facts import known_facts
from rolecall.registry.paths import registry_path
from rolecall.registry.scorer.data import Judged, read_judged, spelled_out
from rolecall.registry.scorer.data_lines import judged_files, shown
from rolecall.registry.scorer.own_rows import prepare
from rolecall.registry.using import known_folder, point_to
from rolecall.registry.versions import PRETRAINED, folder_in_use, scorers_folder

if TYPE_CHECKING:
    from rolecall.registry.scorer.proof.proof import Interval
    from rolecall.registry.scorer.training.own import OwnVersion

Report = Callable[[str, int, int], None]


class TrainExtraMissing(RegistryError):
    """What training needs is not installed."""


class Interrupted(RegistryError):
    """Stopped by the person before there was anything to keep."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to train on, and from which version; `most` prompts at most serve."""

    files: tuple[Path, ...]
    base: str = PRETRAINED
    most: int = 50_000
    seed: int = 7
    skip_bad: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """A new version and what became of it.

    `read` counts the prompts in the files, of which the card may name fewer; `left_out` spells
    out bad lines. `verdict` says in words why the new version is used or not.
    """

    name: str
    card: dict[str, Any]
    read: int
    left_out: str | None
    is_promoted: bool
    in_use: bool
    was_interrupted: bool
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "version": self.name,
            "promoted": self.is_promoted,
            "in_use": self.in_use,
            "verdict": self.verdict,
            "interrupted": self.was_interrupted,
            "read": self.read,
            "left_out": self.left_out,
            **{name: self.card[name] for name in _TOLD},
        }


_TOLD = ("base", "data", "split", "training", "comparison")


def train_version(given: Path | None, wanted: Wanted, report: Report) -> Trained:
    """Train on judged files, compare, write the version, and put it in use if it is better.

    `report` is told of each stage how far it is. Ctrl-C while everything is trained keeps the
    best so far; before that it raises Interrupted. Raises InvalidDocument for bad rows, TooLittle
    for too few, UnknownRecord for a base that is not there, TrainExtraMissing, ScorerUnusable and
    RegistryUnusable.
    """
    registry = registry_path(given)
    known_folder(registry, wanted.base)
    try:
        every, bad = read_judged(wanted.files, skip_bad=wanted.skip_bad)
        judged = prepare(every, wanted.most, wanted.seed)
        version = _train(given, wanted, judged, report)
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted before there was a version to keep",
            hint="the same command goes on from the prompts that were read",
        ) from error
    is_better = wanted.force or version.comparison.is_better
    is_promoted = is_better and not version.is_in_use
    if is_promoted:
        point_to(registry, version.name)
    return Trained(
        name=version.name,
        card=version.card,
        read=len(every.prompts),
        left_out=spelled_out(bad) if bad else None,
        is_promoted=is_promoted,
        in_use=is_promoted or version.is_in_use,
        was_interrupted=version.was_interrupted,
        verdict=_verdict(version, is_forced=wanted.force),
    )


def _train(given: Path | None, wanted: Wanted, judged: Judged, report: Report) -> OwnVersion:
    try:
        # Costs seconds, and is there only with the extra.
        from rolecall.registry.scorer.training.own import OwnRun, train_own
        from rolecall.registry.scorer.training.own_settings import OwnSettings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rolecall"):
            raise
        raise TrainExtraMissing(
            f"training needs {error.name}, which is not installed",
            hint='pip install "rolecall[train]"',
        ) from error
    registry = registry_path(given)
    run = OwnRun(
        judged=judged,
        facts=known_facts(judged.models, facts_of(read_known(given).pool)),
        files=tuple(shown(Path(path.name)) for path in judged_files(wanted.files)),
        base=known_folder(registry, wanted.base),
        incumbent=folder_in_use(registry),
        scorers=_made(scorers_folder(registry)),
        settings=OwnSettings(seed=wanted.seed, prompts=wanted.most),
    )
    return train_own(run, report)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "it is not a folder").lower()
        raise RegistryUnusable(f"cannot write in {folder}: {reason}") from error
    return folder


def _verdict(version: OwnVersion, *, is_forced: bool) -> str:
    found = version.comparison
    incumbent = version.card["comparison"]["incumbent"]
    if version.is_in_use:
        return f"{version.name} is in use already: the same rows make no other"
    against = f"Brier {_shown(found.over_incumbent)} against {incumbent}"
    if found.is_better:
        return f"promoted: {version.name} is better ({against})"
    if found.over_task_means.low > 0 and found.over_incumbent.high < 0:
        worse = f"worse than the mean of each task (Brier {_shown(found.over_task_means)})"
        why = f"the new one is better ({against}), but {worse}"
    else:
        why = f"the new one is not better beyond chance ({against})"
    return f"promoted by --force: {why}" if is_forced else f"kept {incumbent}: {why}"


def _shown(gap: Interval) -> str:
    return f"{gap.mean:+.4f}, {gap.low:+.4f} … {gap.high:+.4f}".replace("-", "−")
