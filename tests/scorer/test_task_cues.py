import pytest

from rolecall.registry.scorer.task_cues import task_cues

FENCED = "```python\ndef total(rows):\n    return sum(rows)\n```\n"
BARE = "import os\n\ndef total(rows):\n    return sum(rows)\n"
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nKeyError: 1\n'


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        (f"哪里错了？\n{FENCED}", "fence"),
        (f"{BARE}\nрефакторинг", "code"),
        (TRACE, "trace"),
        ("java.lang.IllegalStateException: no\n\tat a.b.C.d(C.java:3)", "trace"),
        ("main.c:8:5: error: expected ';' before 'return'", "trace"),
        ("@@ -1,2 +1,2 @@\n-a\n+b\n", "diff"),
        ("$ make test\nmake: *** [test] Error 1", "shell"),
        ("kim@box:~/app$ git push", "shell"),
        ("SELECT name\nFROM users\nWHERE id = 1;", "sql"),
        ("\\begin{theorem} x \\end{theorem}", "latex"),
        ("$x^2 + y^2 = 1$", "latex"),
        ("2026-03-02 11:04:07 INFO  worker started", "log"),
        ("a,b,c\n1,2,3", "table"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "table"),
        ('{\n  "name": "Ada"\n}', "json"),
        ('what of "a long sentence in quotes"?', "quote"),
    ],
)
def test_what_a_text_holds_is_seen_in_any_language(text: str, cue: str) -> None:
    assert cue in task_cues(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Prove that sqrt(2) is irrational",
        "Write a Python function that adds two numbers",
        "It costs $5 and $7",
        "select the best of these from the list",
        "flour = 2 cups\nsugar = 3 cups",
        "",
    ],
)
def test_plain_words_show_nothing(text: str) -> None:
    assert task_cues(text) == ()


def test_plain_text_in_a_fence_is_no_code() -> None:
    assert "fence" not in task_cues("```text\nhello\n```")


@pytest.mark.parametrize(
    ("name", "cue"),
    [("a.PY", "code"), ("src/a.tex", "latex"), ("Makefile", "code"), ("b.csv", "table")],
)
def test_a_file_says_by_its_name_what_it_holds(name: str, cue: str) -> None:
    assert task_cues("look", (name,)) == (cue,)


def test_an_unknown_suffix_says_nothing() -> None:
    assert task_cues("look", ("a.xyz", "stdin")) == ()


@pytest.mark.parametrize(
    "run", [" ", "\n", "(", " at (", "```\n", "don't fix ", "x = ", "\t", "if ", "at :", "; ", "$ "]
)
def test_a_hostile_run_of_one_thing_is_read(run: str) -> None:
    assert set(task_cues(run * (200_000 // len(run)))) <= {"paste", "fence", "shell"}
