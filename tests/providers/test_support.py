"""What each API has no place for is known without its code."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, get_args

import pytest

from rolecall.registry.core.chat import Media, Text, Tool, Turn
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.client import FORMATS
from rolecall.registry.providers.support import lost_modalities, uncarried
from tests.providers.chats import WEATHER, chat, target

EVERYTHING: dict[str, Any] = {
    **{"temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "stop": ["END"], "seed": 7},
    **{"presence_penalty": 0.1, "frequency_penalty": 0.2, "repeat_penalty": 1.1},
    **{"logprobs": True, "top_logprobs": 2, "logit_bias": {"1": 5}, "user": "u"},
    **{"metadata": {"a": "b"}, "service_tier": "auto", "tool_choice": "auto"},
    **{"parallel_tool_calls": True, "verbosity": "low"},
}
NATIVE = Tool("search", native={"type": "web_search"})


@pytest.mark.parametrize(
    ("api", "lost"),
    [
        ("openai", ("provider_tools", "thinking_budget")),
        (
            "anthropic",
            (
                *("frequency_penalty", "logit_bias", "logprobs", "metadata", "min_p"),
                *("presence_penalty", "repeat_penalty", "response_format", "seed"),
                *("top_logprobs", "verbosity"),
            ),
        ),
        (
            "gemini",
            (
                *("logit_bias", "metadata", "min_p", "parallel_tool_calls", "provider_tools"),
                *("repeat_penalty", "service_tier", "user", "verbosity"),
            ),
        ),
        (
            "ollama",
            (
                *("logit_bias", "logprobs", "metadata", "parallel_tool_calls", "provider_tools"),
                *("service_tier", "thinking_budget", "tool_choice", "top_logprobs", "user"),
                "verbosity",
            ),
        ),
    ],
)
def test_each_api_has_its_own_gaps(api: Api, lost: tuple[str, ...]) -> None:
    asked = [*EVERYTHING, "thinking_budget", "reasoning_effort", "response_format"]
    assert uncarried(api, [*asked, "provider_tools"]) == lost


@pytest.mark.parametrize(
    ("api", "lost"),
    [
        ("openai", ()),
        ("anthropic", ("audio", "video")),
        ("gemini", ()),
        ("ollama", ("audio", "pdf", "video")),
    ],
)
def test_each_api_has_no_place_for_some_attachments(api: Api, lost: tuple[str, ...]) -> None:
    assert lost_modalities(api, ("text", "video", "pdf", "image", "audio")) == lost


@pytest.mark.parametrize("modality", ["image", "pdf", "audio", "video"])
@pytest.mark.parametrize("api", get_args(Api))
def test_the_attachments_without_a_place_are_those_that_are_not_sent(
    api: Api, modality: str
) -> None:
    attached = Media(modality, data="QUJDREVGRw==")
    asked = chat(Turn("user", (Text("look"), attached)))
    if lost_modalities(api, (modality,)):
        with pytest.raises(CallFailed, match=f"takes no {modality} attachments"):
            FORMATS[api].build(target(api=api), asked, stream=True)
    else:
        sent = FORMATS[api].build(target(api=api), asked, stream=True).body
        assert "QUJDREVGRw==" in json.dumps(sent)


def test_a_chat_names_its_parameters() -> None:
    asked = chat(tools=(WEATHER, NATIVE), schema={}, options={"seed": 1, "stop": ["x"]})
    assert asked.parameters == ("provider_tools", "response_format", "seed", "stop")
    assert chat(tools=(WEATHER,), schema={"type": "object"}).parameters == ()


def test_knowing_what_is_carried_takes_no_http_library() -> None:
    code = (
        "import sys, rolecall.registry.providers.support as c; "
        "c.uncarried('ollama', ['user']); c.lost_modalities('ollama', ['pdf']); "
        "sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
