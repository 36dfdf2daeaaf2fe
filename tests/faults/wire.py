"""What each API's file provides: the bytes of its answers, as records and documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rolecall.registry.core.entities import Api
from tests.faults.plan import SPOILT, Plan

Kind = Literal["frame", "thinking", "content", "finish"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream, as its lines; `finish` records follow all that is said."""

    lines: tuple[str, ...]
    kind: Kind = "frame"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error: its status, the JSON body and the headers that the provider adds."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an answer as the APIs read it; `number` counts the server's calls."""

    api: Api
    model: str
    stream: bool
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    query: Mapping[str, str]
    number: int

    @property
    def key(self) -> str:
        """The key that came with the request, wherever the API has it; else nothing."""
        for name in ("x-api-key", "x-goog-api-key"):
            if name in self.headers:
                return self.headers[name]
        bearer = self.headers.get("authorization", "").removeprefix("Bearer").strip()
        return bearer or self.query.get("key", "")

    def told(self, message: str, plan: Plan) -> str:
        """Return an error message, which repeats the key where the plan wants it to."""
        return f"{message} (key: {self.key})" if plan.echo_key and self.key else message


class Wire(Protocol):
    """One API's bytes. The modules openai, anthropic, gemini and ollama are such."""

    CONTENT_TYPE: str
    NEWLINE: str
    RECORD_END: int  # how many line ends close a record
    NOISE: tuple[Record, ...]
    HEADERS: Mapping[str, str]

    def problem(self, call: Call) -> str | None:
        """Return what keeps the request from being one of this API's, or null."""

    def asked_schema(self, call: Call) -> Any:
        """Return the JSON schema of the answer that the request asks for, or null."""

    def records(self, call: Call, plan: Plan) -> list[Record]:
        """Return the stream of an answer."""

    def whole(self, call: Call, plan: Plan) -> Any:
        """Return the document of an answer that is not streamed."""

    def refusal(self, fault: str, call: Call, plan: Plan) -> Refusal | None:
        """Return the error of that name; null where the API answers 200 instead."""

    def error_record(self, refusal: Refusal) -> tuple[Record, ...]:
        """Return what tells of an error in the middle of a stream."""

    def written(self, document: Any) -> str:
        """Return a document as the provider writes one that is not streamed."""


def compact(document: Any) -> str:
    """Return JSON without spaces and without escapes that UTF-8 makes needless."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def encoded(text: str) -> bytes:
    """Return the bytes of a text, spoilt where the plan wants them to be."""
    return text.encode().replace(SPOILT.encode(), b"\xc3\x28\xff")


def thirds(text: str) -> list[str]:
    """Return the arguments of a tool call in three pieces, as they are streamed."""
    size = max(1, -(-len(text) // 3))
    return [text[start : start + size] for start in range(0, len(text), size)]
