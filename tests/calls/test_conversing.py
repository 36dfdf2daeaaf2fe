"""What `--continue` and `--conversation` send, and what `--no-log` keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.entities import Api
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.conversations import last_conversation
from rolecall.registry.storage.turns import read_turns
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan

SECRET = "zanzibar-kumquat-7719"
TOLD = "the-answer-was-quetzal-4471"


def said(api: Api, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return who said what in a request, system prompts included, in one shape for all APIs."""
    found: list[tuple[str, str]] = []
    if api == "anthropic":
        system = body.get("system", [])
        found += (
            [("system", system)]
            if isinstance(system, str)
            else [("system", block["text"]) for block in system]
        )
    if api == "gemini":
        blocks = body.get("systemInstruction", {}).get("parts", [])
        found += [("system", block["text"]) for block in blocks]
    for message in body["contents" if api == "gemini" else "messages"]:
        content = message["parts"] if api == "gemini" else message["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        role = {"model": "assistant"}.get(message["role"], message["role"])
        found.append((role, "".join(block["text"] for block in blocks)))
    return found


@pytest.mark.parametrize("api", APIS)
def test_going_on_sends_all_that_was_said(serving: Serving, rolecall: Rolecall, api: Api) -> None:
    serving.one(api)
    serving.server.plan("m", Plan(text="Hello, Ada."), Plan(text="Ada."), Plan())
    assert rolecall("ask", "My name is Ada.", "-s", "Be brief.").exit_code == 0
    assert rolecall("ask", "What is my name?", "-c").stdout == "Ada.\n"
    assert rolecall("ask", "And backwards?", "--continue").exit_code == 0
    assert said(api, serving.body()) == [
        ("system", "Be brief."),
        ("user", "My name is Ada."),
        ("assistant", "Hello, Ada."),
        ("user", "What is my name?"),
        ("assistant", "Ada."),
        ("user", "And backwards?"),
    ]


@pytest.mark.parametrize("api", APIS)
def test_going_on_after_a_tool_call_tells_that_the_tool_was_not_run(
    serving: Serving, rolecall: Rolecall, api: Api, tmp_path: Path
) -> None:
    serving.one(api)
    serving.server.plan("m", Plan(tool_calls=(("weather", '{"city": "Oslo"}'),)), Plan())
    tools = tmp_path / "tools.json"
    tools.write_text('[{"name": "weather", "parameters": {"type": "object"}}]')
    words = ("--tools", tools, "--conversation", "tea")
    assert rolecall("ask", "how is it in Oslo?", *words).exit_code == 0
    assert rolecall("ask", "and in Rome?", *words).exit_code == 0
    sent = json.dumps(serving.body()).replace("\\", "")  # some APIs have arguments as text
    call, result, question = map(sent.index, ('{"city": "Oslo"}', "not run", "and in Rome?"))
    assert call < result < question
    with open_registry(None) as db:
        kept = [turn.role for turn in read_turns(db, "tea")]
    assert kept == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize("api", APIS)
def test_a_new_system_prompt_takes_the_place_of_the_old_one(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api)
    rolecall("ask", "hello", "-s", "Be brief.", "--conversation", "tea")
    for _ in range(2):
        rolecall("ask", "hello again", "-s", "Be long.", "--conversation", "tea")
    rolecall("ask", "once more", "--conversation", "tea")
    systems = [text for role, text in said(api, serving.body()) if role == "system"]
    assert systems == ["Be long."]
    assert len(said(api, serving.body())) == 1 + 3 * 2 + 1


def test_conversations_are_kept_apart(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    rolecall("ask", "about tea", "--conversation", "tea")
    told = json.loads(rolecall("ask", "about milk", "--json").stdout)
    rolecall("ask", "more tea", "--conversation", "tea")
    texts = [text for _, text in said("openai", serving.body())]
    assert "about tea" in texts
    assert "about milk" not in texts
    rolecall("ask", "more milk", "--conversation", told["conversation_id"])
    texts = [text for role, text in said("openai", serving.body()) if role == "user"]
    assert texts == ["about milk", "more milk"]


def test_what_another_api_answered_is_told_to_the_next(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(Plan(text="I am the first."))
    rolecall("ask", "who are you?", "-e", first)
    rolecall("ask", "and you?", "-c", "-e", second)
    assert said("anthropic", serving.body("second")) == [
        ("user", "who are you?"),
        ("assistant", "I am the first."),
        ("user", "and you?"),
    ]


def test_a_failed_ask_adds_nothing_to_the_conversation(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan("m", Plan(), Plan(fault="bad_request"), Plan())
    rolecall("ask", "one")
    assert rolecall("ask", "two", "-c").exit_code == 4
    rolecall("ask", "three", "-c")
    users = [text for role, text in said("openai", serving.body()) if role == "user"]
    assert users == ["one", "three"]


def test_the_text_of_a_broken_attempt_is_not_kept(serving: Serving, rolecall: Rolecall) -> None:
    serving.first_and_second(Plan(text=f"{TOLD} and more", fault="cut", at="middle"))
    rolecall("ask", "hello", "--conversation", "tea")
    with open_registry(None) as db:
        turns = read_turns(db, "tea")
    assert [turn.role for turn in turns] == ["user", "assistant"]
    assert TOLD not in repr(turns)


def registry_bytes() -> bytes:
    """Return every byte of the registry and of the files that SQLite keeps beside it."""
    path = Path(os.environ["ROLECALL_REGISTRY"])
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


@pytest.mark.parametrize("fault", [None, "cut", "content_refused"])
def test_without_a_log_neither_prompt_nor_answer_is_in_the_file(
    serving: Serving, rolecall: Rolecall, fault: str | None, tmp_path: Path
) -> None:
    broken = {
        "cut": Plan(text=f"{TOLD} and more", fault="cut", at="middle"),
        "content_refused": Plan(text=f"{TOLD} and more", fault="refused_content", at="middle"),
    }
    serving.first_and_second(broken.get(fault or "", Plan(text=TOLD)))
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "title": SECRET}))
    for words in ([], ["--conversation", "tea"], ["--check", f"grep {SECRET}"]):
        result = rolecall("ask", f"why {SECRET}?", "-s", SECRET, "--no-log", *words)
        assert result.exit_code == (7 if "--check" in words else 0)
    rolecall("ask", SECRET, "--no-log", "--schema", schema)
    assert len(serving.calls()) >= 4
    assert SECRET.encode() not in registry_bytes()
    assert TOLD.encode() not in registry_bytes()
    with open_registry(None) as db:
        assert last_conversation(db, None, None) is None


def test_a_logged_prompt_is_in_the_file(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    rolecall("ask", SECRET)
    assert SECRET.encode() in registry_bytes()


def test_an_unlogged_conversation_cannot_be_gone_on_with(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    rolecall("ask", "hello", "--no-log")
    result = rolecall("ask", "again", "-c")
    assert result.exit_code == 2
    assert "--no-log" in result.stderr


def test_without_a_log_what_fails_the_schema_is_not_quoted_in_the_file(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one()
    serving.server.plan("m", Plan(text=json.dumps({"total": TOLD})))
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"total": {"type": "number"}}}')
    logged = rolecall("ask", "the total?", "--schema", schema, "--conversation", "tea")
    assert TOLD in logged.stderr
    assert TOLD.encode() in registry_bytes()
    Path(os.environ["ROLECALL_REGISTRY"]).unlink()
    serving.one()
    unlogged = rolecall("ask", "the total?", "--schema", schema, "--no-log", "--json")
    assert json.loads(unlogged.stdout)["outcomes"][0]["score"] == 0
    assert TOLD in unlogged.stderr
    assert TOLD.encode() not in registry_bytes()


def test_without_a_log_what_an_error_quotes_is_not_in_the_file(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("gemini")
    serving.server.plan("m", Plan(text="kumquat and more", fault="garble"))
    logged = rolecall("ask", "hello")
    assert "kumquat" in logged.stderr
    assert b"kumquat" in registry_bytes()
    Path(os.environ["ROLECALL_REGISTRY"]).unlink()
    serving.one("gemini")
    unlogged = rolecall("ask", "hello", "--no-log")
    assert "kumquat" in unlogged.stderr
    assert [call.error_type for call in serving.calls()] == ["invalid_response"] * 3
    assert b"kumquat" not in registry_bytes()
