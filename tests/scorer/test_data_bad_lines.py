"""Every bad line of a judged file is named in one pass, with what is wrong with it."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.scorer.data import (
    FORM_HINT,
    SKIP_HINT,
    InvalidRows,
    read_judged,
    read_prompt_rows,
)
from tests.scorer.judged_files import known, left_out, read, write

GOOD = {"prompt": "p", "scores": {"gpt-4": 1}}
ANSWER = {"prompt": "p", "model": "gpt-4", "score": 1}
UNJUDGED = "no scores: a row has `scores` {model: 0..1}, or `model` and `score`"
BAD: list[tuple[Any, str]] = [
    ("{", "not JSON: expecting property name enclosed in double quotes at column 2"),
    ('{"prompt": "p", "scores": {"x": NaN}}', "not JSON: NaN is no number"),
    ("[" * 200_000, "not JSON: nested too deeply"),
    (b'{"prompt": "\xff"}', "not UTF-8: 0xff at byte 13"),
    ([1], "expected an object, got a list"),
    ({"scores": {"x": 1}}, "no prompt: a row has `prompt`, or `messages` with a text"),
    ({"prompt": " "}, "no prompt: a row has `prompt`, or `messages` with a text"),
    ({"messages": "p"}, 'messages: expected a list, got "p"'),
    ({"messages": ["p"]}, "messages[0]: expected an object with role and content"),
    ({"prompt": "p"}, UNJUDGED),
    (GOOD | {"model": "x"}, "both `scores` and `model`: a row holds every answer or one"),
    ({"prompt": "p", "score": 1}, "`score` without `model`: whose answer was judged?"),
    ({"prompt": "p", "scores": [1]}, "scores: expected {model: a number from 0 to 1}, got a list"),
    (
        {"prompt": "p", "scores": {"x": 1, "gpt-4": 2}},
        "scores: gpt-4: expected a number from 0 to 1, got 2",
    ),
    ({"prompt": "p", "scores": {"": 1}}, "scores: a model has no name"),
    (
        {"prompt": "p", "model": "x", "score": None},
        "score: expected a number from 0 to 1, got null",
    ),
    ({"prompt": "p", "model": "", "score": 1}, 'model: expected a name, got ""'),
    (GOOD | {"output_tokens": {"x": -1}}, "output_tokens: x: expected a count, got -1"),
    (GOOD | {"output_tokens": 5}, "output_tokens: expected {model: a count}, got 5"),
    ('{"prompt": "p", "scores": {"x": 1}, "cost_usd": {"x": 1e999}}',
     "cost_usd: x: expected USD, got Infinity"),
    (ANSWER | {"output_tokens": {"x": 1}}, "output_tokens: expected a count, got an object"),
    (GOOD | {"fold": 1.5}, "fold: expected a whole number, got 1.5"),
    (GOOD | {"id": {"n": 1}}, "id: expected a text or a whole number, got an object"),
    (GOOD | {"task": 3}, "task: expected a text, got 3"),
]  # fmt: skip


def refusal(*paths: Path) -> tuple[str, str | None]:
    with pytest.raises(InvalidDocument) as failure:
        read_judged(paths)
    return failure.value.message, failure.value.hint


@pytest.mark.parametrize(("row", "problem"), BAD, ids=lambda one: str(one)[:40])
def test_a_bad_line_is_named_and_can_be_left_out(row: Any, problem: str, tmp_path: Path) -> None:
    other = {"prompt": "other", "scores": {"x": 1}}
    path = write(tmp_path / "judged.jsonl", other, row, other)
    assert refusal(path) == (f"{path}:2: {problem}", SKIP_HINT)
    assert left_out(path) == [(2, problem)]
    assert read(path, skip_bad=True).prompts == ("other",)


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, "{", "", {"prompt": "p"})
    other = write(tmp_path / "b.jsonl", [], GOOD)
    message, hint = refusal(path, other)
    assert message.splitlines() == [
        "3 bad lines",
        f"{path}:2: not JSON: expecting property name enclosed in double quotes at column 2",
        f"{path}:4: {UNJUDGED}",
        f"{other}:1: expected an object, got a list",
    ]
    assert hint == SKIP_HINT


def test_only_the_first_twenty_bad_lines_are_spelled_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, *["{"] * 1021)
    lines = refusal(path)[0].splitlines()
    assert lines[0] == "1,021 bad lines"
    assert [line.split(":")[1] for line in lines[1:-1]] == [str(n) for n in range(2, 22)]
    assert lines[-1] == "and 1,001 more"
    assert len(left_out(path)) == 1021


def test_an_id_of_two_prompts_is_refused_where_it_comes_back(tmp_path: Path) -> None:
    for one, two in ((GOOD, GOOD), (ANSWER, ANSWER)):
        path = write(tmp_path / "a.jsonl", one | {"id": 5}, two | {"id": "5", "prompt": "q"})
        assert refusal(path)[0] == f"{path}:2: id: 5 is another prompt's ({path}:1)"
        assert read(path, skip_bad=True).prompts == ("p",)


def test_ids_are_a_data_sets_own(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", GOOD | {"id": 1})
    two = write(tmp_path / "two.jsonl", GOOD | {"id": 1, "prompt": "q"})
    assert read(one, two).prompts == ("p", "q")
    both = write(
        tmp_path / "both.jsonl",
        GOOD | {"id": 1, "dataset": "a"},
        GOOD | {"id": 1, "dataset": "b", "prompt": "q"},
    )
    assert read(both).datasets == ("a", "b")


@pytest.mark.parametrize("extra", [{}, {"id": "k"}])
def test_an_answer_judged_twice_and_differently_is_two_samples(
    extra: dict[str, str], tmp_path: Path
) -> None:
    wide = write(tmp_path / "a.jsonl", *[GOOD | extra, GOOD | {"scores": {"x": 1, "gpt-4": 0.5}}])
    kept = read(wide)
    assert [known(kept, row) for row in range(2)] == [{"gpt-4": 1}, {"x": 1, "gpt-4": 0.5}]
    answers = [ANSWER | extra, ANSWER | extra | {"score": 0.5}, ANSWER | extra]
    kept = read(write(tmp_path / "b.jsonl", *answers))
    assert [known(kept, row) for row in range(len(kept.prompts))] == [{"gpt-4": 1}, {"gpt-4": 0.5}]
    assert kept.groups[0] == kept.groups[1]


def test_a_file_is_of_one_format(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "{", GOOD, ANSWER | {"prompt": "q"}, GOOD)
    assert left_out(path)[1:] == [
        (3, "mixed formats: a row per answer, but the first was a wide row")
    ]
    path = write(tmp_path / "b.jsonl", ANSWER, GOOD | {"prompt": "q"})
    assert left_out(path) == [(2, "mixed formats: a wide row, but the first was a row per answer")]
    wide = write(tmp_path / "wide.jsonl", GOOD)
    answers = write(tmp_path / "answers.jsonl", ANSWER)
    assert left_out(wide, answers) == []


def test_of_a_file_cut_short_what_came_before_can_be_kept(tmp_path: Path) -> None:
    keep = 0.6
    draw = random.Random(3)
    prompts = [f"{draw.random()}" for _ in range(2000)]
    rows = [json.dumps({"prompt": prompt, "scores": {"x": 1}}) for prompt in prompts]
    packed = gzip.compress("\n".join(rows).encode())
    path = tmp_path / "judged.jsonl.gz"
    path.write_bytes(packed[: int(len(packed) * keep)])
    [(number, problem)] = left_out(path)
    assert problem == "the gzip data end too early"
    assert refusal(path) == (f"{path}:{number}: {problem}", SKIP_HINT)
    assert number > 2000 * keep - 300
    assert read(path, skip_bad=True).prompts == tuple(prompts[: number - 1])


def test_what_is_no_gzip_or_damaged_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "judged.jsonl.gz", GOOD)
    assert refusal(path) == (f"{path}:1: this is no gzip file, or a damaged one", FORM_HINT)
    packed = bytearray(gzip.compress(json.dumps(GOOD).encode() + b"\n"))
    packed[-6] ^= 1  # of the checksum
    path.write_bytes(packed)
    assert left_out(path) == [(2, "the gzip data are damaged")]


def test_files_without_rows_are_named(tmp_path: Path) -> None:
    empty, blank = write(tmp_path / "empty.jsonl"), write(tmp_path / "blank.jsonl", "", " ")
    good = write(tmp_path / "good.jsonl", GOOD)
    for path in (empty, blank):
        assert refusal(path) == (f"{path}: no judged rows", FORM_HINT)
        assert refusal(good, path) == (f"{path}: no judged rows", SKIP_HINT)
    assert left_out(good, empty) == [(0, "no judged rows")]
    with pytest.raises(InvalidRows, match="no judged rows"):
        read_judged([empty], skip_bad=True)
    with pytest.raises(InvalidRows, match="2 bad lines"):
        read_judged([write(tmp_path / "bad.jsonl", "{", "{")], skip_bad=True)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    assert refusal(missing)[0] == f"cannot read {missing}: no such file or directory"
    folder = tmp_path / "folder"
    folder.mkdir()
    message, hint = refusal(folder)
    assert message == f"{folder}: no judged rows in this folder"
    assert hint == "its files must be called *.jsonl or *.jsonl.gz"
    assert refusal() == ("no judged rows: no file was named", FORM_HINT)


def test_a_line_cannot_begin_another_one_in_the_message(tmp_path: Path) -> None:
    row = {"prompt": "p", "scores": {"x\nhint: \x1b[31mrun this": 2}}
    path = write(tmp_path / "a.jsonl", GOOD, row)
    assert refusal(path)[0] == (
        f"{path}:2: scores: x hint:  [31mrun this: expected a number from 0 to 1, got 2"
    )


def test_a_list_of_models_must_be_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"prompt": "p", "models": ["a", 1]}, {"prompt": "q"})
    with pytest.raises(InvalidRows, match=r":1: models: expected a list of names, got a list"):
        read_prompt_rows([path])
    asked, bad = read_prompt_rows([path], skip_bad=True)
    assert ([one.prompt for one in asked], len(bad)) == (["q"], 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
FIELDS = ("prompt", "messages", "scores", "score", "model", "models", "output_tokens", "cost_usd",
          "id", "task", "dataset", "group", "fold", "system")  # fmt: skip


@settings(max_examples=25)
@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda row: GOOD | row),
            st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda row: ANSWER | row),
            JSON.map(json.dumps),
            st.text(max_size=9).map(lambda text: text.replace("\n", " ")),
            st.binary(max_size=9).map(lambda text: text.replace(b"\n", b" ")),
        ),
        max_size=6,
    )
)
def test_whatever_a_file_holds_each_line_is_kept_or_named(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.jsonl", {"prompt": "good", "scores": {"x": 1}}, *rows)
        judged, bad = read_judged([path], skip_bad=True)
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
    assert {one.number for one in bad} <= set(filled)
    assert len(judged.prompts) <= len(filled) - len(bad)
    assert judged.scores.shape == (len(judged.prompts), len(judged.models))


def test_a_csv_is_read_by_its_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    lines = [
        "\ufeffprompt,task,fold,gpt-4,small",
        '"one, ""two""\n\nthree",sums,3,1,0',
        "four,,,0.5,",
    ]
    path.write_text("\r\n".join(lines), newline="")
    judged = read(path)
    assert judged.prompts == ('one, "two"\n\nthree', "four")
    assert (judged.tasks, judged.datasets) == (("sums", "exam"), ("exam", "exam"))
    assert (judged.ids[1], judged.folds[0]) == ("exam.csv:5", 3)
    assert [known(judged, row) for row in range(2)] == [{"gpt-4": 1, "small": 0}, {"gpt-4": 0.5}]
    answers = write(tmp_path / "log.txt", "model,prompt,score", "x,p,1", "y,p,0")
    assert known(read(answers), 0) == {"x": 1, "y": 0}


def test_what_is_wrong_with_a_csv_is_one_clear_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "question,gpt-4", "p,1")
    problem = "a CSV without a column `prompt`: a CSV has a column `prompt` and a column of scores"
    assert refusal(path)[0] == f"{path}:1: {problem} for each model"
    path = write(tmp_path / "b.csv", "prompt,gpt-4", "p,1", "q,good", "r,2", "s,1,1")
    assert left_out(path) == [
        (3, 'scores: gpt-4: expected a number from 0 to 1, got "good"'),
        (4, "scores: gpt-4: expected a number from 0 to 1, got 2"),
        (5, "scores: a cell past the last column: expected a number from 0 to 1, got a list"),
    ]
    path = write(tmp_path / "c.csv", "prompt,gpt-4", "p,1", b"\xff,1")
    assert [number for number, _ in left_out(path)] == [3]
    path = write(tmp_path / "d.csv", "prompt,gpt-4", '"p,1')
    assert "not CSV" in refusal(path)[0]
