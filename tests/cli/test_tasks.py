"""`rolecall tasks`, and what a declared or detected task does to a route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Rolecall

CODING = (
    "write a bash loop that renames every jpeg by its date taken",
    "why does my unit test fail only in CI",
    "Schreibe eine Funktion in Go, die zwei Listen mischt",
    "用Python写一个快速排序",
    "Traceback (most recent call last):\n  File \"a.py\", line 3\nKeyError: 'id'",
    "напиши SQL-запрос, который выводит клиентов без заказов",
)


def route(rolecall: Rolecall, *args: str | Path) -> Any:
    return json.loads(rolecall("route", "--json", *args).stdout)


def test_coding_prompts_go_to_the_endpoint_that_coder_is_assigned(rolecall: Rolecall) -> None:
    assert rolecall("roles", "assign", "coder", "ollama/qwen3-8b").exit_code == 0
    for prompt in CODING:
        assert route(rolecall, prompt)["chosen"] == "ollama/qwen3-8b", prompt
    haiku = route(rolecall, "write a haiku about rain")
    assert haiku["role"] == "writer"


def test_a_file_of_code_with_few_words_is_code(rolecall: Rolecall, tmp_path: Path) -> None:
    (tmp_path / "total.py").write_text("def total(rows):\n    return sum(rows)\n")
    found = route(rolecall, "review this", "-f", tmp_path / "total.py")
    assert (found["task"]["kind"], found["role"]) == ("code", "coder")
    assert found["task"]["detected_by"] == "wording and lines of code"


def test_an_unknown_task_is_answered_with_near_names_or_all(rolecall: Rolecall) -> None:
    done = rolecall("route", "hello", "--task", "sumarize")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == 'error: no task is named "sumarize"\nhint: did you mean summarize?\n'
    done = rolecall("route", "hello", "--task", "zzz")
    names = ("analyze", "chat", "code", "math", "translate", "write")
    assert done.exit_code == 2
    assert all(name in done.stderr for name in names)


def test_a_task_that_was_added_is_detected_and_may_be_declared(rolecall: Rolecall) -> None:
    done = rolecall("tasks", "add", "garden", "--example", "when do I prune roses")
    assert (done.exit_code, done.stdout) == (0, "added task garden\n")
    assert route(rolecall, "when do I prune my roses")["task"]["kind"] == "garden"
    assert route(rolecall, "hello", "--task", "garden.roses")["task"]["kind"] == "garden.roses"
    assert rolecall("tasks", "remove", "garden").exit_code == 0
    assert rolecall("route", "hello", "--task", "garden.roses").exit_code == 2


def test_a_task_names_the_roles_that_may_do_it(rolecall: Rolecall) -> None:
    rolecall("tasks", "add", "prove", "--role", "math", "--require", "reasoning")
    listed = rolecall("tasks", "list").stdout.splitlines()
    assert any(line.split() == ["prove", "reasoning", "–", "math", "0"] for line in listed)
    unknown = rolecall("tasks", "add", "guess", "--role", "oracle")
    assert unknown.exit_code == 2
    assert 'no role is named "oracle"' in unknown.stderr
