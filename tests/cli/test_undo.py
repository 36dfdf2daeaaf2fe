"""`registry undo`, `restore` and `diff`, and starters that come back, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall


def test_a_removal_says_how_to_undo_it_and_that_works(rolecall: Rolecall) -> None:
    before = rolecall("registry", "export").stdout
    removed = rolecall("roles", "remove", "coder")
    assert removed.stderr == "to bring it back: rolecall registry undo\n"
    shown = rolecall("registry", "undo", "--dry-run")
    assert (shown.stdout, shown.stderr) == ("+ roles coder\n", "would undo: removed role coder\n")
    told = json.loads(rolecall("registry", "undo", "--dry-run", "--json").stdout)
    assert (told["dry_run"], told["undone"]) == (True, "removed role coder")
    assert told["changes"][0]["id"] == "coder"
    done = rolecall("registry", "undo")
    assert (done.exit_code, done.stderr) == (0, "undone: removed role coder\n")
    assert rolecall("registry", "export").stdout == before
    again = rolecall("registry", "undo")
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith("error: no change is left to undo\n")


def test_a_backup_is_restored(rolecall: Rolecall, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    rolecall("registry", "backup", copy)
    rolecall("roles", "remove", "math")
    done = rolecall("registry", "restore", copy, "--json")
    told = json.loads(done.stdout)
    assert Path(told["kept"]).exists()
    assert rolecall("roles", "show", "math").exit_code == 0
    refused = rolecall("registry", "restore", tmp_path / "nothing.db")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"error: there is no registry at {tmp_path / 'nothing.db'}\nhint: name another backup\n"
    )


def test_diff_is_what_apply_would_do(rolecall: Rolecall) -> None:
    text = "roles: [{id: coder, worth: 9}]"
    for extra in ((), ("--prune",)):
        shown = rolecall("registry", "diff", "-", *extra, input=text)
        tried = rolecall("registry", "apply", "-", "--dry-run", *extra, input=text)
        assert shown == tried
        assert "~ roles coder" in shown.stdout
    assert rolecall("roles", "show", "coder").stdout.count("worth: 4") == 1


@pytest.mark.parametrize(
    ("collection", "name"), [("roles", "coder"), ("tasks", "legal"), ("strategies", "fast")]
)
def test_a_missing_starter_is_brought_back_as_the_hint_says(
    collection: str, name: str, rolecall: Rolecall
) -> None:
    before = rolecall("registry", "export").stdout
    assert rolecall(collection, "remove", name).exit_code == 0
    missing = rolecall(collection, "show", name)
    assert missing.exit_code == 2
    line = f"rolecall {collection} add {name} --starter"
    assert missing.stderr.splitlines()[1] == f"hint: {line} brings it back"
    assert rolecall(*line.split()[1:]).exit_code == 0
    assert rolecall("registry", "export").stdout == before
    with_other = rolecall(collection, "remove", name)
    assert with_other.exit_code == 0
    described = rolecall(*line.split()[1:], "--description", "mine", "--json")
    assert json.loads(described.stdout)["description"] == "mine"


def test_the_whole_starter_is_printed_and_brings_all_back(rolecall: Rolecall) -> None:
    before = rolecall("registry", "export").stdout
    starter = rolecall("registry", "export", "--starter").stdout
    assert starter == before
    rolecall("roles", "remove", "coder")
    rolecall("strategies", "remove", "quality")
    assert rolecall("registry", "apply", "-", input=starter).exit_code == 0
    assert rolecall("registry", "export").stdout == before


def test_a_name_that_is_no_starter_is_answered_with_near_ones(rolecall: Rolecall) -> None:
    done = rolecall("roles", "add", "codr", "--starter")
    assert (done.exit_code, done.stdout) == (2, "")
    said = 'error: no starter role is named "codr"\nhint: did you mean coder?\n'
    assert done.stderr == said
