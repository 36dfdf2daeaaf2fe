"""The rooms of the code, the arrows between them, and what each room alone may import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("cli/**/*.py"), *ROOT.glob("registry/**/*.py")])
# Each room, and the rooms that it may import besides itself. The order is that of the arrows: a
# room stands below every room that it may import. `cli` alone is the tree of commands.
ROOMS: dict[str, str] = {
    "registry/core": "",
    "registry/storage": "core",
    "registry/scorer": "core",
    "registry/scorer/training": "core scorer",
    "registry/providers": "core",
    "registry/chat": "core",
    "registry/documents": "core",
    "registry/catalog": "core documents",
    "registry/policy": "core storage",
    "registry/editing": "core storage documents catalog policy",
    "registry/telemetry": "core storage policy editing",
    "registry/learning": "core storage scorer catalog editing",
    "registry/routing/rules": "core policy",
    "registry/routing": "core storage scorer providers catalog policy editing telemetry learning"
    " routing/rules",
    "registry/calls": "core storage providers chat policy editing telemetry learning"
    " routing/rules routing",
    "registry/evaluation": "core storage scorer documents catalog policy editing learning"
    " routing/rules routing",
    "cli/render": "*",
    "cli/input": "* render",
    "cli/completion": "*",
    "cli/options": "* input completion",
    "cli": "* render completion options",
    "cli/commands": "* render input completion options .",
}
# What `cli` may import of the registry: use-cases and records, never what they are made of.
USE_CASES = (
    *("core", "chat", "documents", "catalog", "policy", "editing", "telemetry", "learning"),
    *("routing", "routing/rules", "calls", "evaluation"),
)
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
    "matplotlib": ("cli/render/plot.py", "cli/render/plot_labels.py"),
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
    return max((name for name in ROOMS if path.startswith(f"{name}/")), key=len, default=None)


def allowed(name: str) -> set[str]:
    """Return the rooms that a room may import, itself included."""
    home, _, _ = name.partition("/")
    found = {name}
    for word in ROOMS[name].split():
        if word == "*":
            found |= {f"registry/{one}" for one in USE_CASES}
        else:
            found.add(home if word == "." else f"{home}/{word}")
    return found


def module_of(source: Path) -> str:
    return "rolecall." + ".".join(source.relative_to(ROOT).with_suffix("").parts)


def test_no_arrow_runs_back_up() -> None:
    names = list(ROOMS)
    for name in names:
        assert allowed(name) <= set(names[: names.index(name) + 1]), name


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows_between_rooms(source: Path) -> None:
    here = room(str(source.relative_to(ROOT)))
    for module in imports(source):
        if here is not None and module.startswith("rolecall."):
            there = room(module.removeprefix("rolecall.").replace(".", "/") + "/")
            assert there is None or there in allowed(here), f"{here} imports {module}"


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {module_of(source): source for source in SOURCES}
    graph = {
        name: {one for one in imports(source, for_types=False) if one in files and one != name}
        for name, source in files.items()
    }
    TopologicalSorter(graph).prepare()


def test_every_file_has_a_room() -> None:
    places = [one.relative_to(ROOT) for one in SOURCES]
    assert [str(one) for one in places if room(str(one)) is None] == ["registry/__init__.py"]
    own = {one.stem for one in places if str(one.parent) == "cli"}
    assert own == {"__init__", "errors", "main", "signals", "tree"}


def test_the_page_of_the_rooms_names_every_room_and_only_files_that_exist() -> None:
    page = (ROOT / "registry" / "README.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([a-z/]+)` \|", page, re.MULTILINE)
    assert [f"registry/{one}" for one in rooms] == [one for one in ROOMS if "registry/" in one]
    named = re.findall(r"`([a-z_/]+\.py)`", page)
    files = [str(source) for source in (*SOURCES, Path(__file__))]
    missing = [one for one in named if not any(file.endswith(f"/{one}") for file in files)]
    assert (len(named) > 20, missing) == (True, [])


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
