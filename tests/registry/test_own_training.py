"""Training on own data as a use-case: what is refused, promoted, kept and said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.errors import ExitCode, RegistryUnusable, ScorerUnusable, UnknownRecord
from rolecall.registry.own_training import (
    Interrupted,
    Trained,
    TrainExtraMissing,
    Wanted,
    train_version,
)
from rolecall.registry.scorer.own_rows import TooLittle
from rolecall.registry.versions import name_in_use, scorers_folder
from tests.scorer.own_world import own_rows, quicken, ship_tiny, write_rows

pytest.importorskip("torch", reason="the train extra is not installed")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry's path, with the tiny scorer shipped and quick settings."""
    ship_tiny(monkeypatch, tmp_path / "shipped")
    quicken(monkeypatch)
    return tmp_path / "registry.db"


def nothing(_stage: str, _done: int, _total: int) -> None:
    pass


def trained(registry: Path, rows: list[dict[str, Any]], **changes: Any) -> Trained:
    path = write_rows(registry.with_name("own.jsonl"), rows)
    return train_version(registry, Wanted(files=(path,), **changes), nothing)


def no_better(count: int = 200) -> list[dict[str, Any]]:
    """Return rows in which the base's models do just as their numbers say: by a coin."""
    return [
        {"prompt": f"other {n}", "scores": {"trained-5": n % 2, "trained-6": (n // 2) % 2}}
        for n in range(count)
    ]


def test_a_better_version_is_promoted_and_says_by_how_much(registry: Path) -> None:
    done = trained(registry, own_rows(160))
    assert (done.is_promoted, done.in_use) == (True, True)
    assert name_in_use(registry) == done.name
    assert done.verdict.startswith(f"promoted: {done.name} is better (Brier −0.")
    assert done.verdict.endswith(" against tiny-1)")
    plain = done.to_dict()
    assert plain["comparison"]["is_better"] is True
    assert plain["read"] == 160


def test_one_that_is_not_better_is_written_and_the_old_one_kept(registry: Path) -> None:
    done = trained(registry, no_better())
    assert (done.is_promoted, done.in_use) == (False, False)
    assert name_in_use(registry) == "pretrained"
    assert (scorers_folder(registry) / done.name / "card.json").exists()
    assert done.verdict.startswith("kept tiny-1: the new one is not better beyond chance (Brier ")


def test_force_promotes_it_all_the_same_and_says_why_it_was_not(registry: Path) -> None:
    done = trained(registry, no_better(), force=True)
    assert (done.is_promoted, name_in_use(registry)) == (True, done.name)
    assert done.verdict.startswith("promoted by --force: the new one is not better beyond chance")


def test_the_same_rows_again_change_nothing(registry: Path) -> None:
    first = trained(registry, own_rows(100))
    again = trained(registry, own_rows(100), force=True)
    assert again.name == first.name
    assert (again.is_promoted, again.in_use) == (False, True)
    assert again.verdict == f"{first.name} is in use already: the same rows make no other"


def test_a_version_can_be_the_base_of_another(registry: Path) -> None:
    first = trained(registry, own_rows(100))
    other = trained(registry, own_rows(160, seed=2), base=first.name)
    assert other.card["base"] == first.name == other.card["comparison"]["incumbent"]
    with pytest.raises(UnknownRecord) as caught:
        trained(registry, own_rows(100), base="own-0")
    assert caught.value.message == 'no scorer is named "own-0"'


def test_of_more_prompts_a_part_is_taken_and_both_are_counted(registry: Path) -> None:
    done = trained(registry, own_rows(200), most=120)
    assert done.read == 200
    assert sum(done.to_dict()["split"]["prompts"].values()) == 120


def test_bad_lines_are_left_out_on_demand_and_named(registry: Path) -> None:
    rows = [*own_rows(100), {"prompt": "no scores"}]
    done = trained(registry, rows, skip_bad=True)
    assert done.left_out is not None
    assert "own.jsonl:101: no scores" in done.left_out


def test_too_few_rows_are_refused_before_anything_is_written(registry: Path) -> None:
    with pytest.raises(TooLittle):
        trained(registry, own_rows(59))
    assert not scorers_folder(registry).exists()


def test_without_the_extra_one_line_says_what_to_install(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("rolecall.registry.scorer.training"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TrainExtraMissing) as caught:
        trained(registry, own_rows(100))
    assert caught.value.message == "training needs torch, which is not installed"
    assert caught.value.hint == 'pip install "rolecall[train]"'
    assert caught.value.exit_code == ExitCode.OTHER


def test_ctrl_c_before_there_is_a_version_exits_130(registry: Path) -> None:
    path = write_rows(registry.with_name("own.jsonl"), own_rows(100))

    def interrupt(_stage: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train_version(registry, Wanted(files=(path,)), interrupt)
    assert caught.value.exit_code == ExitCode.INTERRUPTED
    assert name_in_use(registry) == "pretrained"


def test_a_damaged_version_in_use_is_named_before_training(registry: Path) -> None:
    first = trained(registry, own_rows(100))
    (scorers_folder(registry) / first.name / "head.json").unlink()
    with pytest.raises(ScorerUnusable) as caught:
        trained(registry, own_rows(120))
    assert caught.value.hint == "rolecall scorer use pretrained"


def test_a_folder_that_cannot_be_made_is_named(registry: Path) -> None:
    scorers_folder(registry).write_text("in the way")
    with pytest.raises(RegistryUnusable) as caught:
        trained(registry, own_rows(100))
    assert str(scorers_folder(registry)) in caught.value.message
