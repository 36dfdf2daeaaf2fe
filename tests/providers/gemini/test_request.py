from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.core.chat import Media, Text, Thinking, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.providers.gemini.request import GEMINI
from tests.providers.targets import (
    CALL,
    QUESTION,
    RESULT,
    WEATHER,
    assistant,
    body,
    chat,
    target,
    user,
)

FLASH = target("gemini", "gemini-3.5-flash", most=65_536)
OLDER = target("gemini", "gemini-2.5-flash", most=65_536)


def built(*turns: Turn, **fields: Any) -> dict[str, Any]:
    return body(GEMINI, FLASH, chat(*turns, **fields))


def config(**options: Any) -> dict[str, Any]:
    return dict(built(options=options).get("generationConfig", {}))


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://g.test", "https://g.test/v1beta/models/gemini-3.5-flash"),
        ("https://g.test/v1beta/", "https://g.test/v1beta/models/gemini-3.5-flash"),
        ("https://g.test/v1", "https://g.test/v1/models/gemini-3.5-flash"),
        (
            "https://g.test/v1/publishers/google",
            "https://g.test/v1/publishers/google/models/gemini-3.5-flash",
        ),
    ],
)
def test_a_base_url_leads_to_the_model(base_url: str, url: str) -> None:
    place = target("gemini", "gemini-3.5-flash", base_url=base_url)
    streamed = GEMINI.build(place, chat(), stream=True).url
    assert streamed == f"{url}:streamGenerateContent?alt=sse"
    assert GEMINI.build(place, chat(), stream=False).url == f"{url}:generateContent"


def test_a_model_may_be_named_by_its_path_and_a_base_url_have_a_query() -> None:
    place = target("gemini", "models/gemini-3.5-flash", base_url="https://g.test/v1?a=1")
    url = GEMINI.build(place, chat(), stream=True).url
    assert url == "https://g.test/v1/models/gemini-3.5-flash:streamGenerateContent?a=1&alt=sse"


def test_the_key_is_a_header_and_never_in_the_url() -> None:
    request = GEMINI.build(FLASH, chat(), stream=True)
    assert request.headers == {"x-goog-api-key": "secret-key"}
    assert "secret-key" not in repr(request)
    assert "secret-key" not in str(request.body)


def test_a_plain_question_is_one_content() -> None:
    assert built() == {
        "contents": [{"role": "user", "parts": [{"text": "What is the weather in Oslo?"}]}]
    }


def test_turns_become_contents_in_turn_and_system_turns_the_instruction() -> None:
    sent = built(
        Turn("system", (Text("Be brief."),)),
        user("one"),
        user("two"),
        assistant(Thinking("hm", "gemini"), Text("three")),
        Turn("system", (Text("In French."),)),
        assistant(Text("four"), Text("")),
    )
    assert sent == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "In French."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "one"}, {"text": "two"}]},
            {"role": "model", "parts": [{"text": "three"}, {"text": "four"}]},
        ],
    }


def test_attachments_are_sent_inline_or_by_url() -> None:
    sent = built(
        Turn(
            "user",
            (
                Media("image", data="aGk="),
                Media("pdf", "application/pdf", url="https://x.test/b.pdf"),
                Media("audio", "audio/mpeg", data="SUQz"),
                Media("video", url="https://youtu.be/x"),
            ),
        )
    )
    assert sent["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/b.pdf"}},
        {"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
    ]


def test_a_call_and_its_result_name_the_tool_and_each_other() -> None:
    signed = ToolCall("call_7", "get_weather", '{"city":"Oslo"}', "c2ln")
    sent = built(QUESTION, assistant(signed), RESULT)
    assert sent["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {
                        "id": "call_7",
                        "name": "get_weather",
                        "args": {"city": "Oslo"},
                    },
                    "thoughtSignature": "c2ln",
                }
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "call_7",
                        "name": "get_weather",
                        "response": {"result": "4 degrees"},
                    }
                }
            ],
        },
    ]


@pytest.mark.parametrize(
    ("result", "response"),
    [
        (ToolResult("call_7", (Text('{"degrees":4}'),)), {"degrees": 4}),
        (ToolResult("call_7", (Text("[1]"),)), {"result": "[1]"}),
        (ToolResult("call_7", ()), {"result": ""}),
        (ToolResult("call_7", (Text("a"), Text("b"))), {"result": "a\nb"}),
        (ToolResult("call_7", (Text('{"a":1}'),), is_error=True), {"error": '{"a":1}'}),
    ],
)
def test_a_result_is_always_an_object(result: ToolResult, response: Any) -> None:
    sent = built(QUESTION, assistant(CALL), Turn("tool", (result,)))
    assert sent["contents"][2]["parts"][0]["functionResponse"]["response"] == response


def test_what_a_tool_shows_stands_in_its_result_or_for_older_models_after_all() -> None:
    image = Media("image", "image/png", data="aGk=")
    results = Turn("tool", (ToolResult("a", (image,)), ToolResult("b", (Text("x"),))))
    calls = assistant(ToolCall("a", "one", "{}"), ToolCall("b", "two", "{}"))
    asked = chat(QUESTION, calls, results)
    piece = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    new = body(GEMINI, FLASH, asked)["contents"][2]["parts"]
    assert new[0]["functionResponse"]["parts"] == [piece]
    assert len(new) == 2
    old = body(GEMINI, OLDER, asked)["contents"][2]["parts"]
    assert old[2] == piece
    assert "parts" not in old[0]["functionResponse"]


def test_ids_that_are_counted_anew_in_each_answer_are_told_apart() -> None:
    call = ToolCall("call_0", "get", "{}")
    answer = Turn("tool", (ToolResult("call_0", (Text("x"),)),))
    sent = built(QUESTION, assistant(call), answer, assistant(call), answer)
    ids = [
        (part.get("functionCall") or part["functionResponse"])["id"]
        for content in sent["contents"][1:]
        for part in content["parts"]
    ]
    assert ids == ["call_0", "call_0", "call_0_2", "call_0_2"]


def test_calls_of_other_models_get_the_documented_signature_once_a_step() -> None:
    turns = (
        QUESTION,
        assistant(ToolCall("a", "one", "{}"), ToolCall("b", "two", "{}")),
        Turn("tool", (ToolResult("a", ()), ToolResult("b", ()))),
        assistant(ToolCall("c", "one", "{}", "c2ln"), ToolCall("d", "two", "{}")),
    )

    def signatures(model: str) -> list[str | None]:
        contents = body(GEMINI, target("gemini", model), chat(*turns))["contents"]
        parts = [part for content in contents for part in content["parts"]]
        return [part.get("thoughtSignature") for part in parts if "functionCall" in part]

    skip = "skip_thought_signature_validator"
    assert signatures("gemini-3-pro-preview") == [skip, None, "c2ln", None]
    assert signatures("gemini-flash-latest") == [skip, None, "c2ln", None]
    assert signatures("gemini-2.5-pro") == [None, None, "c2ln", None]
    assert signatures("gemma-4-31b-it") == [None, None, "c2ln", None]


def test_tools_are_declared_and_those_of_other_providers_left_out() -> None:
    native = Tool("web_search", native={"type": "web_search_20250305", "name": "web_search"})
    dialect = Tool("dial", parameters={"$schema": "https://json-schema.org/x", "type": "object"})
    sent = built(tools=(WEATHER, Tool("now"), dialect, native))
    assert sent["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "get_weather",
                    "description": "Tells the weather in a place",
                    "parametersJsonSchema": dict(WEATHER.parameters),
                },
                {"name": "now"},
                {"name": "dial", "parametersJsonSchema": {"type": "object"}},
            ]
        }
    ]
    assert "toolConfig" not in sent


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"name": "get_weather"}, {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}),
    ],
)
def test_the_choice_of_tools_is_told_in_the_words_of_the_api(choice: Any, calling: Any) -> None:
    sent = built(tools=(WEATHER,), options={"tool_choice": choice})
    assert sent["toolConfig"] == {"functionCallingConfig": calling}
    assert "toolConfig" not in built(options={"tool_choice": choice})


def test_options_go_by_their_names_at_the_api() -> None:
    assert config(
        temperature=0.2,
        top_p=0.9,
        top_k=40,
        stop=["END"],
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        parallel_tool_calls=False,
        unheard_of=1,
    ) == {
        "temperature": 0.2,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
    }


def test_the_output_is_limited_as_asked() -> None:
    assert built(max_tokens=500)["generationConfig"] == {"maxOutputTokens": 500}


def test_a_schema_or_any_json_can_be_asked_for() -> None:
    schema = {"$schema": "x", "type": "object", "properties": {"x": {"type": "string"}}}
    assert built(schema=schema)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"x": {"type": "string"}}},
    }
    assert built(schema={})["generationConfig"] == {"responseMimeType": "application/json"}


def thinking(model: str, **options: Any) -> Any:
    sent = body(GEMINI, target("gemini", model), chat(options=options))
    return sent.get("generationConfig", {}).get("thinkingConfig")


@pytest.mark.parametrize(
    ("model", "effort", "level"),
    [
        ("gemini-3.5-flash", "low", "low"),
        ("gemini-3.5-flash", "medium", "medium"),
        ("gemini-3.5-flash", "high", "high"),
        ("gemini-3.1-pro-preview", "medium", "medium"),
        ("gemini-3-pro-preview", "medium", "high"),
        ("gemini-4-argon", "xhigh", "high"),
        ("gemini-flash-latest", "low", "low"),
    ],
)
def test_newer_models_are_told_a_level(model: str, effort: str, level: str) -> None:
    told = {"thinkingLevel": level, "includeThoughts": True}
    assert thinking(model, reasoning_effort=effort) == told


@pytest.mark.parametrize(
    ("model", "level"),
    [
        ("gemini-3-flash-preview", "minimal"),
        ("gemini-3.5-flash", "minimal"),
        ("gemini-3.8-flash", "low"),
        ("gemini-3.8-flash-lite", "minimal"),
        ("gemini-3.1-pro-preview", "low"),
        ("gemini-4-argon", "low"),
    ],
)
def test_newer_models_are_told_to_think_as_little_as_they_can(model: str, level: str) -> None:
    assert thinking(model, reasoning_effort="none") == {"thinkingLevel": level}
    assert thinking(model, thinking_budget=0) == {"thinkingLevel": level}


@pytest.mark.parametrize(
    ("budget", "level"), [(1_000, "low"), (10_000, "medium"), (30_000, "high")]
)
def test_a_budget_is_told_to_newer_models_as_a_level(budget: int, level: str) -> None:
    assert thinking("gemini-3.5-flash", thinking_budget=budget)["thinkingLevel"] == level


@pytest.mark.parametrize(
    ("model", "options", "budget"),
    [
        ("gemini-2.5-flash", {"reasoning_effort": "low"}, 1_024),
        ("gemini-2.5-pro", {"reasoning_effort": "high"}, 24_576),
        ("gemini-2.5-flash", {"thinking_budget": 5_000}, 5_000),
        ("gemini-2.5-flash", {"thinking_budget": 99_000}, 24_576),
        ("gemini-2.5-pro", {"thinking_budget": 99_000}, 32_768),
        ("gemini-2.5-pro", {"thinking_budget": 5}, 128),
        ("gemini-2.5-flash-lite", {"thinking_budget": 5}, 512),
    ],
)
def test_2_5_is_told_a_budget_within_its_range(
    model: str, options: dict[str, Any], budget: int
) -> None:
    assert thinking(model, **options) == {"thinkingBudget": budget, "includeThoughts": True}


def test_2_5_flash_can_be_told_not_to_think_and_pro_only_little() -> None:
    assert thinking("gemini-2.5-flash", reasoning_effort="none") == {"thinkingBudget": 0}
    assert thinking("gemini-2.5-pro", thinking_budget=0) == {"thinkingBudget": 128}


@pytest.mark.parametrize("model", ["gemini-2.0-flash", "gemma-4-31b-it", "learnlm-2"])
def test_models_that_cannot_be_told_are_not(model: str) -> None:
    assert thinking(model, reasoning_effort="high") is None


def test_nothing_is_said_of_thinking_unless_it_is_asked() -> None:
    assert thinking("gemini-3.5-flash", temperature=1) is None
