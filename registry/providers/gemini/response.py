"""Read an answer of Gemini's generateContent, streamed or whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.core.chat import Event, Usage
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import AnswerReader, count_at, text_at
from rolecall.registry.providers.error_body import is_error, says_error
from rolecall.registry.providers.finish_reasons import finish_word
from rolecall.registry.providers.gemini.errors import failure

ORIGIN = "gemini"
_BROKEN = frozenset(
    {
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
        *("MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"),
    }
)


class GeminiReader(AnswerReader):
    """Reads one answer; each record of a stream is a response of its own."""

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one record."""
        for response in record if isinstance(record, list) else [record]:
            yield from self._read(response)

    def _read(self, response: Any) -> Iterator[Event]:
        if not isinstance(response, dict):
            raise _invalid("a response is no object")
        if says_error(response):
            raise failure(None, response)
        self._note(response)
        candidates = response.get("candidates")
        if candidates is None:
            if is_error(response):
                raise failure(None, response)
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
            self.count(_used(usage), usage)
        self.response_id = text_at(response, "responseId") or self.response_id
        self.response_model = text_at(response, "modelVersion") or self.response_model
        feedback = response.get("promptFeedback")
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if isinstance(blocked, str):
            raise CallFailed("content_refused", f"the prompt was refused: {blocked}")

    def _read_candidate(self, candidate: Mapping[str, Any]) -> Iterator[Event]:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        parts = parts if isinstance(parts, list) else []
        reason = text_at(candidate, "finishReason")
        is_repeated = bool(reason) and self.says_again("".join(map(_spoken, parts)))
        for part in parts:
            if not isinstance(part, dict):
                raise _invalid("a part is no object")
            if not (is_repeated and _spoken(part)):
                yield from self._read_part(part)
        if reason in _BROKEN:
            raise _invalid(f"the model ended with {reason}")
        if reason:
            self.reasons = [reason]

    def _read_part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        """Read a text, a thought or a call; code that Google runs itself is not ours."""
        call = part.get("functionCall")
        if isinstance(call, dict):
            yield from self._add_call(call, text_at(part, "thoughtSignature"))
            return
        text = text_at(part, "text") or ""
        if part.get("thought") is True:
            yield from self.pieces.add_thinking(text, ORIGIN)
        else:
            yield from self.read_text(text)

    def _add_call(self, told: Mapping[str, Any], signature: str | None) -> Iterator[Event]:
        """Take in a call, which comes whole; its id may be missing."""
        name = text_at(told, "name")
        if not name:
            raise _invalid("a call names no tool")
        given = told.get("args")
        given = given if isinstance(given, dict) else {}
        call = self.pieces.begin_call()
        call.id, call.signature = text_at(told, "id") or "", signature
        arguments = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        yield from self.pieces.add_to_call(call, name, arguments)

    def finish_reason(self) -> str | None:
        """Return why the answer ended, in OpenAI's words if it can be."""
        if not self.reasons:
            return None
        reason = "content_filter" if self.reasons[0] == "LANGUAGE" else finish_word(self.reasons[0])
        return "tool_calls" if reason == "stop" and self.pieces.calls else reason


def _spoken(part: Any) -> str:
    """Return the text of a part that is no thought."""
    is_thought = isinstance(part, dict) and part.get("thought") is True
    return "" if is_thought else text_at(part, "text") or ""


def _used(usage: Mapping[str, Any]) -> Usage:
    """Return the usage; thoughts are billed as output and counted apart."""
    prompt = count_at(usage, "promptTokenCount")
    told = count_at(usage, "candidatesTokenCount")
    thoughts = count_at(usage, "thoughtsTokenCount")
    by_tools = count_at(usage, "toolUsePromptTokenCount") or 0
    return Usage(
        input_tokens=None if prompt is None else prompt + by_tools,
        output_tokens=None if told is None and thoughts is None else (told or 0) + (thoughts or 0),
        cache_read_input_tokens=count_at(usage, "cachedContentTokenCount"),
        reasoning_output_tokens=thoughts,
        audio_input_tokens=_fresh_audio(usage),
        audio_output_tokens=_audio(usage, "candidatesTokensDetails"),
    )


def _audio(usage: Mapping[str, Any], key: str) -> int | None:
    """Return how many of the tokens were audio; null where they are not told by modality."""
    details = usage.get(key)
    if not isinstance(details, list):
        return None
    audio = (one for one in details if text_at(one, "modality") == "AUDIO")
    return sum(count_at(one, "tokenCount") or 0 for one in audio)


def _fresh_audio(usage: Mapping[str, Any]) -> int | None:
    """Return how much of the input was audio that no cache held."""
    heard, cached = _audio(usage, "promptTokensDetails"), _audio(usage, "cacheTokensDetails")
    return None if heard is None else max(heard - (cached or 0), 0)


def _invalid(problem: str) -> CallFailed:
    return CallFailed("invalid_response", f"not an answer of Gemini's API: {problem}")
