"""Real servers that refuse, stall, break off and die, as rolecall tells and records it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.calls.processes import running
from tests.live.program import calls_of, last_calls, run, run_json
from tests.live.servers import CONTEXT_TOKENS, KEY, KEY_ENV, Server

if TYPE_CHECKING:
    from tests.live.conftest import Register

PROMPT = "name the things that lie in a forest"
LONG_ANSWER = ("--max-tokens", str(CONTEXT_TOKENS - 100))


def test_a_server_killed_in_mid_answer_is_a_cut_stream(
    own_server: Server, register: Register
) -> None:
    register(own_server)
    with running("ask", PROMPT, *LONG_ANSWER, terminal="out") as asking:
        asking.wait_for(lambda: bool(asking.screen))
        own_server.process.kill()
        code, _, err = asking.end()
    assert code == 4
    assert "broke off" in err
    assert "no endpoint answered" in err
    cut, *again = last_calls()
    assert cut["error_type"] == "stream_cut"
    assert cut["time_to_first_chunk_s"] > 0
    assert cut["finish_reasons"] == []
    assert cut["cost_usd"] is None  # nobody said what was used
    assert [call["error_type"] for call in again] == ["connect_failed"]
    assert again[0]["cost_usd"] == 0
    found = run_json("ask", PROMPT, exit_code=4)
    assert {one["error_type"] for one in found["failures"]} >= {"connect_failed"}
    assert run("registry", "check").exit_code == 0


def test_a_server_that_stands_still_in_mid_answer_is_not_waited_for(
    server: Server, register: Register
) -> None:
    register(server)
    with running("ask", PROMPT, "--idle-timeout", "0.5", *LONG_ANSWER, terminal="out") as asking:
        asking.wait_for(lambda: bool(asking.screen))
        server.process.send_signal(signal.SIGSTOP)
        try:
            code, _, _ = asking.end()
        finally:
            server.process.send_signal(signal.SIGCONT)
    assert code == 4
    (call,) = last_calls()
    assert call["error_type"] == "idle_timeout"
    assert call["time_to_first_chunk_s"] < call["duration_s"] - 0.5


def test_a_server_that_stands_still_from_the_start_is_not_waited_for(
    server: Server, register: Register
) -> None:
    register(server)
    server.process.send_signal(signal.SIGSTOP)
    try:
        found = run_json("ask", PROMPT, "--first-token-timeout", "0.5", exit_code=4)
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert found["failures"][0]["error_type"] == "first_token_timeout"
    (call,) = calls_of(found["decision_id"])
    assert 0.5 <= call["duration_s"] < 5


def test_ctrl_c_stops_the_server_too(server: Server, register: Register) -> None:
    register(server)
    with running("ask", PROMPT, *LONG_ANSWER, terminal="out") as asking:
        asking.wait_for(lambda: bool(asking.screen))
        asking.stop(signal.SIGINT)
        code, _, _ = asking.end()
    assert code == 130
    (call,) = last_calls()
    assert (call["error_type"], call["output_tokens"]) == ("interrupted", None)
    assert call["time_to_first_chunk_s"] > 0
    # Both serve one request after the other; the rest of that answer takes them many seconds.
    after = run_json("ask", PROMPT, "--max-tokens", "5")
    assert after["time_to_first_chunk_s"] < 2


def test_a_wrong_address_is_not_found(server: Server, register: Register) -> None:
    register(server, base_url=f"{server.root}/v2")
    found = run_json("ask", PROMPT, exit_code=4)
    (failure,) = found["failures"]
    assert failure["error_type"] == "not_found"
    (call,) = calls_of(found["decision_id"])
    assert (call["status_code"], call["cost_usd"]) == (404, 0)


def test_a_model_that_transformers_does_not_serve_is_refused(
    transformers: Server, register: Register
) -> None:
    register(transformers, remote_model="other")
    found = run_json("ask", PROMPT, exit_code=4)
    (failure,) = found["failures"]
    # It says 400, and "pinned to 'tiny'" where others say that there is no such model.
    assert failure["error_type"] in ("not_found", "bad_request")
    assert "other" in failure["message"]
    (call,) = calls_of(found["decision_id"])
    assert (call["status_code"], call["request_model"]) == (400, "other")


def test_llama_answers_for_any_model_and_the_record_says_which(
    llama: Server, register: Register
) -> None:
    register(llama, remote_model="other")
    found = run_json("ask", PROMPT, "--max-tokens", "5")
    (call,) = calls_of(found["decision_id"])
    assert call["request_model"] == "other"
    assert call["response_model"] == found["model"]


def test_a_parameter_that_transformers_refuses_is_named_and_can_be_dropped(
    transformers: Server, register: Register
) -> None:
    register(transformers)
    words = ("ask", PROMPT, "--max-tokens", "5", "-o", "top_k", "5")
    refused = run_json(*words, exit_code=4)
    assert refused["failures"][0]["error_type"] == "parameter_unsupported"
    answered = run_json(*words, "--allow-drop")
    assert answered["usage"]["output_tokens"] == 5
    assert [one["error_type"] for one in answered["failures"]] == ["parameter_unsupported"]


def test_an_error_in_place_of_text_is_no_answer(transformers: Server, register: Register) -> None:
    register(transformers)
    words = ("ask", PROMPT, "-o", "logit_bias", '{"999999": 5.5}')
    streamed = run_json(*words, exit_code=4)
    assert {one["error_type"] for one in streamed["failures"]} == {"stream_error"}
    assert "vocabulary" in streamed["failures"][0]["message"]
    assert calls_of(streamed["decision_id"])[0]["status_code"] == 200


def test_an_error_of_the_server_itself_is_told(transformers: Server, register: Register) -> None:
    register(transformers)
    words = ("ask", PROMPT, "--no-stream", "-o", "logit_bias", '{"999999": 5.5}')
    found = run_json(*words, exit_code=4)
    assert found["failures"][0]["error_type"] == "server_error"
    assert calls_of(found["decision_id"])[0]["status_code"] == 500


def test_the_record_before_the_first_word_is_no_first_token(
    transformers: Server, register: Register, tmp_path: Path
) -> None:
    register(transformers)
    long = tmp_path / "long.txt"
    long.write_text("the quick brown fox " * 600)
    # Who speaks is told at once; the first word takes as long as reading the prompt.
    found = run_json("ask", "-f", long, "--first-token-timeout", "0.3", exit_code=4)
    assert found["failures"][0]["error_type"] == "first_token_timeout"
    (call,) = calls_of(found["decision_id"])
    assert (call["status_code"], call["time_to_first_chunk_s"]) == (200, None)


def test_a_prompt_over_the_context_goes_to_the_next_endpoint(
    llama: Server, transformers: Server, register: Register, tmp_path: Path
) -> None:
    register(llama, transformers)
    long = tmp_path / "long.txt"
    long.write_text("the quick brown fox " * 400)
    alone = run_json("ask", "-f", long, "-e", "llama/*", "--max-tokens", "5", exit_code=4)
    assert alone["failures"][0]["error_type"] == "context_too_long"
    assert calls_of(alone["decision_id"])[0]["status_code"] == 400
    # It is no sign that the endpoint is down.
    assert run("ask", PROMPT, "-e", "llama/*", "--max-tokens", "5").exit_code == 0
    ranked = run_json("route", "-f", long)["candidates"]
    found = run_json("ask", "-f", long, "--max-tokens", "5")
    assert found["endpoint"] == "transformers/tiny"
    assert found["usage"]["input_tokens"] > CONTEXT_TOKENS
    failed = [one["endpoint"] for one in found["failures"]]
    assert failed == (["llama/tiny"] if ranked[0]["endpoint"] == "llama/tiny" else [])


def test_a_wrong_key_is_told_and_no_key_is_kept(
    llama: Server, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(llama)
    right = run_json("ask", PROMPT, "--max-tokens", "5")
    wrong = "sk-wrong-9876543210"
    monkeypatch.setenv(KEY_ENV, wrong)
    refused = run_json("ask", PROMPT, exit_code=4)
    assert refused["failures"][0]["error_type"] == "auth"
    assert calls_of(refused["decision_id"])[0]["status_code"] == 401
    folder = Path(os.environ["ROLECALL_REGISTRY"]).parent
    kept = b"".join(path.read_bytes() for path in folder.glob("registry.db*"))
    shown = f"{right}{refused}".encode()
    for key in (KEY, wrong):
        assert key.encode() not in kept + shown
