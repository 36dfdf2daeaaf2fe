"""Read an answer of Anthropic's Messages API, streamed or whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rolecall.registry.core.chat import (
    Event,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import (
    IN_TEXT,
    TEXT_WAS_THINKING,
    AnswerReader,
    count_at,
    text_at,
    told_cost,
)
from rolecall.registry.providers.anthropic.errors import failure
from rolecall.registry.providers.anthropic.messages import ORIGIN
from rolecall.registry.providers.error_body import is_error, says_error
from rolecall.registry.providers.finish_reasons import finish_word
from rolecall.registry.providers.thinking_tags import Kind

# Which kind of block a piece belongs to, and under which key it comes.
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool_use", "partial_json"),
}
_KINDS = {
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "message"),
}
_COUNTS = (
    *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    *("output_tokens", "thinking_tokens", "ephemeral_1h_input_tokens"),
)


@dataclass(slots=True)
class _Block:
    """One content block as far as it has come; of a kind unknown here, nothing is kept."""

    kind: str
    start: Mapping[str, Any] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    signature: str = ""
    thoughts: list[str] = field(default_factory=list)

    def parts(self) -> Iterator[Text | Thinking | ToolCall]:
        """Yield what is in the block, before it what the model thought within its text."""
        thought, part = "".join(self.thoughts), self._part()
        if thought:
            yield Thinking(thought, IN_TEXT)
        if part is not None:
            yield part

    def _part(self) -> Text | Thinking | ToolCall | None:
        text = "".join(self.pieces)
        if self.kind == "text":
            return Text(text) if text else None
        if self.kind == "redacted_thinking":
            return Thinking("", ORIGIN, redacted=str(self.start.get("data", "")))
        if self.kind == "thinking":
            signature = self.signature or None
            return Thinking(text, ORIGIN, signature=signature) if text or signature else None
        if self.kind == "tool_use":
            name, identity = self.start.get("name", ""), self.start.get("id", "")
            return ToolCall(str(identity), str(name), text or self._input())
        return None

    def _input(self) -> str:
        """Return the arguments of a call that came whole with its start."""
        given = self.start.get("input")
        given = given if isinstance(given, dict) else {}
        return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


class AnthropicReader(AnswerReader):
    """Reads one answer; its content blocks may come interleaved."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int, list[_Block]] = {}  # some give several blocks the same index
        self._counts: dict[str, int] = {}
        self._is_finished = False
        self._text = _Block("text")  # the last block of text

    @property
    def is_finished(self) -> bool:
        """Whether the message has been declared complete."""
        return self._is_finished

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one record; kinds of records unknown here say nothing."""
        if not isinstance(record, dict):
            raise _invalid("a record of the stream is no object")
        kind = text_at(record, "type")
        if kind == "error" or says_error(record) or (kind not in _KINDS and is_error(record)):
            raise failure(None, record)
        if kind is None:
            raise _invalid("a record of the stream has no type")
        if kind == "message":
            yield from self._read_message(record)
        elif kind == "message_start":
            self._start(_object(record, "message"))
        elif kind == "content_block_start":
            yield from self._start_block(_index(record), _object(record, "content_block"))
        elif kind == "content_block_delta":
            yield from self._continue_block(_index(record), _object(record, "delta"))
        elif kind == "message_delta":
            self._count(record.get("usage"), is_final=True)
            self._stop(_object(record, "delta"))
        elif kind == "message_stop":
            self._is_finished = True

    def parts(self) -> tuple[Text | Thinking | ToolCall, ...]:
        """Return the parts of the answer so far."""
        blocks = (block for index in sorted(self._blocks) for block in self._blocks[index])
        found = [part for block in blocks for part in block.parts()]
        calls = [part for part in found if isinstance(part, ToolCall)]
        ids = {id(call): call.id or f"call_{place}" for place, call in enumerate(calls)}
        return tuple(
            replace(part, id=ids[id(part)]) if isinstance(part, ToolCall) else part
            for part in found
        )

    def finish_reason(self) -> str | None:
        """Return why the answer ended, in OpenAI's words if it can be."""
        return finish_word(self.reasons[0]) if self.reasons else None

    def read_whole(self, document: Any) -> None:
        """Take in an answer that was not streamed."""
        list(self._read_message(document))

    def _read_message(self, document: Any) -> Iterator[Event]:
        """Yield the events of an answer that comes whole, asked for so or not."""
        content = document.get("content") if isinstance(document, dict) else None
        if not isinstance(content, list):
            if is_error(document):
                raise failure(None, document)
            raise _invalid("the answer has no content")
        self._start(document)
        self._count(document.get("usage"), is_final=True)
        for index, block in enumerate(content):
            if not isinstance(block, dict):
                raise _invalid("a content block is no object")
            yield from self._start_block(index, block)
        self._stop(document)
        self._is_finished = bool(self.reasons)

    def _start(self, message: Mapping[str, Any]) -> None:
        self.response_id = text_at(message, "id") or self.response_id
        self.response_model = text_at(message, "model") or self.response_model
        self._count(message.get("usage"), is_final=False)

    def _start_block(self, index: int, start: Mapping[str, Any]) -> Iterator[Event]:
        block = _Block(str(start.get("type")), start, signature=text_at(start, "signature") or "")
        self._blocks.setdefault(index, []).append(block)
        if block.kind == "tool_use":
            yield ToolCallDelta(text_at(start, "name"), "")
        elif block.kind in ("text", "thinking"):
            yield from self._add(block, block.kind, text_at(start, block.kind) or "")

    def _continue_block(self, index: int, delta: Mapping[str, Any]) -> Iterator[Event]:
        kind = text_at(delta, "type")
        if kind == "signature_delta":
            self._block_at(index, "thinking").signature += text_at(delta, "signature") or ""
        elif kind in _DELTAS:
            belongs, key = _DELTAS[kind]
            block = self._block_at(index, belongs)
            yield from self._add(block, belongs, text_at(delta, key) or "")

    def _block_at(self, index: int, kind: str) -> _Block:
        """Return the last block of an index; one that was not begun is of that kind."""
        return self._blocks.setdefault(index, [_Block(kind)])[-1]

    def _add(self, block: _Block, belongs: str, piece: str) -> Iterator[Event]:
        """Add a piece to its block; that of another kind, such as a server's tool, is not ours."""
        if not piece or block.kind != belongs:
            return
        if belongs == "text":
            self._text = block
            yield from self.read_text(piece)
            return
        block.pieces.append(piece)
        yield ThinkingDelta(piece) if belongs == "thinking" else ToolCallDelta(None, piece)

    def _sorted_out(self, kind: Kind, text: str) -> Iterator[Event]:
        block = self._text
        if kind is Kind.TEXT:
            block.pieces.append(text)
            yield TextDelta(text)
        elif kind is Kind.THINKING:
            block.thoughts.append(text)
            yield ThinkingDelta(text)
        elif kind is Kind.TEXT_WAS_THINKING:
            block.thoughts, block.pieces = [*block.thoughts, *block.pieces], []
            self.note(TEXT_WAS_THINKING)
        else:
            block.thoughts = ["".join(block.thoughts).removesuffix(text)]

    def _stop(self, holder: Mapping[str, Any]) -> None:
        reason = text_at(holder, "stop_reason")
        self.reasons = [reason] if reason else self.reasons

    def _count(self, usage: Any, *, is_final: bool) -> None:
        """Take the largest of each count, as they only grow, and some servers end with zeros.

        At the start, the output is not yet counted.
        """
        if not isinstance(usage, dict):
            return
        self.note_impossible(usage)
        cost_usd = told_cost(usage)
        self.cost_usd = self.cost_usd if cost_usd is None else cost_usd
        counts = (usage, usage.get("output_tokens_details"), usage.get("cache_creation"))
        for name, holder in ((name, holder) for name in _COUNTS for holder in counts):
            count = count_at(holder, name)
            if count is not None and (is_final or name != "output_tokens"):
                self._counts[name] = max(count, self._counts.get(name, 0))
        self.usage = self._used()

    def _used(self) -> Usage | None:
        """Return the usage; both kinds of cached tokens are added back to the input."""
        if not self._counts:
            return None
        read = self._counts.get("cache_read_input_tokens")
        written = self._counts.get("cache_creation_input_tokens")
        total = self._counts.get("input_tokens", 0) + (read or 0) + (written or 0)
        return Usage(
            input_tokens=total or None,  # none at all is a placeholder: no request is empty
            output_tokens=self._counts.get("output_tokens"),
            cache_read_input_tokens=read,
            cache_write_input_tokens=written,
            reasoning_output_tokens=self._counts.get("thinking_tokens"),
            cache_write_1h_input_tokens=self._counts.get("ephemeral_1h_input_tokens"),
        )


def _invalid(problem: str) -> CallFailed:
    return CallFailed("invalid_response", f"not an answer of Anthropic's API: {problem}")


def _object(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    if not isinstance(value, dict):
        raise _invalid(f"{record.get('type')} has no {key}")
    return value


def _index(record: Mapping[str, Any]) -> int:
    index = record.get("index")
    if not isinstance(index, int):
        raise _invalid(f"{record.get('type')} has no index")
    return index
