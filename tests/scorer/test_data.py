"""Judged rows in all the shapes that people bring become one table."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.core.errors import InvalidDocument, InvalidPrompt, UnknownRecord
from rolecall.registry.routing.task_detection import turns_of
from rolecall.registry.scorer.data import Judged, read_judged, read_prompt_rows
from rolecall.registry.scorer.text import text_read
from tests.scorer.judged_files import known, read, write

NAMES = st.sampled_from(["gpt-4", "GPT-4", "here/small", "größe"])
SCORES = st.dictionaries(NAMES, st.sampled_from([0, 0.25, 0.5, 1, True, False]), min_size=1)
TEXTS = st.text(min_size=1).filter(str.strip)


@pytest.fixture
def table(tmp_path: Path) -> Judged:
    return read(
        write(
            tmp_path / "exam.jsonl",
            {"id": "a", "prompt": "1", "scores": {"x": 1, "y": 0}, "fold": 3, "task": "sums"},
            {"id": "b", "prompt": "2", "scores": {"y": 0.5}, "fold": 1, "output_tokens": {"y": 9}},
            {"id": "c", "prompt": "3", "scores": {"x": 0}, "fold": 3, "cost_usd": {"x": 0.25}},
        )
    )


def test_wide_rows_become_a_table_with_nan_where_nobody_was_asked(table: Judged) -> None:
    assert (table.ids, table.prompts, table.models) == (
        ("a", "b", "c"),
        ("1", "2", "3"),
        ("x", "y"),
    )
    nan = float("nan")
    np.testing.assert_array_equal(table.scores, [[1, 0], [nan, 0.5], [0, nan]])
    np.testing.assert_array_equal(table.tokens, [[nan, nan], [nan, 9], [nan, nan]])
    np.testing.assert_array_equal(table.costs, [[nan, nan], [nan, nan], [0.25, nan]])
    assert {table.scores.dtype, table.tokens.dtype, table.costs.dtype} == {np.dtype("float32")}
    assert table.datasets == ("exam", "exam", "exam")
    assert table.tasks == ("sums", "exam", "exam")


def test_rows_are_taken_by_fold_number_or_mask_and_models_by_name(table: Judged) -> None:
    assert table.fold(3).tolist() == [0, 2]
    assert table.fold(1, 3).tolist() == [0, 1, 2]
    for rows in (table.fold(3)[::-1], [2, 0]):
        part = table.only(rows)
        assert (part.ids, part.prompts, part.tasks) == (("c", "a"), ("3", "1"), ("exam", "sums"))
        assert known(part, 1) == {"x": 1, "y": 0}
    assert table.only(np.array([False, True, False])).folds.tolist() == [1]
    assert table.only([]).scores.shape == (0, 2)
    turned = table.of(["y", "x"])
    assert turned.models == ("y", "x")
    np.testing.assert_array_equal(turned.scores, table.scores[:, ::-1])
    assert turned.tokens[1, 0] == 9
    assert turned.costs[2, 1] == 0.25


def test_a_model_that_nobody_judged_is_named(table: Judged) -> None:
    with pytest.raises(UnknownRecord, match='no answer of "z" was judged') as failure:
        table.of(["x", "z"])
    assert failure.value.hint == "one of x, y"


def test_rows_per_answer_of_one_prompt_join_into_one(tmp_path: Path) -> None:
    judged = read(
        write(
            tmp_path / "log.jsonl",
            {"prompt": "p", "model": "x", "score": True, "output_tokens": 7, "cost_usd": 0.5},
            {"prompt": "q", "model": "x", "score": 0.5},
            {"prompt": " p\n", "model": "y", "score": False},
            {"prompt": "p", "model": "x", "score": 1},
        )
    )
    assert judged.prompts == ("p", "q")
    assert judged.ids == ("log.jsonl:1", "log.jsonl:2")
    assert known(judged, 0) == {"x": 1, "y": 0}
    assert judged.tokens[0, 0] == 7
    assert judged.costs[0, 0] == 0.5


def test_the_ids_of_answers_do_not_keep_them_apart(tmp_path: Path) -> None:
    rows = [{"id": f"a{n}", "prompt": "p", "model": m, "score": 1} for n, m in enumerate("xyz")]
    judged = read(write(tmp_path / "log.jsonl", *rows))
    assert judged.ids == ("a0",)
    assert known(judged, 0) == {"x": 1, "y": 1, "z": 1}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0)])
def test_the_same_words_under_two_ids_stay_two_prompts(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    rows = [
        {"id": name, "prompt": "p", "model": model, "score": score}
        for name, model, score in [("a", "x", 1), ("a", "y", 0), ("b", "x", 0), ("b", "y", 1)]
    ]
    judged = read(write(tmp_path / "log.jsonl", *(rows[number] for number in order)))
    scores = {name: known(judged, row) for row, name in enumerate(judged.ids)}
    assert scores == {"a": {"x": 1, "y": 0}, "b": {"x": 0, "y": 1}}
    wide = read(
        write(
            tmp_path / "wide.jsonl",
            {"id": "a", "prompt": "p", "scores": {"x": 1}},
            {"id": "b", "prompt": "p", "scores": {"x": 0}},
        )
    )
    assert wide.ids == ("a", "b")
    assert wide.groups[0] == wide.groups[1]


def test_a_wide_row_with_an_id_is_joined_by_that_id_alone(tmp_path: Path) -> None:
    row = {"prompt": "p", "scores": {"x": 1}}
    other = {"prompt": "p", "scores": {"y": 1}}
    judged = read(write(tmp_path / "a.jsonl", row | {"id": "k"}, other, other | {"id": "k"}))
    assert judged.ids == ("k", "a.jsonl:2")
    assert known(judged, 0) == {"x": 1, "y": 1}


def test_what_is_null_is_unknown(tmp_path: Path) -> None:
    row = {"prompt": "p", "id": None, "task": None, "group": None, "fold": None, "dataset": None}
    figures = {"scores": {"x": 1, "y": None}, "output_tokens": {"x": None}, "cost_usd": None}
    judged = read(write(tmp_path / "a.jsonl", row | figures))
    assert (judged.models, judged.tasks, judged.ids) == (("x",), ("a",), ("a.jsonl:1",))
    assert np.isnan(judged.tokens).all()


def test_tokens_of_a_model_without_a_score_make_no_column(tmp_path: Path) -> None:
    row = {"prompt": "p", "scores": {"x": 1}, "output_tokens": {"a": 5, "x": 6}}
    judged = read(write(tmp_path / "a.jsonl", row))
    assert judged.models == ("x",)
    assert judged.tokens.tolist() == [[6]]


def test_equal_prompts_share_group_and_fold_wherever_they_stand(tmp_path: Path) -> None:
    said = [f"prompt {number}" for number in range(64)]
    alone = [{"prompt": text, "scores": {"x": 1}} for text in said]
    chats = [[{"role": "user", "content": f"{text} "}] for text in said]
    chatted = [{"messages": chat, "scores": {"y": 1}} for chat in chats]
    judged = read(write(tmp_path / "one.jsonl", *alone), write(tmp_path / "two.jsonl", *chatted))
    assert judged.groups[:64] == judged.groups[64:]
    assert judged.folds[:64].tolist() == judged.folds[64:].tolist()
    assert set(judged.folds.tolist()) == set(range(8))
    assert len(set(judged.groups)) == 64


def test_a_group_of_ones_own_decides_the_fold_and_a_fold_stands(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{n}", "scores": {"x": 1}, "group": n % 40} for n in range(200)]
    judged = read(write(tmp_path / "a.jsonl", *rows, rows[0] | {"prompt": "last", "fold": 9}))
    folds = dict(zip(judged.groups[:200], judged.folds.tolist(), strict=False))
    assert [folds[group] for group in judged.groups[40:200]] == judged.folds[40:200].tolist()
    assert len(set(judged.folds[:40].tolist())) == 8
    assert judged.folds[200] == 9


def test_files_folders_gzip_and_stdin_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    line = json.dumps({"prompt": "p", "scores": {"x": 1}})
    (folder / "b.v2.jsonl").write_text(f"\ufeff{line}\r\n\n  \n")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    (folder / "notes.txt").write_text("not judged")
    single = write(tmp_path / "rows.json", line)
    with write(tmp_path / "stdin", line).open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        judged = read(folder, single, Path("-"))
    assert judged.datasets == ("a", "b", "rows", "stdin")
    assert judged.ids == ("a.jsonl.gz:1", "b.v2.jsonl:1", "rows.json:1", "stdin:1")


def test_what_was_asked_is_read_with_or_without_scores(tmp_path: Path) -> None:
    wide = write(
        tmp_path / "wide.jsonl",
        {"id": 7, "prompt": "p", "scores": {"y": 1, "x": 0}},
        {"prompt": "q", "models": ["b", "a", "b"]},
        {"prompt": "r"},
        {"prompt": "s", "scores": {"y": 1}, "models": ["unasked"]},
    )
    answers = write(
        tmp_path / "answers.jsonl",
        {"id": "k", "prompt": "p", "model": "z"},
        {"id": "l", "prompt": "p", "model": "a", "score": 0.5},
    )
    asked, bad = read_prompt_rows([wide, answers])
    assert [(one.id, one.prompt, one.models) for one in asked] == [
        (7, "p", ("y", "x")),
        ("wide.jsonl:2", "q", ("b", "a")),
        ("wide.jsonl:3", "r", ()),
        ("wide.jsonl:4", "s", ("y",)),
        ("k", "p", ("z", "a")),
    ]
    assert bad == ()
    judged, _ = read_judged([wide, answers], need_scores=False)
    assert judged.models == ("a", "x", "y")
    assert [len(known(judged, row)) for row in range(5)] == [2, 0, 0, 1, 1]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 5), SCORES), min_size=1, max_size=12))
def test_wide_rows_are_kept_as_they_are_and_alike_as_rows_per_answer(
    rows: list[tuple[int, dict[str, float]]],
) -> None:
    merged: dict[str, dict[str, float]] = {}
    for number, scores in rows:
        mine = merged.setdefault(f"prompt {number}", {})
        mine |= {model: score for model, score in scores.items() if model not in mine}
    answers = [
        {"prompt": prompt, "model": model, "score": score}
        for prompt, scores in merged.items()
        for model, score in scores.items()
    ]
    wide = [{"prompt": prompt, "scores": scores} for prompt, scores in merged.items()]
    with tempfile.TemporaryDirectory() as folder:
        for given_rows in (wide, answers):
            judged = read(write(Path(folder) / "a.jsonl", *given_rows))
            assert {p: known(judged, n) for n, p in enumerate(judged.prompts)} == merged
            assert judged.models == tuple(sorted({m for scores in merged.values() for m in scores}))


PARTS = st.lists(
    st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, st.text()),
        st.builds(lambda text: {"type": "input_text", "text": text}, st.text()),
        st.just({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
        st.just({"type": "tool_result", "tool_use_id": "t", "content": "42"}),
    ),
    max_size=3,
)
MESSAGES = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant", "system"]),
        st.sampled_from(["yes, do it", "sort this list of names by their length ", "?\n"])
        | st.text(max_size=220),
    ),
    st.builds(lambda content: {"role": "user", "content": content}, PARTS),
    st.just({"role": "assistant", "content": [{"type": "text", "text": "done"}]}),
)


@settings(max_examples=25)
@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_the_text_is_what_a_decision_on_the_same_messages_reads(messages: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.jsonl", {"messages": messages, "scores": {"x": 1}})
        try:
            request = request_of(parse_chat(messages, name="a"))
        except InvalidPrompt:
            assume(False)
        assume(request.messages[-1].role != "tool")
        text = text_read(turns_of(request))
        if text.strip():
            assert read(path).prompts == (text,)
        else:
            with pytest.raises(InvalidDocument, match="no prompt"):
                read(path)


def test_a_short_message_is_led_by_the_one_before(tmp_path: Path) -> None:
    said = [("user", "sort this list"), ("assistant", "how?"), ("user", "by name")]
    messages = [{"role": role, "content": text} for role, text in said]
    rows = [{"messages": messages[:count], "scores": {"x": 1}} for count in (1, 2, 3)]
    judged = read(write(tmp_path / "a.jsonl", *rows))
    assert judged.prompts == ("sort this list", "sort this list", "sort this list\n\nby name")


def test_conversations_that_end_alike_are_not_one(tmp_path: Path) -> None:
    last = {"role": "user", "content": "sort these names of people by their length and age"}
    rows = [
        {"messages": [last], "model": "x", "score": 1},
        {"messages": [{"role": "system", "content": "be brief"}, last], "model": "x", "score": 0},
        {"messages": [last], "system": "be long", "model": "x", "score": 0.5},
        {"prompt": last["content"], "model": "y", "score": 0},
    ]
    judged = read(write(tmp_path / "a.jsonl", *rows))
    assert [known(judged, row) for row in range(3)] == [{"x": 1, "y": 0}, {"x": 0}, {"x": 0.5}]
    assert len(judged.prompts) == 3
    assert len(set(judged.groups)) == 1
