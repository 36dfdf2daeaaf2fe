"""`edit`: what the editor leaves is applied whole, or nothing is."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall

Editor = Callable[..., dict[str, str]]


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    """Return a function that writes an editor whose n-th call runs the n-th statement.

    The statement finds the text in `text` and the file in `path`; calls are kept in `calls`.
    """

    def make(*statements: str) -> dict[str, str]:
        (tmp_path / "calls").mkdir()
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, sys\n"
            f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
            "path = pathlib.Path(sys.argv[-1])\n"
            "text = path.read_text()\n"
            "number = len(list(calls.iterdir()))\n"
            "(calls / str(number)).write_text(text)\n"
            f"exec({list(statements)!r}[number])\n"
        )
        return {"EDITOR": f"{sys.executable} {script}"}

    return make


def seen(tmp_path: Path) -> list[str]:
    return [path.read_text() for path in sorted((tmp_path / "calls").iterdir())]


def strategy_of(rolecall: Rolecall, role: str) -> str | None:
    shown = json.loads(rolecall("roles", "show", role, "--json").stdout)
    strategy: str | None = shown["strategy"]
    return strategy


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rolecall.cli.input.editor.stdin_is_terminal", lambda: True)


SET_QUALITY = "path.write_text(text.replace('strategy: null', 'strategy: quality'))"
BREAK = "path.write_text(text.replace('strategy: null', 'strategy: qualty'))"


def test_an_edit_is_applied(rolecall: Rolecall, editor: Editor, tmp_path: Path) -> None:
    result = rolecall("roles", "edit", "coder", env=editor(SET_QUALITY))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "changed role coder\n", "")
    assert strategy_of(rolecall, "coder") == "quality"
    assert seen(tmp_path) == [rolecall("roles", "show", "coder").stdout.replace(
        "strategy: quality", "strategy: null")]  # fmt: skip


def test_the_text_is_for_the_persons_eyes_only(rolecall: Rolecall, editor: Editor) -> None:
    env = editor("path.write_text(text + f'# {path.stat().st_mode:o}\\n'); "
                 "assert path.stat().st_mode & 0o077 == 0; "
                 "assert path.parent.stat().st_mode & 0o077 == 0")  # fmt: skip
    assert rolecall("roles", "edit", "coder", env=env).exit_code == 0


@pytest.mark.parametrize("leave", ["pass", "path.write_text('')", "path.unlink()",
                                   "path.write_text(text + '\\n')"])  # fmt: skip
def test_an_unchanged_or_emptied_text_changes_nothing(
    leave: str, rolecall: Rolecall, editor: Editor
) -> None:
    before = rolecall("registry", "export").stdout
    result = rolecall("roles", "edit", "coder", env=editor(leave))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "nothing changed\n", "")
    assert rolecall("registry", "export").stdout == before


def test_the_outcome_is_told_as_json(rolecall: Rolecall, editor: Editor) -> None:
    result = rolecall("roles", "edit", "coder", "--json", env=editor(SET_QUALITY))
    assert json.loads(result.stdout) == {"id": "coder", "changed": True}


def test_an_editor_that_fails_changes_nothing(rolecall: Rolecall, editor: Editor) -> None:
    env = editor(f"{SET_QUALITY}; sys.exit(3)")
    result = rolecall("roles", "edit", "coder", env=env)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("ended with 3; nothing was changed\n")
    assert strategy_of(rolecall, "coder") is None


def test_an_editor_that_is_missing_is_named(rolecall: Rolecall) -> None:
    result = rolecall("roles", "edit", "coder", env={"EDITOR": "/no/such/editor -w"})
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: cannot start the editor /no/such/editor: no such file or directory\n"
        "hint: export EDITOR=nano\n"
    )


def test_visual_wins_over_editor(rolecall: Rolecall, editor: Editor) -> None:
    env = {"VISUAL": editor(SET_QUALITY)["EDITOR"], "EDITOR": "/no/such/editor"}
    assert rolecall("roles", "edit", "coder", env=env).exit_code == 0


def test_a_mistake_reopens_the_editor_with_the_message_on_top(
    rolecall: Rolecall, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_terminal(monkeypatch)
    mend = "path.write_text(text.replace('qualty', 'quality'))"
    result = rolecall("roles", "edit", "coder", env=editor(BREAK, mend))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "changed role coder\n", "")
    _, second = seen(tmp_path)
    first_line, _, rest = second.partition("\n")
    assert first_line.startswith("#! coder.yaml:")
    assert 'no strategy is named "qualty"' in first_line
    assert "strategy: qualty" in rest
    assert strategy_of(rolecall, "coder") == "quality"


def test_leaving_a_mistake_as_it_is_gives_up(
    rolecall: Rolecall, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_terminal(monkeypatch)
    result = rolecall("roles", "edit", "coder", env=editor(BREAK, "pass"))
    assert (result.exit_code, result.stdout) == (0, "nothing changed\n")
    assert strategy_of(rolecall, "coder") is None


def test_without_a_terminal_a_mistake_is_an_error_and_the_text_is_kept(
    rolecall: Rolecall, editor: Editor
) -> None:
    result = rolecall("roles", "edit", "coder", env=editor(BREAK))
    assert (result.exit_code, result.stdout) == (2, "")
    note, error, _ = result.stderr.splitlines()
    assert error.startswith("error: coder.yaml:")
    kept = Path(note.removeprefix("nothing was changed; your text is kept in "))
    assert "strategy: qualty" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.unlink()
    assert strategy_of(rolecall, "coder") is None


def test_a_record_changed_meanwhile_is_shown_beside_ones_own_text(
    rolecall: Rolecall, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_terminal(monkeypatch)
    meddle = (
        "import subprocess; "
        f"subprocess.run([{str(Path(sys.executable).with_name('rolecall'))!r}, 'roles', 'assign', "
        "'coder', 'ollama/qwen3-8b'], check=True, stdout=subprocess.DEVNULL); "
    )
    both = (
        "lines = [line for line in text.splitlines() if not line.startswith('assignments')]; "
        "path.write_text(chr(10).join(lines) + chr(10) + "
        "'assignments: [{endpoint: ollama/qwen3-8b}]' + chr(10))"
    )
    result = rolecall("roles", "edit", "coder", env=editor(meddle + SET_QUALITY, both))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "changed role coder\n", "")
    _, second = seen(tmp_path)
    assert second.startswith("#! role coder was changed by someone else meanwhile\n")
    assert "#! assignments" in second
    role = json.loads(rolecall("roles", "show", "coder", "--json").stdout)
    assert role["strategy"] == "quality"
    assert [one["endpoint"] for one in role["assignments"]] == ["ollama/qwen3-8b"]


def test_a_program_edits_again_what_was_changed_meanwhile(
    rolecall: Rolecall, editor: Editor, tmp_path: Path
) -> None:
    meanwhile = (
        "import subprocess\n"
        f"subprocess.run([{str(Path(sys.executable).with_name('rolecall'))!r}, 'roles', 'assign',"
        " 'coder', 'openai/gpt-5.5'], check=True, stdout=subprocess.DEVNULL)\n"
    )
    done = rolecall("roles", "edit", "coder", env=editor(meanwhile + SET_QUALITY, SET_QUALITY))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "openai/gpt-5.5" in seen(tmp_path)[1]
    role = json.loads(rolecall("roles", "show", "coder", "--json").stdout)
    assert role["strategy"] == "quality"
    assert [one["endpoint"] for one in role["assignments"]] == ["openai/gpt-5.5"]


def test_another_id_renames_the_record_and_what_refers_to_it(
    rolecall: Rolecall, editor: Editor
) -> None:
    rolecall("roles", "assign", "coder", "ollama/qwen3-8b")
    env = editor("path.write_text(text.replace('id: ollama/qwen3-8b', 'id: ollama/qwen'))")
    assert rolecall("endpoints", "edit", "ollama/qwen3-8b", env=env).exit_code == 0
    assert "ollama/qwen," in rolecall("roles", "show", "coder").stdout
