"""Which fields of a request are parameters, which are labels, and what is said of the rest."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.chat.fields import KNOWN, ROUTING, is_secret
from rolecall.registry.chat.options import parse_option
from rolecall.registry.chat.parse import parse_chat, parse_row, request_of
from rolecall.registry.core.chat import Chat
from rolecall.registry.core.errors import UsageError

HI = {"role": "user", "content": "hi"}
LABELS = {
    **{"answer": "56", "expected": "56", "category": "math", "_id": "7", "dataset": "gsm"},
    **{"metadata": {"source": "web"}, "user": "annotator 3", "reasoning": "7 times 8 is 56"},
    **{"options": ["54", "56"], "documents": ["d1"], "models": ["a"], "provider": "p"},
    **{"format": "number", "text": "other", "model": "gpt", "id": "q1"},
}
SECRETS = (
    *("api_key", "openai_api_key", "apiKey", "Authorization", "authorization", "token"),
    *("access_token", "aws_secret_access_key", "aws_access_key_id", "extra_headers", "headers"),
    *("password", "azure_ad_token", "vertex_credentials", "x-api-key", "cookie"),
)


def body(**fields: Any) -> Chat:
    return parse_chat({"messages": [HI], **fields}, name="x")


def test_the_labels_of_a_row_are_no_parameters_and_not_worth_a_word() -> None:
    for row in ({"prompt": "hi", **LABELS}, {"messages": [HI], **LABELS}):
        chat, _ = parse_row(row, name="x")
        assert (chat.options, chat.notes, chat.schema) == ({}, (), None)
    chat = parse_chat({"prompt": "hi", **LABELS}, name="x")
    assert (chat.options, chat.notes) == ({}, ())


def test_the_parameters_of_a_row_are_kept() -> None:
    row = {"prompt": "hi", "answer": "56", "temperature": 0.2, "max_tokens": 9, "seed": 3}
    chat, _ = parse_row(row, name="x")
    assert (chat.options, chat.max_tokens) == ({"temperature": 0.2, "seed": 3}, 9)


def test_a_word_under_the_name_of_a_number_is_a_label_of_a_row() -> None:
    row = {"prompt": "hi", "temperature": "hot", "seed": "oak", "top_p": "0.5", "verbosity": "low"}
    chat, _ = parse_row(row, name="x")
    assert chat.options == {"top_p": "0.5", "verbosity": "low"}
    assert chat.notes == ()
    assert body(temperature="hot").options == {"temperature": "hot"}


def test_a_rows_request_under_body_is_a_whole_request() -> None:
    row = {"custom_id": "1", "dataset": "d", "body": {"messages": [HI], "user": "u", "answer": "5"}}
    chat, _ = parse_row(row, name="x")
    assert chat.options == {"user": "u"}
    [note] = chat.notes
    assert "answer" in note
    assert "dataset" not in note


def test_a_body_that_is_a_text_is_a_label_of_a_row_with_a_prompt() -> None:
    chat, _ = parse_row({"prompt": "hi", "body": "dear all"}, name="x")
    assert request_of(chat).messages[0].text == "hi"


def test_what_is_no_parameter_of_a_whole_request_is_left_out_by_name() -> None:
    chat = body(answer="56", dataset="gsm", seed=7)
    assert chat.options == {"seed": 7}
    assert chat.notes == (
        "left out of the request: answer, dataset"
        " (no known request parameter; --allow-pass sends it)",
    )
    assert request_of(chat).notes == chat.notes


def test_words_that_choose_who_serves_a_request_are_left_out_unless_they_may_pass() -> None:
    fields = {"models": ["a/b"], "provider": {"order": ["c"]}, "service_tier": "flex", "foo": 1}
    chat = body(**fields)
    assert chat.options == {}
    assert any("models, provider, service_tier (chosen at the provider" in n for n in chat.notes)
    passed = parse_chat({"messages": [HI], **fields}, name="x", allow_pass=True)
    assert (passed.options, passed.notes) == (fields, ())


def test_the_words_that_choose_a_provider_are_no_known_parameters() -> None:
    assert not ROUTING & KNOWN


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("place", ["body", "extra_body", "options", "row"])
def test_a_secret_goes_nowhere_and_is_named_without_its_value(name: str, place: str) -> None:
    given: dict[str, Any] = {name: "sk-very-secret"}
    nested = {place: given} if place in ("extra_body", "options") else given
    said = {"prompt": "hi"} if place == "row" else {"messages": [HI]}
    chat = parse_chat({**said, **nested}, name="x", allow_pass=True)
    assert "sk-very-secret" not in repr(chat)
    [note] = chat.notes
    assert f"{name} (may be secret" in note
    with pytest.raises(UsageError, match="may be secret"):
        parse_option(name, "sk-very-secret")


@pytest.mark.parametrize("allow_pass", [True, False])
@pytest.mark.parametrize("name", ["litellm_params", "metadata", "trace"])
def test_an_object_that_holds_a_secret_goes_nowhere(name: str, allow_pass: bool) -> None:
    held = {"a": [{"api_key": "sk-very-secret"}]}
    chat = parse_chat({"messages": [HI], name: held}, name="x", allow_pass=allow_pass)
    assert chat.options == {}
    [note] = chat.notes
    assert (name in note, "sk-very-secret" in note) == (True, False)


def test_a_prompt_beside_messages_is_said_to_be_left_out() -> None:
    assert body(prompt="more").notes[0].startswith("left out of the request: prompt (")


def test_images_beside_a_prompt_are_attached_and_labels_of_that_name_are_not() -> None:
    png = base64.b64encode(b"\x89PNG\r\n" + bytes(20)).decode()
    pictured = parse_chat({"prompt": "what?", "images": [png]}, name="x")
    assert request_of(pictured).messages[0].attachments == ("image",)
    for label in (3, [{"path": "a.png"}], "a.png"):
        labelled = parse_chat({"prompt": "what?", "images": label}, name="x")
        assert request_of(labelled).messages[0].attachments == ()
    with pytest.raises(UsageError, match=r"^x: images\[0\]"):
        parse_chat({"prompt": "what?", "images": ["a.png"]}, name="x")


@pytest.mark.parametrize("name", ["prompt_cache_key", "max_tokens", "min_tokens", "monkey"])
def test_a_name_that_only_sounds_like_a_secret_is_none(name: str) -> None:
    assert not is_secret(name)


def test_extra_body_passes_what_its_author_knows_but_not_who_serves() -> None:
    chat = body(extra_body={"top_k": 4, "brand_new": 1, "route": "fallback"})
    assert chat.options == {"top_k": 4, "brand_new": 1}
    assert len(chat.notes) == 1
    assert "route (chosen at the provider" in chat.notes[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0.1, "top_p": 0.5, "top_k": 3, "stop": ["E"], "max_tokens": 8, "seed": 1},
        {
            "options": {
                **{"temperature": 0.1, "top_p": 0.5, "top_k": 3, "stop": ["E"]},
                **{"num_predict": 8, "seed": 1},
            }
        },
        {
            "generationConfig": {
                **{"temperature": 0.1, "topP": 0.5, "topK": 3, "stopSequences": ["E"]},
                **{"maxOutputTokens": 8, "seed": 1},
            }
        },
        {
            "generation_config": {
                **{"temperature": 0.1, "top_p": 0.5, "top_k": 3, "stop_sequences": ["E"]},
                **{"max_output_tokens": 8, "seed": 1},
            }
        },
    ],
)
def test_settings_are_the_same_under_every_servers_names(fields: dict[str, Any]) -> None:
    chat = body(**fields)
    wanted = {"temperature": 0.1, "top_p": 0.5, "top_k": 3, "stop": ["E"], "seed": 1}
    assert (chat.options, chat.max_tokens, chat.notes) == (wanted, 8, ())


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"think": True}, {"reasoning_effort": "medium"}),
        ({"think": False}, {"reasoning_effort": "none"}),
        ({"think": "high"}, {"reasoning_effort": "high"}),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 99}}}, {"thinking_budget": 99}),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
         {"reasoning_effort": "none"}),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, {}),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}},
         {"reasoning_effort": "high"}),
        ({"generationConfig": {"candidateCount": 2}}, {"n": 2}),
        ({"generationConfig": {"responseLogprobs": True, "logprobs": 3}},
         {"logprobs": True, "top_logprobs": 3}),
        ({"num_predict": -1}, {}),
        ({"text": {"verbosity": "low", "format": {"type": "text"}}}, {"verbosity": "low"}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"metadata": {"user_id": "u", "team": "t"}},
         {"user": "u", "metadata": {"user_id": "u", "team": "t"}}),
        ({"logit_bias": {}, "stop": [], "suffix": "", "seed": None}, {}),
    ],
)  # fmt: skip
def test_each_servers_own_shape_is_read(fields: dict[str, Any], options: dict[str, Any]) -> None:
    chat = body(**fields)
    assert (chat.options, chat.notes) == (options, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n", 1), ("logprobs", False), ("top_logprobs", 0), ("presence_penalty", 0)],
        *[("frequency_penalty", 0.0), ("logit_bias", {}), ("parallel_tool_calls", True)],
        *[("store", False), ("temperature", 1), ("top_p", 1.0), ("modalities", ["text"])],
        *[("tool_choice", "auto"), ("tool_choice", "none"), ("tools", []), ("stop", [])],
        *[("response_format", {"type": "text"}), ("seed", None), ("stop", None), ("user", "")],
        *[("repetition_penalty", 1), ("min_p", 0), ("verbosity", "medium"), ("best_of", 1)],
        *[("stream", True), ("stream_options", {"include_usage": True}), ("echo", False)],
    ],
)
def test_a_neutral_value_asks_no_endpoint_for_anything(name: str, value: Any) -> None:
    assert request_of(body(**{name: value})).parameters == ()


@pytest.mark.parametrize("value", [2, 3])
def test_more_than_one_answer_is_asked_for_all_the_same(value: int) -> None:
    assert request_of(body(n=value)).parameters == ("n",)


def test_what_a_message_says_that_is_not_read_is_named_once() -> None:
    message = {**HI, "weight": 0, "prefix": True, "id": "m1"}
    part = {"type": "text", "text": "more", "shade": "red"}
    chat = parse_chat({"messages": [message, {"role": "user", "content": [part]}]}, name="x")
    assert chat.notes == ("left out of the messages: weight, prefix, shade (not read)",)


def test_a_note_is_bounded_and_printable() -> None:
    many = {f"label_{number}": 1 for number in range(100)} | {"\x1b[31mred": 1}
    [note] = body(**{"\x1b[31m": 1}, **many).notes
    assert "\x1b" not in note
    assert "and 94 more" in note
    assert len(note) < 600


@given(
    st.dictionaries(
        st.sampled_from([*LABELS, *SECRETS, *sorted(KNOWN), *sorted(ROUTING), "zzz"]),
        st.none() | st.integers() | st.text(max_size=5),
        max_size=6,
    )
)
def test_every_field_of_a_request_is_kept_or_named_or_empty(fields: dict[str, Any]) -> None:
    try:
        chat = body(**fields)
    except UsageError:
        return
    said = " ".join(chat.notes)
    quiet = {"model", "format", "text", "reasoning"}
    for name, value in fields.items():
        is_read = name in chat.options or name in said or name in quiet
        assert is_read or value in (None, ""), name
