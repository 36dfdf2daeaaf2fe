"""The rooms of the code, the arrows between them, and what each room alone may import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("cli/**/*.py"), *ROOT.glob("registry/**/*.py")])
# Each room, and the rooms that it may import besides itself. The order is that of the arrows: a
# room stands below every room that it may import.
ROOMS: dict[str, str] = {
    "core": "",
    "storage": "core",
    "scorer": "core",
    "scorer/training": "core scorer",
    "providers": "core",
    "chat": "core",
    "documents": "core",
    "catalog": "core documents",
    "policy": "core storage",
    "editing": "core storage documents catalog policy",
    "telemetry": "core storage policy editing",
    "learning": "core storage scorer catalog editing",
    "routing/rules": "core policy",
    "routing": "core storage scorer providers catalog policy editing telemetry learning"
    " routing/rules",
    "calls": "core storage providers chat policy editing telemetry learning routing/rules routing",
    "evaluation": "core storage scorer documents catalog policy editing learning routing/rules"
    " routing",
}
ONLY_IN = {
    "sqlite3": ("registry/storage/",),
    "sqlite_utils": ("registry/storage/",),
    "numpy": ("registry/scorer/", "registry/evaluation/"),
    "onnxruntime": ("registry/scorer/",),
    "tokenizers": ("registry/scorer/",),
    "torch": ("registry/scorer/training/",),
    "sklearn": ("registry/scorer/training/",),
    "scipy": ("registry/scorer/training/",),
    "sentence_transformers": ("registry/scorer/training/",),
    "onnx": ("registry/scorer/training/",),
    "httpx": ("registry/providers/",),
    "matplotlib": ("cli/",),
    "rich": ("cli/",),
    "typer": ("cli/",),
    "click": (),
}


def imports(source: Path, *, for_types: bool = True) -> Iterator[str]:
    """Yield what a file imports, anywhere in it; unless wanted, not what only its types name."""
    for node in nodes(ast.parse(source.read_text()), for_types=for_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def nodes(tree: ast.AST, *, for_types: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        is_typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if for_types or not is_typing:
            yield node
            yield from nodes(node, for_types=for_types)


def room(path: str) -> str | None:
    """Name the room of `registry/…` or `cli/…`; the innermost one that holds it, if any does."""
    if path.startswith("cli/"):
        return "cli"
    inside = path.removeprefix("registry/")
    holding = [name for name in ROOMS if inside.startswith(f"{name}/")]
    return max(holding, key=len, default=None)


def module_of(source: Path) -> str:
    return "rolecall." + ".".join(source.relative_to(ROOT).with_suffix("").parts)


def room_of_import(module: str) -> str | None:
    return room(module.removeprefix("rolecall.").replace(".", "/") + "/")


def test_no_arrow_runs_back_up() -> None:
    names = list(ROOMS)
    for name, below in ROOMS.items():
        assert all(names.index(one) < names.index(name) for one in below.split()), name


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows_between_rooms(source: Path) -> None:
    here = room(str(source.relative_to(ROOT)))
    if here in (None, "cli"):
        return
    assert here is not None
    for module in imports(source):
        if module.startswith("rolecall."):
            there = room_of_import(module)
            assert there != "cli", f"{here} imports {module}"
            assert there in {None, here, *ROOMS[here].split()}, f"{here} imports {module}"


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {module_of(source): source for source in SOURCES}
    graph = {
        name: {one for one in imports(source, for_types=False) if one in files and one != name}
        for name, source in files.items()
    }
    TopologicalSorter(graph).prepare()


def test_every_file_has_a_room() -> None:
    homeless = [one for one in SOURCES if room(str(one.relative_to(ROOT))) is None]
    assert [str(one.relative_to(ROOT)) for one in homeless] == ["registry/__init__.py"]


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
