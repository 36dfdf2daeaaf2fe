"""Read what chat completions answer, streamed or whole, in the dialects there are of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.core.chat import Event, Text, Thinking, ToolCall, Usage
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import (
    AnswerReader,
    CallSoFar,
    count_at,
    is_object,
    text_at,
    told_cost,
)
from rolecall.registry.providers.error_body import failed_code, is_error, says_error
from rolecall.registry.providers.errors import failure_of
from rolecall.registry.providers.finish_reasons import finish_word

_FAILED = {
    "insufficient_system_resource": "overloaded",
    "error": "stream_error",
    "network_error": "stream_error",
    **dict.fromkeys(("abort", "aborted", "cancelled", "canceled", "timeout"), "stream_error"),
}
_NO_REASON = (None, "", "null")


class OpenAIReader(AnswerReader):
    """Reads one answer; only the first of several choices."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[int | str, CallSoFar] = {}
        self._refusal: list[str] = []
        self._saw_delta = False

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one chunk. Raises CallFailed for an error in its place."""
        if not isinstance(record, dict):
            _fail_on_list(record)
            raise CallFailed("invalid_response", "a record of the answer is not an object")
        self._read_facts(record)
        _fail_on_error(record)
        choices = record.get("choices") or []
        if not isinstance(choices, list):
            raise CallFailed("invalid_response", "the choices of the answer are not a list")
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index") in (0, "0", None):
                yield from self._read_choice(choice)

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts of the answer so far; a refusal counts as text."""
        refusal = (Text("".join(self._refusal)),) if self._refusal else ()
        return (*self.pieces.parts(), *refusal)

    def read_whole(self, document: Any) -> None:
        """Take in an answer that was not streamed."""
        super().read_whole(document)
        choices = document.get("choices")
        if not choices or not isinstance(choices[0], dict):
            raise CallFailed("invalid_response", "the answer has no choices")

    def finish_reason(self) -> str | None:
        """Return why the answer ended, in OpenAI's words if it can be."""
        if self._refusal:
            return "content_filter"
        if not self.reasons:
            return None
        reason = finish_word(self.reasons[0])
        return "tool_calls" if reason == "stop" and self.pieces.calls else reason

    def _read_facts(self, record: dict[str, Any]) -> None:
        self.response_id = text_at(record, "id") or self.response_id
        self.response_model = text_at(record, "model") or self.response_model
        for holder in (record, _details(record, "x_groq")):
            told = holder.get("usage")
            if isinstance(told, dict):
                self.count(usage_of(told), told)
                cost_usd = told_cost(told)
                self.cost_usd = self.cost_usd if cost_usd is None else cost_usd

    def _read_choice(self, choice: dict[str, Any]) -> Iterator[Event]:
        told = choice.get("usage")  # Moonshot's place for it
        if isinstance(told, dict):
            self.count(usage_of(told), told)
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict) and not self._is_repetition(choice, delta):
            yield from self._read_delta(delta)
        reason = choice.get("finish_reason")
        if reason in _NO_REASON:
            return
        failed = _FAILED.get(str(reason).lower())
        if failed is not None:
            raise CallFailed(failed, f"the server ended the answer with {reason}")
        if reason not in self.reasons:
            self.reasons.append(str(reason))

    def _is_repetition(self, choice: dict[str, Any], delta: dict[str, Any]) -> bool:
        """Tell whether the end of a stream says the whole message once more, as some servers do."""
        is_message = "message" in choice and not choice.get("delta")
        if is_message and self._saw_delta:
            return True
        self._saw_delta = self._saw_delta or not is_message
        is_end = choice.get("finish_reason") not in _NO_REASON
        return is_end and self.says_again(delta.get("content"))

    def _read_delta(self, delta: dict[str, Any]) -> Iterator[Event]:
        for origin in ("reasoning_content", "reasoning"):
            thought = delta.get(origin)
            if isinstance(thought, str) and thought:
                yield from self.pieces.add_thinking(thought, origin)
                break  # some send both, with the same words
        yield from self._read_content(delta.get("content"))
        if isinstance(delta.get("refusal"), str):
            self._refusal += [delta["refusal"]] if delta["refusal"] else []
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                yield from self._read_call(call)
        if isinstance(delta.get("function_call"), dict):
            yield from self._read_call({"index": 0, "function": delta["function_call"]})

    def _read_content(self, content: Any) -> Iterator[Event]:
        """Read text, or Mistral's list of text and thinking."""
        if isinstance(content, str):
            yield from self.read_text(content)
        elif isinstance(content, list):
            for part in content:
                if not isinstance(part, dict):
                    continue
                if part.get("type") == "thinking":
                    yield from self.pieces.add_thinking(_joined(part.get("thinking")), "content")
                elif isinstance(part.get("text"), str):
                    yield from self.read_text(part["text"])

    def _read_call(self, told: dict[str, Any]) -> Iterator[Event]:
        function = told.get("function")
        function = function if isinstance(function, dict) else {}
        name, arguments = function.get("name"), function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        call = self._call_for(told, has_name=bool(name))
        call.signature = _signature(told) or call.signature
        yield from self.pieces.add_to_call(call, str(name or ""), arguments or "")

    def _call_for(self, told: dict[str, Any], *, has_name: bool) -> CallSoFar:
        """Find the call that a piece belongs to, or begin one.

        Pieces belong together by index; but some servers give none, and some give every whole
        call the index 0, told apart by its id, or without one by the whole call before it.
        """
        index, identity = told.get("index"), told.get("id")
        identity = identity if isinstance(identity, str) else ""
        if not isinstance(index, int):
            index = -1
            call = self._calls.get(identity or index)
        else:
            call = self._calls.get(index)
        if call is None or (has_name and _is_another(call, told, identity)):
            call = self.pieces.begin_call()
        call.id = call.id or identity
        self._calls[index] = call
        if identity:
            self._calls[identity] = call
        return call


def _is_another(call: CallSoFar, told: Mapping[str, Any], identity: str) -> bool:
    """Tell whether a named piece begins another call than the one that its place is of."""
    if identity:
        return call.id not in ("", identity)
    function = _details(told, "function")
    arguments = function.get("arguments")
    if call.name == function.get("name") and "".join(call.arguments) == arguments:
        return call.id == ""
    return is_object(call.whole()) or (call.name not in ("", function.get("name")))


def usage_of(told: Mapping[str, Any]) -> Usage | None:
    """Return the tokens as billed, or null where nothing was counted."""
    input_tokens = _first(told, "prompt_tokens", "input_tokens")
    output_tokens = _first(told, "completion_tokens", "output_tokens")
    if not input_tokens and not output_tokens:
        return None  # placeholders that some servers send until they have counted
    of_input = _details(told, "prompt_tokens_details")
    of_output = _details(told, "completion_tokens_details")
    reasoning = count_at(of_output, "reasoning_tokens")
    if reasoning is None:
        reasoning = count_at(told, "reasoning_tokens")
    total = count_at(told, "total_tokens")
    if reasoning and total == (input_tokens or 0) + (output_tokens or 0) + reasoning:
        output_tokens = (output_tokens or 0) + reasoning  # xAI counts reasoning beside the rest
    read = _first(of_input, "cached_tokens")
    if read is None:
        read = _first(told, "prompt_cache_hit_tokens", "cached_tokens")
    written = _first(of_input, "cache_write_tokens", "cache_creation_tokens")
    if written is None:
        written = count_at(told, "cache_creation_input_tokens")
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_input_tokens=read,
        cache_write_input_tokens=written,
        reasoning_output_tokens=reasoning,
        audio_input_tokens=count_at(of_input, "audio_tokens"),
        audio_output_tokens=count_at(of_output, "audio_tokens"),
    )


def _first(told: Mapping[str, Any], *names: str) -> int | None:
    counts = (count_at(told, name) for name in names)
    return next((count for count in counts if count is not None), None)


def _details(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _joined(thinking: Any) -> str:
    if isinstance(thinking, str):
        return thinking
    parts = thinking if isinstance(thinking, list) else []
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def _signature(told: Mapping[str, Any]) -> str | None:
    """Return Gemini's thought signature, which its OpenAI-like API gives beside a call."""
    google = _details(_details(told, "extra_content"), "google")
    return text_at(google, "thought_signature")


def _fail_on_error(record: dict[str, Any]) -> None:
    nested = record.get("x_groq")
    if isinstance(nested, dict) and nested.get("error"):
        raise failure_of(None, {"error": nested["error"]})
    choices = record.get("choices")
    if says_error(record) or failed_code(record) or (not choices and is_error(record)):
        raise failure_of(None, record)
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and choice.get("error"):
            raise failure_of(None, {"error": choice["error"]})


def _fail_on_list(record: Any) -> None:
    """Fail on Google's way to put an error object into a list."""
    if isinstance(record, list) and any(
        isinstance(item, dict) and item.get("error") for item in record
    ):
        raise failure_of(None, record)
