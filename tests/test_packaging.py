"""What is installed is what is in the tree."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_sub_package_is_listed_for_the_wheel() -> None:
    found = {
        "rolecall." + ".".join(init.parent.relative_to(ROOT).parts)
        for top in ("cli", "registry")
        for init in ROOT.glob(f"{top}/**/__init__.py")
    }
    assert found == set(PYPROJECT["tool"]["setuptools"]["packages"])


def test_every_data_file_is_listed_for_the_wheel() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    for top in ("cli", "registry"):
        for path in (ROOT / top).rglob("*"):
            name = str(path.relative_to(ROOT / top))
            is_draft = any(part.startswith(".") for part in path.relative_to(ROOT).parts)
            if path.is_file() and path.suffix not in (".py", ".pyc") and not is_draft:
                assert any(fnmatch(name, one) for one in patterns[f"rolecall.{top}"]), name


def test_the_shipped_scorer_fits_in_30_megabytes() -> None:
    artifact = ROOT / "registry" / "scorer" / "pretrained"
    assert 0 < sum(path.stat().st_size for path in artifact.iterdir()) <= 30_000_000


def test_every_dependency_is_pinned_for_make() -> None:
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / ".constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(name for extra in extras for name in extra)]
    for requirement in wanted:
        name = requirement.split("=")[0].split(">")[0].lower()
        assert name in pins, requirement
