"""What a real server answers, as rolecall shows, counts and times it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.program import calls_of, run, run_json
from tests.live.servers import KEY_ENV, Server

if TYPE_CHECKING:
    from tests.live.conftest import Register

PROMPT = "name the things that lie in a forest"
GREEDY = ("-o", "temperature", "0")


@pytest.mark.parametrize("manner", ["--stream", "--no-stream"])
def test_an_answer_and_its_usage_are_what_the_server_says(
    manner: str, server: Server, register: Register
) -> None:
    register(server)
    said = server.bare([{"role": "user", "content": PROMPT}], 24)
    found = run_json("ask", PROMPT, manner, "--max-tokens", "24", *GREEDY)
    assert found["answer"] == said["choices"][0]["message"]["content"]
    assert found["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert found["usage"]["output_tokens"] == said["usage"]["completion_tokens"] == 24
    assert (found["finish_reason"], found["model"]) == ("length", said["model"])
    (call,) = calls_of(found["decision_id"])
    assert (call["input_tokens"], call["output_tokens"]) == (said["usage"]["prompt_tokens"], 24)
    assert (call["error_type"], call["finish_reasons"]) == (None, ["length"])
    assert call["response_id"]
    cost = (call["input_tokens"] * 1 + 24 * 2) / 1_000_000
    assert call["cost_usd"] == pytest.approx(cost)


def test_a_pipe_gets_the_answer_alone(server: Server, register: Register) -> None:
    register(server)
    said = server.bare([{"role": "user", "content": PROMPT}], 9)
    ran = run("ask", PROMPT, "--max-tokens", "9", *GREEDY)
    assert ran.exit_code == 0
    assert ran.stdout == said["choices"][0]["message"]["content"] + "\n"
    note, summary = ran.stderr.splitlines()
    assert note == "note: the answer was cut off: it reached its limit of 9 tokens"
    assert re.fullmatch(
        rf"{server.kind}/tiny · .+ m?s \(first .+ m?s\) · \d+ in, 9 out · \$\S+ · \w+", summary
    )


def test_a_stop_word_ends_an_answer_by_itself(server: Server, register: Register) -> None:
    register(server)
    said = server.bare([{"role": "user", "content": PROMPT}], 24)
    words = said["choices"][0]["message"]["content"].split()
    found = run_json("ask", PROMPT, "--max-tokens", "24", "-o", "stop", words[4], *GREEDY)
    assert found["finish_reason"] == "stop"
    assert found["usage"]["output_tokens"] == 5
    # transformers gives the stop word too, llama.cpp as OpenAI does not.
    assert found["answer"].split() in (words[:4], words[:5])


@pytest.mark.parametrize("tokens", [2, 100])
def test_times_add_up_to_the_whole(tokens: int, server: Server, register: Register) -> None:
    register(server)
    begun = time.monotonic()
    found = run_json("ask", PROMPT, "--max-tokens", str(tokens), *GREEDY)
    passed_s = time.monotonic() - begun
    first_s, each_s = found["time_to_first_chunk_s"], found["time_per_output_token_s"]
    text_s = first_s + (tokens - 1) * each_s
    assert 0 < first_s < text_s <= found["duration_s"] < passed_s
    # After the last token comes only the finish marker.
    assert found["duration_s"] - text_s < 0.2


def test_an_answer_in_one_piece_has_no_first_token(server: Server, register: Register) -> None:
    register(server)
    found = run_json("ask", PROMPT, "--no-stream", "--max-tokens", "5", *GREEDY)
    assert found["time_to_first_chunk_s"] is None
    assert found["time_per_output_token_s"] is None
    assert found["duration_s"] > 0


def test_a_long_prompt_shows_in_the_first_token(
    server: Server, register: Register, tmp_path: Path
) -> None:
    register(server)
    long = tmp_path / "long.txt"
    long.write_text("the quick brown fox " * 170)
    words = ("--max-tokens", "20", *GREEDY)
    run_json("ask", "warm up", *words)
    short = run_json("ask", PROMPT, *words)
    slow = run_json("ask", "-f", long, *words)
    assert slow["usage"]["input_tokens"] > 20 * short["usage"]["input_tokens"]
    assert slow["time_to_first_chunk_s"] > 3 * short["time_to_first_chunk_s"]


def test_a_conversation_is_sent_whole(server: Server, register: Register) -> None:
    register(server)
    words = ("--max-tokens", "10", *GREEDY)
    first = run_json("ask", "what grows?", "-s", "be brief", *words)
    second = run_json("ask", "what else?", "-c", *words)
    assert second["conversation_id"] == first["conversation_id"]
    said = server.bare(
        [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "what grows?"},
            {"role": "assistant", "content": first["answer"]},
            {"role": "user", "content": "what else?"},
        ],
        10,
    )
    assert second["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert second["answer"] == said["choices"][0]["message"]["content"]


def test_tools_in_a_history_are_sent_as_they_are(
    server: Server, register: Register, tmp_path: Path
) -> None:
    register(server)
    asked: dict[str, Any] = {"id": "call_1", "type": "function"}
    asked["function"] = {"name": "look", "arguments": '{"where": "lake"}'}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "what swims?"},
        {"role": "assistant", "content": None, "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_1", "content": "an otter"},
        {"role": "user", "content": "and?"},
    ]
    file = tmp_path / "messages.json"
    file.write_text(json.dumps({"messages": messages}))
    said = server.bare(messages, 10)
    found = run_json("ask", "--messages", file, "--max-tokens", "10", *GREEDY)
    assert found["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert found["answer"] == said["choices"][0]["message"]["content"]


def test_a_probe_is_what_the_next_decision_reads(server: Server, register: Register) -> None:
    register(server)
    (before,) = run_json("route", PROMPT)["candidates"]
    assert "measured" not in before["sources"].values()
    (probed,) = run_json("probe")["probes"]
    call = probed["call"]
    assert (call["sample_source"], call["error_type"]) == ("probe", None)
    assert call["output_tokens"] == 256
    assert probed["tokens_per_s"] == pytest.approx(1 / call["time_per_output_token_s"])
    (after,) = run_json("route", PROMPT)["candidates"]
    assert after["sources"]["ttft_s"] == after["sources"]["itl_s"] == "measured"


def test_an_endpoint_added_by_hand_answers(server: Server, register: Register) -> None:
    register()
    added = run(
        *("endpoints", "add", "lab/tiny", "--model", "tiny", "--base-url", server.base_url),
        *("--remote-model", server.model, "--key-env", KEY_ENV),
    )
    assert added.exit_code == 0, added.stderr
    found = run_json("ask", PROMPT, "--max-tokens", "5")
    assert (found["endpoint"], found["usage"]["output_tokens"]) == ("lab/tiny", 5)
    assert found["cost_usd"] is None  # no price is known
