"""What the fault server is to do with a call: the answer it gives, and how it misbehaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

At = Literal["before", "middle"]
Finish = Literal["stop", "length", "tool_calls", "content_filter"]

DEFAULT_TEXT = "Hello, wörld! 🌍 …"
SPOILT = "\ue000"  # stands for bytes that are not UTF-8, which no text can hold

FAULTS = {
    "refuse": "nobody listens: only as FaultServer.refusing_url",
    "reset": "the connection is reset (RST)",
    "close": "the connection is closed without an answer, or without the last chunk",
    "cut": "the body ends as it should, long before the answer does",
    "stall": "no more bytes, and the connection stays open",
    "drip": "keep-alive comments, pings or blank lines for ever",
    "garble": "one record is broken JSON",
    "html": "a page instead of the API's format, under status 200",
    "bad_utf8": "bytes in the text that are not UTF-8",
    "empty": "a finish marker, and nothing before it",
    "no_finish": "all of the text, and no finish marker",
    "error_event": "the API's own error record, under status 200",
    "slow_header": "the head of the answer, byte by byte",
    "rate_limit": "too many requests",
    "quota": "the account's quota or credit is used up",
    "bad_key": "the key is refused",
    "forbidden": "the key may not use this model",
    "not_found": "no such model",
    "context_too_long": "the request is longer than the model takes",
    "bad_parameter": "the request sets a parameter that the model refuses",
    "refused_content": "the provider's policy refuses the content",
    "bad_request": "the request is malformed",
    "server_error": "the server failed",
    "overloaded": "the server has no room",
}
REFUSALS = frozenset(list(FAULTS)[list(FAULTS).index("rate_limit") :])
"""The faults that are a status of their own before the answer, an error record within it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One answer. `input_tokens` includes both cached kinds, `output_tokens` the reasoning.

    `at` says whether the fault comes before the first token or after half of the text. Tool
    arguments must be JSON for Gemini and Ollama, which send them as an object; with tool calls
    the text stays out unless it is set. `parameter` is what `bad_parameter` refuses. A null
    `newline` is the provider's own. `load_s` is waited before an Ollama answer and reported in it.
    `told_usd` is the cost that an OpenAI-like server says.
    """

    text: str = DEFAULT_TEXT
    thinking: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    input_tokens: int = 12
    output_tokens: int = 8
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    told_usd: float | None = None
    finish: Finish = "stop"
    fault: str | None = None
    at: At = "before"
    parameter: str = "temperature"
    first_delay_s: float = 0.0
    token_delay_s: float = 0.0
    retry_after: str | None = None
    usage: Literal["once", "missing", "twice", "null"] = "once"
    newline: Literal["\n", "\r\n"] | None = None
    gzip: bool = False
    chunking: Literal["records", "bytes", "together"] = "records"
    comments: bool = False
    echo_key: bool = False
    load_s: float = 0.0

    def __post_init__(self) -> None:
        if self.fault is not None and self.fault not in FAULTS:
            raise ValueError(f"no fault {self.fault}: {', '.join(FAULTS)}")

    def resolved(self, document: str | None) -> Plan:
        """Return the plan with the text and finish that a request makes of the defaults.

        `document` is JSON that matches the schema that the request asks for, if it asks.
        """
        text, finish = self.text, self.finish
        if self.tool_calls:
            text = "" if text == DEFAULT_TEXT else text
            finish = "tool_calls" if finish == "stop" else finish
        elif document is not None and text == DEFAULT_TEXT:
            text = document
        return replace(self, text=text, finish=finish)

    def halved(self) -> Plan:
        """Return the plan with the first half of its text, and without tool calls."""
        given = pieces(self.text)
        return replace(self, text="".join(given[: (len(given) + 1) // 2]), tool_calls=())

    def emptied(self) -> Plan:
        """Return the plan with nothing to say."""
        return replace(self, text="", thinking=None, tool_calls=())

    def spoilt(self) -> Plan:
        """Return the plan with bytes in its text that are not UTF-8."""
        given = pieces(self.text)
        place = 0 if self.at == "before" else (len(given) + 1) // 2
        return replace(self, text="".join([*given[:place], SPOILT, *given[place:]]))


def pieces(text: str) -> list[str]:
    """Return a text as a model would stream it: word by word, each with the space before it."""
    found = re.findall(r"\s*\S+(?:\s+\Z)?|\s+", text)
    if len(found) == 1 and len(text) > 1:
        return [text[: len(text) // 2], text[len(text) // 2 :]]
    return found


def plan_of_name(model: str) -> Plan | None:
    """Return the plan that a model name such as `fault-cut-middle` asks for, if it does."""
    asked = re.fullmatch(r"fault-(\w+?)(?:-(before|middle))?", model)
    if asked is None or asked[1] not in FAULTS:
        return None
    return Plan(fault=asked[1], at="middle" if asked[2] == "middle" else "before")
