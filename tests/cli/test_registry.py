"""The whole registry as one file: path, export, apply, check, backup."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Rolecall

CHANGE = """\
roles:
  - id: coder
    description: writes code
    strategy: quality
strategies:
  - {id: frugal, quality_usd: 0.001}
"""


def test_the_path_is_the_one_in_use(rolecall: Rolecall, tmp_path: Path, own_home: Path) -> None:
    assert rolecall("registry", "path").stdout == f"{tmp_path}/registry.db\n"
    assert rolecall("registry", "path", "--registry", "x.db").stdout == "x.db\n"
    usual = rolecall("registry", "path", "--json", env={"ROLECALL_REGISTRY": ""})
    answer = json.loads(usual.stdout)
    assert answer["path"].startswith(str(own_home))
    assert answer["exists"] is False


def test_asking_for_the_path_makes_no_registry(rolecall: Rolecall, tmp_path: Path) -> None:
    rolecall("registry", "path")
    assert not (tmp_path / "registry.db").exists()


def test_an_export_applied_again_changes_nothing(rolecall: Rolecall, tmp_path: Path) -> None:
    exported = rolecall("registry", "export", "-o", tmp_path / "a.yaml")
    assert (exported.exit_code, exported.stdout) == (0, "")
    assert exported.stderr == f"wrote {tmp_path}/a.yaml\n"
    applied = rolecall("registry", "apply", tmp_path / "a.yaml")
    assert (applied.exit_code, applied.stdout, applied.stderr) == (0, "no change\n", "")


def test_an_export_makes_the_same_registry_elsewhere(rolecall: Rolecall, tmp_path: Path) -> None:
    rolecall("roles", "remove", "writer")
    text = rolecall("registry", "export").stdout
    other = ("--registry", tmp_path / "other.db")
    assert rolecall("registry", "apply", "-", *other, input=text).exit_code == 0
    assert rolecall("registry", "export", *other).stdout == text


def test_an_export_as_json_can_be_applied_too(rolecall: Rolecall) -> None:
    text = rolecall("registry", "export", "--json").stdout
    assert len(json.loads(text)["models"]) > 5
    assert rolecall("registry", "apply", "-", input=text).stdout == "no change\n"


def test_apply_shows_what_changes_and_then_nothing(rolecall: Rolecall) -> None:
    result = rolecall("registry", "apply", "-", input=CHANGE)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "~ roles coder"
    assert '    strategy: null → "quality"' in lines
    assert lines[-1] == "+ strategies frugal"
    assert rolecall("registry", "apply", "-", input=CHANGE).stdout == "no change\n"


def test_a_dry_run_shows_the_same_and_changes_nothing(rolecall: Rolecall) -> None:
    tried = rolecall("registry", "apply", "-", "--dry-run", input=CHANGE)
    assert tried.exit_code == 0
    assert rolecall("strategies", "show", "frugal").exit_code == 2
    assert rolecall("registry", "apply", "-", input=CHANGE).stdout == tried.stdout


def test_prune_removes_what_a_section_leaves_out(rolecall: Rolecall) -> None:
    kept = "tasks: []\n"
    result = rolecall("registry", "apply", "-", "--prune", input=kept)
    assert result.exit_code == 0
    assert all(line.startswith("- tasks ") for line in result.stdout.splitlines())
    assert len(result.stdout.splitlines()) > 1


def test_the_changes_are_one_json_object(rolecall: Rolecall) -> None:
    result = rolecall("registry", "apply", "-", "--dry-run", "--json", input=CHANGE)
    answer = json.loads(result.stdout)
    assert answer["dry_run"] is True
    changed, added = answer["changes"]
    assert (changed["collection"], changed["id"], changed["kind"]) == ("roles", "coder", "change")
    assert ["strategy", None, "quality"] in changed["fields"]
    assert (added["id"], added["kind"]) == ("frugal", "add")


def test_a_mistake_is_named_with_file_line_and_path(rolecall: Rolecall, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("roles:\n  - id: x\n    strategi: y\n")
    result = rolecall("registry", "apply", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path}:3: roles[0].strategi: ")
    assert rolecall("roles", "show", "x").exit_code == 2


def test_a_file_that_is_no_text_is_refused(rolecall: Rolecall, tmp_path: Path) -> None:
    missing = rolecall("registry", "apply", tmp_path / "none.yaml")
    assert missing.exit_code == 2
    assert missing.stderr.startswith(f"error: cannot read {tmp_path}/none.yaml: no such file")
    binary = rolecall("registry", "apply", "-", input=b"a\0b")
    assert binary.exit_code == 2
    assert binary.stderr == "error: stdin is binary, not text: NUL at byte 1\n"


def test_a_document_may_be_utf_16_and_json_with_escapes_of_two_halves(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('{"roles": [{"id": "x", "description": "\\ud83c\\udf89"}]}'.encode("utf-16"))
    assert rolecall("registry", "apply", path).exit_code == 0
    shown = json.loads(rolecall("roles", "show", "x", "--json").stdout)
    assert shown["description"] == "🎉"
    path.write_bytes(b"\xff\xfe{")
    assert rolecall("registry", "apply", path).stderr == f"error: {path} is broken UTF-16 text\n"


def test_an_export_that_cannot_be_written_leaves_nothing(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    result = rolecall("registry", "export", "-o", tmp_path / "no" / "a.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: cannot write {tmp_path}/no/a.yaml: no such file or directory\n"
    )


def test_a_sound_registry_has_no_problem(rolecall: Rolecall) -> None:
    rolecall("roles", "list")
    result = rolecall("registry", "check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "no problem found\n", "")


def test_checking_a_registry_that_is_not_there_does_not_make_one(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    result = rolecall("registry", "check", "--registry", tmp_path / "typo.db")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: there is no registry at {tmp_path}/typo.db\n")
    assert not (tmp_path / "typo.db").exists()


def test_problems_are_printed_and_exit_with_1(rolecall: Rolecall, tmp_path: Path) -> None:
    rolecall("roles", "list")
    path = tmp_path / "registry.db"
    path.chmod(0o644)
    result = rolecall("registry", "check")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "mode 644" in result.stdout
    assert json.loads(rolecall("registry", "check", "--json").stdout)["problems"]


def test_a_backup_is_a_whole_registry(rolecall: Rolecall, tmp_path: Path) -> None:
    result = rolecall("registry", "backup", tmp_path / "copy.db")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/copy.db\n")
    exports = [
        rolecall("registry", "export", "--registry", tmp_path / name).stdout
        for name in ("registry.db", "copy.db")
    ]
    assert exports[0] == exports[1] != ""


def test_a_file_that_is_another_database_is_left_alone(rolecall: Rolecall, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    result = rolecall("roles", "list", "--registry", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {path} is not a rolecall registry\nhint: ")
    assert path.read_bytes() == before
