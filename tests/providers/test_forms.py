"""What a request cannot be sent with is known before: no endpoint is chosen that refuses it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import get_args

import pytest

from rolecall.registry.core.chat import Chat, Media, Text, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.entities import Api, Endpoint
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers import client
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.forms import untaken_forms
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from rolecall.registry.providers.support import lost_modalities, uncarried
from tests.providers.targets import CALL, QUESTION, chat, target, user

DATA = "QUJDREVGRw=="
PLACES = (
    target("openai", "gpt-5.5", base_url="https://api.openai.com/v1"),
    target("openai", "gpt-5.5", base_url="https://x.openai.azure.com/v1"),
    target("openai", "qwen", base_url="http://127.0.0.1:8000/v1"),
    target("anthropic", "claude-haiku-4-5"),
    target("anthropic", "claude-sonnet-4-6"),
    target("anthropic", "kimi-k3"),
    target("gemini", "gemini-3.5-flash"),
    target("ollama", "qwen3-vl"),
)
ATTACHED = (
    *(
        Media(kind.partition("/")[0], kind, DATA)
        for kind in (
            *("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/heic"),
            *("image/tiff", "image/avif", "image/svg+xml", "audio/wav", "audio/mpeg", "audio/ogg"),
            *("audio/flac", "audio/mp4", "video/mp4", "video/webm"),
        )
    ),
    Media("pdf", "application/pdf", DATA),
    *(Media(one, url="https://a.example/x") for one in ("image", "pdf", "audio", "video")),
    *(Media(one, extra={"file_id": "file-1"}) for one in ("image", "pdf", "audio")),
)


def refuses(place: Target, asked: Chat) -> bool:
    """Whether a chat cannot be built for an endpoint."""
    try:
        FORMATS[place.endpoint.api].build(place, asked, stream=True)
    except CallFailed:
        return True
    return False


def is_excluded(place: Target, asked: Chat) -> bool:
    """Whether the decision leaves an endpoint out that has all that its model could have."""
    lost = lost_modalities(place.endpoint.api, asked.modalities)
    return bool(lost or untaken_forms(place, asked.forms))


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.remote_model)
@pytest.mark.parametrize("attached", ATTACHED, ids=lambda one: f"{one.mime_type} {one.modality}")
def test_what_a_builder_refuses_is_what_eligibility_knows(place: Target, attached: Media) -> None:
    for asked in (
        chat(Turn("user", (Text("look"), attached))),
        chat(QUESTION, Turn("assistant", (CALL,)), Turn("tool", (ToolResult("7", (attached,)),))),
    ):
        assert refuses(place, asked) == is_excluded(place, asked)
        if not refuses(place, asked):
            body = FORMATS[place.endpoint.api].build(place, asked, stream=True).body
            assert (attached.data or attached.url or "") in json.dumps(body)


@pytest.mark.parametrize(
    ("place", "attached", "is_taken"),
    [
        (PLACES[0], Media("audio", "audio/ogg", DATA), False),
        (PLACES[0], Media("pdf", url="https://a.example/x.pdf"), False),
        (PLACES[2], Media("audio", "audio/ogg", DATA), True),
        (PLACES[2], Media("pdf", url="https://a.example/x.pdf"), True),
        (PLACES[3], Media("pdf", url="https://a.example/x.pdf"), True),
        (PLACES[3], Media("image", "image/bmp", DATA), False),
        (PLACES[6], Media("image", "image/heic", DATA), True),
        (PLACES[6], Media("image", "image/gif", DATA), False),
        (PLACES[7], Media("image", url="https://a.example/x.png"), False),
        (PLACES[7], Media("image", "image/png", DATA), True),
    ],
)
def test_each_api_and_host_takes_what_it_documents(
    place: Target, attached: Media, is_taken: bool
) -> None:
    assert refuses(place, chat(Turn("user", (attached,)))) == (not is_taken)


@pytest.mark.parametrize(
    ("model", "is_taken"),
    [
        *[("claude-sonnet-4-5", True), ("claude-haiku-4-5", True), ("kimi-k3", True)],
        *[("claude-opus-4-6", False), ("claude-sonnet-5", False)],
    ],
)
def test_a_newer_claude_is_not_asked_to_go_on_with_an_answer(model: str, is_taken: bool) -> None:
    begun = chat(QUESTION, Turn("assistant", (Text("It is"),)))
    place = target("anthropic", model)
    assert refuses(place, begun) == is_excluded(place, begun) == (not is_taken)
    called = chat(QUESTION, Turn("assistant", (ToolCall("1", "f", "{}"),)))
    assert not refuses(place, called)
    blank = chat(QUESTION, Turn("assistant", ()))
    assert not refuses(place, blank)


@pytest.mark.parametrize(
    ("kind", "is_taken"),
    [
        *[("web_search_20250305", True), ("bash_20250124", True), ("mcp_toolset", True)],
        *[("web_search_preview", False), ("file_search", False), ("custom", False)],
    ],
)
def test_anthropic_is_asked_for_its_own_tools_only(kind: str, is_taken: bool) -> None:
    asked = chat(tools=(Tool("t", native={"type": kind}),))
    place = PLACES[3]
    assert refuses(place, asked) == is_excluded(place, asked) == (not is_taken)
    others = [one for one in PLACES if one.endpoint.api != "anthropic"]
    assert [untaken_forms(one, asked.forms) for one in others] == [()] * len(others)
    assert all(uncarried(one.endpoint.api, asked.parameters) for one in others)


def test_builders_refuse_in_one_place_only() -> None:
    folder = Path(client.__file__).parent
    for api in get_args(Api):
        for source in (folder / api).glob("*.py"):
            if source.name in ("errors.py", "response.py"):
                continue
            raised = [
                one for one in ast.walk(ast.parse(source.read_text())) if isinstance(one, ast.Raise)
            ]
            assert not raised, source


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.remote_model)
def test_everything_else_that_can_be_said_can_be_built(place: Target) -> None:
    asked = chat(
        user("hi"),
        options={
            **{"tool_choice": {"name": "f"}, "stop": ["x"], "reasoning_effort": "high"},
            **{"logit_bias": {"1": 1}, "user": "u", "metadata": {"a": "b"}, "temperature": 2},
        },
        schema={"type": "object"},
    )
    assert not refuses(place, sent_chat(place, asked).chat)


def test_an_endpoint_is_named_by_what_it_does_not_take() -> None:
    endpoint: Endpoint = PLACES[7].endpoint
    pictured = chat(Turn("user", (Media("image", url="https://a.example/x.png"),)))
    with pytest.raises(CallFailed) as caught:
        FORMATS["ollama"].build(PLACES[7], pictured, stream=True)
    assert caught.value.message == f"{endpoint.id} takes no image by URL"
