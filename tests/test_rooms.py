"""The arrows between the rooms, and what each room alone may import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("cli/**/*.py"), *ROOT.glob("registry/**/*.py")])
GROUND = ("records", "chat", "effort", "evidence", "errors", "judged_rows", "predictions")
MIDDLE_ROOMS = ("scorer", "routing", "transport", "storage")
# Pure statistics, which training needs as well: they import no other room.
STATISTICS = tuple(f"rolecall.registry.evaluation.{name}" for name in ("bootstrap", "metrics"))
ONLY_IN = {
    "sqlite3": ("registry/storage/",),
    "sqlite_utils": ("registry/storage/",),
    "numpy": ("registry/scorer/", "registry/evaluation/"),
    "onnxruntime": ("registry/scorer/",),
    "matplotlib": ("cli/plotting.py", "cli/plot_labels.py"),
    "tokenizers": ("registry/scorer/",),
    "torch": ("registry/scorer/training/",),
    "sklearn": ("registry/scorer/training/",),
    "scipy": ("registry/scorer/training/",),
    "sentence_transformers": ("registry/scorer/training/",),
    "onnx": ("registry/scorer/training/",),
    "httpx": ("registry/transport/",),
    "rich": ("cli/",),
    "typer": ("cli/",),
    "click": (),
}


def imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        yield from imported(node)


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def room(module: str) -> str:
    """Name the room of a module: cli, a middle room, ground (records, errors) or use-case."""
    parts = module.split(".")[1:]
    if module in STATISTICS:
        return "ground"
    if parts[0] == "cli":
        return "cli"
    if len(parts) > 1 and parts[1] in MIDDLE_ROOMS:
        return parts[1]
    return "ground" if parts[-1] in GROUND else "use-case"


def module_of(source: Path) -> str:
    return "rolecall." + ".".join(source.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows_between_rooms(source: Path) -> None:
    here = room(module_of(source))
    for module in imports(source):
        if not module.startswith("rolecall."):
            continue
        there = room(module)
        allowed = {
            "cli": {"cli", "use-case", "ground"},
            "use-case": {"use-case", "ground", *MIDDLE_ROOMS},
            "ground": {"ground"},
        }.get(here, {here, "ground"})
        assert there in allowed, f"{here} imports {module}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_heavy_package_stays_in_its_room(source: Path) -> None:
    place = str(source.relative_to(ROOT))
    for module in imports(source):
        rooms = ONLY_IN.get(module.split(".")[0])
        assert rooms is None or place.startswith(rooms or ("nowhere",)), module


def test_nothing_else_imports_training() -> None:
    for source in SOURCES:
        if "training" not in source.parts:
            assert not any("scorer.training" in module for module in imports(source)), source


def test_files_stay_under_400_lines() -> None:
    for source in [*SOURCES, *ROOT.glob("tests/**/*.py")]:
        assert len(source.read_text().splitlines()) < 400, source
