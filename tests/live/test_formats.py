"""Schemas, tools, thinking and Anthropic's API, as llama.cpp itself speaks them.

Its grammars make the random model write what is asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.program import calls_of, run, run_json
from tests.live.servers import Server

if TYPE_CHECKING:
    from tests.live.conftest import Register

PROMPT = "name the things that lie in a forest"
TOOL_CALL_TOKEN = "3"  # model.py's <tool_call>
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}, "warm": {"type": "boolean"}},
    "required": ["colour", "warm"],
    "additionalProperties": False,
}


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    return file


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_a_schema_is_kept_and_counts_as_a_good_answer(
    manner: str, llama: Server, register: Register, schema: Path
) -> None:
    register(llama)
    found = run_json("ask", PROMPT, manner, "--schema", schema, "--max-tokens", "300")
    answer = json.loads(found["answer"])
    assert answer["colour"] in ("red", "green")
    assert answer["warm"] in (True, False)
    assert [one["score"] for one in found["outcomes"]] == [1.0]


def test_a_schema_that_the_server_ignores_counts_as_a_bad_answer(
    transformers: Server, register: Register, schema: Path
) -> None:
    register(transformers)
    found = run_json("ask", PROMPT, "--schema", schema, "--max-tokens", "10")
    assert [one["score"] for one in found["outcomes"]] == [0.0]


@pytest.fixture
def calling(tmp_path: Path) -> tuple[str, ...]:
    """Return what makes the model call a tool, again and again."""
    tools = tmp_path / "tools.json"
    paint = {"name": "paint", "description": "paints", "parameters": SCHEMA}
    tools.write_text(json.dumps([{"type": "function", "function": paint}]))
    bias = json.dumps({TOOL_CALL_TOKEN: 1_000})
    words = ("--tools", str(tools), "-o", "tool_choice", "required", "-o", "logit_bias", bias)
    return (*words, "-o", "temperature", "0")


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_a_tool_is_called(
    manner: str, llama: Server, register: Register, calling: tuple[str, ...]
) -> None:
    register(llama)
    words = ("ask", PROMPT, manner, "-o", "stop", "</tool_call>", "--max-tokens", "300", *calling)
    found = run_json(*words)
    (call,) = found["tool_calls"]
    assert call["name"] == "paint"
    assert call["id"]
    assert call["arguments"]["colour"] in ("red", "green")
    assert (found["answer"], found["finish_reason"]) == ("", "tool_calls")
    piped = run(*words)
    assert json.loads(piped.stdout)["name"] == "paint"


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_several_calls_are_told_apart(
    manner: str, llama: Server, register: Register, calling: tuple[str, ...]
) -> None:
    register(llama)
    found = run_json("ask", PROMPT, manner, "--max-tokens", "400", *calling)
    *whole, _ = found["tool_calls"]
    assert len(whole) > 1
    assert all(set(call["arguments"]) == {"colour", "warm"} for call in whole)
    assert len({call["id"] for call in found["tool_calls"]}) == len(whole) + 1
    assert found["finish_reason"] == "length"


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_thinking_is_told_from_the_answer(manner: str, llama: Server, register: Register) -> None:
    register(llama)
    grammar = 'root ::= "<think>because</think>red"'
    words = ("ask", PROMPT, manner, "-o", "grammar", grammar, "--max-tokens", "100")
    found = run_json(*words)
    assert (found["thinking"], found["answer"]) == ("because", "red")
    assert run(*words).stdout == "red\n"


def test_thinking_is_the_first_token(llama: Server, register: Register) -> None:
    register(llama)
    rule = '"<think>" ("because "){40} "</think>red"'
    found = run_json("ask", PROMPT, "-o", "grammar", f"root ::= {rule}", "--max-tokens", "900")
    assert found["time_to_first_chunk_s"] < found["duration_s"] / 2


def test_thinking_without_end_is_an_empty_answer(llama: Server, register: Register) -> None:
    register(llama)
    rule = '"<think>" ("because "){40} "</think>red"'
    words = ("ask", PROMPT, "-o", "grammar", f"root ::= {rule}", "--max-tokens", "30")
    found = run_json(*words, exit_code=4)
    assert found["failures"][0]["error_type"] == "empty_answer"
    call = calls_of(found["decision_id"])[0]
    assert (call["output_tokens"], call["finish_reasons"]) == (30, ["length"])
    assert call["cost_usd"] > 0


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_anthropics_api_gives_the_same_answer_and_usage(
    manner: str, llama: Server, register: Register
) -> None:
    said = llama.bare([{"role": "user", "content": PROMPT}], 24)
    register(llama, api="anthropic", base_url=llama.root)
    words = ("ask", PROMPT, manner, "--max-tokens", "24", "-o", "temperature", "0")
    found = run_json(*words)
    assert found["answer"] == said["choices"][0]["message"]["content"]
    assert found["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert found["usage"]["output_tokens"] == 24
    # Anthropic's input leaves out what was in the cache; ours has it.
    assert 0 < found["usage"]["cache_read_input_tokens"] < found["usage"]["input_tokens"]
    (call,) = calls_of(found["decision_id"])
    assert (found["finish_reason"], call["finish_reasons"]) == ("length", ["max_tokens"])


def test_anthropics_api_says_that_a_prompt_is_too_long(
    llama: Server, register: Register, tmp_path: Path
) -> None:
    register(llama, api="anthropic", base_url=llama.root)
    long = tmp_path / "long.txt"
    long.write_text("the quick brown fox " * 400)
    found = run_json("ask", "-f", long, "--max-tokens", "5", exit_code=4)
    assert found["failures"][0]["error_type"] == "context_too_long"
