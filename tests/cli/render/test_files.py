"""Files that people name are written whole or not at all, and nothing beside them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.cli.render.files import FileNotWritable, write_pieces, write_text
from tests.conftest import Rolecall


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def breaking(error: BaseException) -> Iterator[str]:
    yield "half"
    raise error


@pytest.mark.parametrize("error", [OSError(28, "no space"), KeyboardInterrupt(), ValueError()])
def test_what_breaks_off_leaves_the_old_file_and_nothing_else(
    error: BaseException, tmp_path: Path
) -> None:
    path = tmp_path / "out.yaml"
    path.write_text("old")
    before = names_in(tmp_path)
    with pytest.raises((FileNotWritable, KeyboardInterrupt, ValueError)):
        write_pieces(path, breaking(error))
    assert (path.read_text(), names_in(tmp_path)) == ("old", before)


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    write_text(link, "newer")
    assert (link.is_symlink(), real.read_text()) == (True, "newer")


def test_a_name_that_another_put_a_link_under_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".out.yaml.partial").symlink_to(victim)
    write_text(tmp_path / "out.yaml", "new")
    assert victim.read_text() == "mine"


def test_a_written_file_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    path = tmp_path / "out.yaml"
    before = os.umask(0o027)
    try:
        write_text(path, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_text(path, "newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_name_as_long_as_the_system_takes_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_text(path, "new")
    assert path.read_text() == "new"


def test_a_device_is_written_to(tmp_path: Path) -> None:
    write_text(Path(os.devnull), "new")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    with (tmp_path / "out").open("wb") as file:
        write_text(Path(f"/dev/fd/{file.fileno()}"), "new")
    assert (tmp_path / "out").read_text() == "new"


@pytest.mark.parametrize(
    "words",
    [
        ("registry", "export", "-o"),
        ("telemetry", "export", "-o"),
        ("telemetry", "export", "--format", "csv", "-o"),
    ],
)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "is a directory"),
        ("..", "is a directory"),
        ("no/out", "no such file or directory"),
        ("file/out", "not a directory"),
        ("x" * 300, "file name too long"),
        ("x/" * 3000, "file name too long"),
        ("", "is a directory"),
        ("loop", "too many levels of symbolic links"),
    ],
)
def test_where_nothing_can_be_written_is_one_line(
    words: tuple[str, ...],
    name: str,
    reason: str,
    rolecall: Rolecall,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    ran = rolecall(*words, name)
    assert (ran.exit_code, ran.stdout) == (1, "")
    [line] = ran.stderr.splitlines()
    assert line.startswith("error: cannot write ")
    assert line.endswith(f": {reason}")


@pytest.mark.parametrize("name", [".", "no/out", "x" * 300, "/dev/null"])
def test_a_backup_that_cannot_be_written_is_one_line(
    name: str, rolecall: Rolecall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rolecall("roles", "list")
    before = names_in(tmp_path)
    ran = rolecall("registry", "backup", name)
    assert (ran.exit_code in (1, 2), ran.stdout) == (True, "")
    assert ran.stderr.startswith("error: ")
    assert names_in(tmp_path) == before
