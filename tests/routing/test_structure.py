import pytest

from rolecall.registry.records import Message, Request
from rolecall.registry.routing.structure import Detected, task_by_structure

FENCED = "```python\ndef total(rows):\n    return sum(rows)\n```\n"
BARE = "import os\n\ndef total(rows):\n    return sum(rows)\n"
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nKeyError: 1\n'
DIFF = "@@ -1,2 +1,2 @@\n-a\n+b\n"


def detect(text: str) -> Detected | None:
    return task_by_structure(Request((Message("user", text),)))


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Prove that sqrt(2) is irrational",
        "Write a Python function that adds two numbers",
        FENCED,
        BARE,
        "Translate the comments to French:\n" + FENCED,
        "Extract every error message:\n" + FENCED,
        '```json\n{"name": "Ada"}\n```\nfix the name',
        "flour = 2 cups\nsugar = 3 cups\neggs = 4\nadd more sugar",
        "Dear John, (see below)\nI write to you;\nkind regards;\nbest wishes;\nfix the tone",
        "",
    ],
)
def test_it_says_nothing_when_unsure(text: str) -> None:
    assert detect(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "detected_by"),
    [
        (FENCED + "fix this", "code.edit", "fenced code and “fix”"),
        ("Please refactor:\n" + BARE, "code.edit", "lines of code and “refactor”"),
        ("How do I rename total?\n" + FENCED, "code.edit", "fenced code and “rename”"),
        ("make this faster\n" + FENCED, "code.edit", "fenced code and “make”"),
        ("Why does this fail?\n" + FENCED, "code", "fenced code and “why”"),
        ("Don't change the code, explain it\n" + FENCED, "code", "fenced code and “explain”"),
        (TRACE + "why does this deadlock?", "code", "a stack trace and “why”"),
        (TRACE, "code", "a stack trace"),
        (DIFF, "code", "a diff"),
        ("review this\n" + DIFF, "code", "a diff and “review”"),
        ("fix it\n  at run (/src/app.js:10:5)\n", "code.edit", "a stack trace and “fix”"),
    ],
)
def test_code_with_an_ask_is_code_and_an_ask_for_change_is_editing(
    text: str, kind: str, detected_by: str
) -> None:
    found = detect(text)
    assert found is not None
    assert (found.kind, found.detected_by) == (kind, detected_by)


def test_tools_come_before_images_and_images_before_length() -> None:
    message = Message("user", "x" * 400_000, ("image",))
    with_tools = task_by_structure(Request((message,), tool_names=("a", "b")))
    with_image = task_by_structure(Request((message,)))
    long = task_by_structure(Request((Message("user", "x" * 400_000),)))
    assert with_tools is not None
    assert (with_tools.kind, with_tools.detected_by) == ("agent", "2 tools attached")
    assert with_image is not None
    assert (with_image.kind, with_image.detected_by) == ("vision", "1 image attached")
    assert long is not None
    assert (long.kind, long.detected_by) == ("long_context", "about 100k tokens")


def test_a_declared_count_decides_what_is_long() -> None:
    request = Request((Message("user", "x" * 400_000),), input_tokens=100)
    assert task_by_structure(request) is None


def test_only_the_last_message_of_the_user_counts() -> None:
    request = Request(
        (
            Message("system", FENCED + "fix this"),
            Message("user", FENCED + "fix this"),
            Message("assistant", FENCED),
            Message("user", "thank you"),
        )
    )
    assert task_by_structure(request) is None


def test_a_request_without_a_user_is_no_code() -> None:
    assert task_by_structure(Request((Message("system", FENCED + "fix this"),))) is None


@pytest.mark.parametrize(
    "run", [" ", "\n", "(", " at (", "```\n", "don't fix ", "x = ", "\t", "if ", "at :", "; "]
)
def test_a_hostile_run_of_one_thing_is_read_and_decides_nothing(run: str) -> None:
    assert detect(run * (200_000 // len(run))) is None
