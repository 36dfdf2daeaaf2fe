"""Read an answer of Ollama's chat API, line by line or whole: a whole one is a single line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from rolecall.registry.core.chat import Event, Usage
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import AnswerReader, count_at, text_at
from rolecall.registry.providers.error_body import is_error, says_error
from rolecall.registry.providers.errors import Dialect, failure_of
from rolecall.registry.providers.finish_reasons import finish_word

_NS_PER_S = 1e9
_COUNTS = ("prompt_eval_count", "eval_count", "prompt_eval_cached_count")

failure = partial(failure_of, dialect=Dialect(names={"thinking": "reasoning_effort"}))


class OllamaReader(AnswerReader):
    """Reads one answer, line by line or whole: a whole one is a single line."""

    _is_done = False

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one line. Raises CallFailed for an error in its place."""
        if not isinstance(record, dict):
            raise CallFailed("invalid_response", "a record of the answer is not an object")
        message = record.get("message")
        if says_error(record) or (not isinstance(message, dict) and is_error(record)):
            raise failure(None, record)
        self.response_model = text_at(record, "model") or self.response_model
        is_end = record.get("done") is True
        if isinstance(message, dict) and not (is_end and self.says_again(message.get("content"))):
            yield from self._read_message(message)
        if is_end:
            self._is_done = True
            self._read_end(record)

    @property
    def is_finished(self) -> bool:
        """Whether the line that says `done` has come."""
        return self._is_done

    def read_whole(self, document: Any) -> None:
        """Take in an answer that was not streamed."""
        super().read_whole(document)
        if not isinstance(document.get("message"), dict):
            raise CallFailed("invalid_response", "the answer has no message")

    def finish_reason(self) -> str | None:
        """Return why the answer ended, in OpenAI's words if it can be."""
        if not self._is_done:
            return None
        reason = finish_word(self.reasons[0]) if self.reasons else "stop"
        return "tool_calls" if reason == "stop" and self.pieces.calls else reason

    def _read_message(self, message: dict[str, Any]) -> Iterator[Event]:
        if isinstance(message.get("thinking"), str):
            yield from self.pieces.add_thinking(message["thinking"], "ollama")
        if isinstance(message.get("content"), str):
            yield from self.read_text(message["content"])
        calls = message.get("tool_calls")
        for told in calls if isinstance(calls, list) else []:
            function = told.get("function") if isinstance(told, dict) else None
            if isinstance(function, dict):
                arguments = function.get("arguments")
                if not isinstance(arguments, str):  # as OpenAI gives them
                    given = {} if arguments is None else arguments
                    arguments = json.dumps(given, ensure_ascii=False)
                call = self.pieces.begin_call()
                name = str(function.get("name") or "")
                yield from self.pieces.add_to_call(call, name, arguments)

    def _read_end(self, record: Mapping[str, Any]) -> None:
        reason = text_at(record, "done_reason")
        self.reasons = [reason] if reason else []
        read, made, cached = (count_at(record, name) for name in _COUNTS)
        if (read, made, cached) != (None, None, None):
            told = {name: record.get(name) for name in _COUNTS}
            self.count(Usage(read, made, cache_read_input_tokens=cached), told)
        loading = count_at(record, "load_duration")
        self.load_duration_s = None if loading is None else loading / _NS_PER_S
