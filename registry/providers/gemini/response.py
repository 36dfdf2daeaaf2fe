"""Read an answer of Gemini's generateContent, streamed or whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.core.chat import Answer, Event, FinishReason, Usage
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import Gathering
from rolecall.registry.providers.gemini.errors import failure

ORIGIN = "gemini"
_REFUSED = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"),
    }
)
_BROKEN = frozenset(
    {
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
        *("MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"),
    }
)


class GeminiReader:
    """Reads one answer; each record of a stream is a response of its own."""

    def __init__(self) -> None:
        self._gathering = Gathering()
        self._usage: Mapping[str, Any] | None = None
        self._reason: str | None = None
        self._id: str | None = None
        self._model: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the model has said why it ended."""
        return self._reason is not None

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one record."""
        for response in record if isinstance(record, list) else [record]:
            yield from self._read(response)

    def answer(self) -> Answer:
        """Return what has been read so far."""
        return Answer(
            parts=self._gathering.parts(),
            finish_reason=self._finish_reason(),
            finish_reasons=() if self._reason is None else (self._reason,),
            usage=None if self._usage is None else _used(self._usage),
            response_id=self._id,
            response_model=self._model,
        )

    def read_whole(self, document: Any) -> None:
        """Take in an answer that was not streamed."""
        for _ in self.feed(document):
            pass

    def _read(self, response: Any) -> Iterator[Event]:
        if not isinstance(response, dict):
            raise _invalid("a response is no object")
        if response.get("error"):
            raise failure(None, response)
        self._note(response)
        candidates = response.get("candidates")
        if candidates is None:
            return
        if not isinstance(candidates, list):
            raise _invalid("candidates is no list")
        for candidate in candidates[:1]:
            if not isinstance(candidate, dict):
                raise _invalid("a candidate is no object")
            yield from self._read_candidate(candidate)

    def _note(self, response: Mapping[str, Any]) -> None:
        """Take in what stands around the candidates; raise what refuses the prompt."""
        usage = response.get("usageMetadata")
        if isinstance(usage, dict):
            self._usage = usage
        self._id = _text_at(response, "responseId") or self._id
        self._model = _text_at(response, "modelVersion") or self._model
        feedback = response.get("promptFeedback")
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if isinstance(blocked, str):
            raise CallFailed("content_refused", f"the prompt was refused: {blocked}")

    def _read_candidate(self, candidate: Mapping[str, Any]) -> Iterator[Event]:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if not isinstance(part, dict):
                raise _invalid("a part is no object")
            yield from self._read_part(part)
        reason = _text_at(candidate, "finishReason")
        if reason in _BROKEN:
            raise _invalid(f"the model ended with {reason}")
        self._reason = reason or self._reason

    def _read_part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        """Read a text, a thought or a call; code that Google runs itself is not ours."""
        call = part.get("functionCall")
        if isinstance(call, dict):
            yield from self._add_call(call, _text_at(part, "thoughtSignature"))
            return
        text = _text_at(part, "text") or ""
        if part.get("thought") is True:
            yield from self._gathering.add_thinking(text, ORIGIN)
        else:
            yield from self._gathering.add_text(text)

    def _add_call(self, told: Mapping[str, Any], signature: str | None) -> Iterator[Event]:
        """Take in a call, which comes whole; its id may be missing."""
        name = _text_at(told, "name")
        if not name:
            raise _invalid("a call names no tool")
        given = told.get("args")
        given = given if isinstance(given, dict) else {}
        call = self._gathering.begin_call()
        call.id, call.signature = _text_at(told, "id") or "", signature
        arguments = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        yield from self._gathering.add_to_call(call, name, arguments)

    def _finish_reason(self) -> FinishReason | None:
        if self._reason is None:
            return None
        if self._reason == "MAX_TOKENS":
            return "length"
        if self._reason in _REFUSED:
            return "content_filter"
        return "tool_calls" if self._gathering.calls else "stop"


def _used(usage: Mapping[str, Any]) -> Usage:
    """Return the usage; thoughts are billed as output and counted apart."""
    prompt = _count_at(usage, "promptTokenCount")
    told = _count_at(usage, "candidatesTokenCount")
    thoughts = _count_at(usage, "thoughtsTokenCount")
    by_tools = _count_at(usage, "toolUsePromptTokenCount") or 0
    return Usage(
        input_tokens=None if prompt is None else prompt + by_tools,
        output_tokens=None if told is None and thoughts is None else (told or 0) + (thoughts or 0),
        cache_read_input_tokens=_count_at(usage, "cachedContentTokenCount"),
        reasoning_output_tokens=thoughts,
    )


def _invalid(problem: str) -> CallFailed:
    return CallFailed("invalid_response", f"not an answer of Gemini's API: {problem}")


def _text_at(holder: Mapping[str, Any], key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) else None


def _count_at(holder: Mapping[str, Any], key: str) -> int | None:
    value = holder.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return value
