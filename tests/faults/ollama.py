"""What Ollama's /api/chat looks like as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.faults.plan import Plan, pieces
from tests.faults.wire import Call, Kind, Record, Refusal, compact

CONTENT_TYPE = "application/x-ndjson"
NEWLINE = "\n"
RECORD_END = 1
NOISE: tuple[Record, ...] = (Record(("",)),)
HEADERS: Mapping[str, str] = {}
_LOAD_S = 0.002  # what a model that is loaded already reports
_PROMPT_S = 0.01
_TOKEN_S = 0.005


def problem(call: Call) -> str | None:
    """Return what keeps the request from being one of this API's, or null."""
    messages = call.body.get("messages")
    if not isinstance(messages, list):
        return "json: cannot unmarshal into Go struct field ChatRequest.messages"
    for message in messages:
        if not isinstance(message.get("content", ""), str):
            return "json: cannot unmarshal array into Go struct field .messages.content of string"
        for call_made in message.get("tool_calls") or ():
            if not isinstance(call_made["function"].get("arguments"), dict):
                return "json: cannot unmarshal string into Go struct field .function.arguments"
    return None


def asked_schema(call: Call) -> Any:
    """Return the JSON schema of the answer that the request asks for, or null."""
    form = call.body.get("format")
    return {"type": "object"} if form == "json" else form or None


def records(call: Call, plan: Plan) -> list[Record]:
    """Return the lines: pieces of the message, then the one that is done."""
    said = [
        _line(call, {"content": "", "thinking": piece}, "thinking")
        for piece in pieces(plan.thinking or "")
    ]
    said += [_line(call, {"content": piece}, "content") for piece in pieces(plan.text)]
    if plan.tool_calls:
        said.append(_line(call, {"content": "", "tool_calls": _tool_calls(call, plan)}, "content"))
    if plan.usage == "twice":
        said.append(_line(call, {"content": ""}, "finish", _counts(plan)))
    return [*said, _line(call, {"content": ""}, "finish", _end(plan))]


def whole(call: Call, plan: Plan) -> Any:
    """Return the document of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": plan.text}
    if plan.thinking is not None:
        message["thinking"] = plan.thinking
    if plan.tool_calls:
        message["tool_calls"] = _tool_calls(call, plan)
    end = {"done": False} if plan.fault == "no_finish" else _end(plan)
    return {"model": call.model, "created_at": _now(), "message": message, **end}


def _line(
    call: Call, message: dict[str, Any], kind: Kind, end: dict[str, Any] | None = None
) -> Record:
    document = {
        "model": call.model,
        "created_at": _now(),
        "message": {"role": "assistant", **message},
        "done": False,
        **(end or {}),
    }
    return Record((_escaped(document),), kind)


def _tool_calls(call: Call, plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{call.number:04d}{index:04d}",
            "function": {"index": index, "name": name, "arguments": json.loads(arguments)},
        }
        for index, (name, arguments) in enumerate(plan.tool_calls)
    ]


def _end(plan: Plan) -> dict[str, Any]:
    """Return what the last line adds; a tool call or a refusal has no reason of its own."""
    reason = "length" if plan.finish == "length" else "stop"
    load_s = plan.load_s or _LOAD_S
    duration_s = load_s + _PROMPT_S + _TOKEN_S * plan.output_tokens
    end = {
        "done": True,
        "done_reason": reason,
        "total_duration": _nanoseconds(duration_s),
        "load_duration": _nanoseconds(load_s),
    }
    return {**end, **_counts(plan)}


def _counts(plan: Plan) -> dict[str, Any]:
    if plan.usage == "missing":
        return {}
    counts: dict[str, int | None] = {
        "prompt_eval_count": plan.input_tokens,
        "prompt_eval_cached_count": plan.cached_tokens,
        "prompt_eval_duration": _nanoseconds(_PROMPT_S),
        "eval_count": plan.output_tokens,
        "eval_duration": _nanoseconds(_TOKEN_S * plan.output_tokens),
    }
    return dict.fromkeys(counts) if plan.usage == "null" else dict(counts)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _escaped(document: Any) -> str:
    """Return JSON as Go writes it: without the characters that HTML gives a meaning."""
    text = compact(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _refusals(call: Call, plan: Plan) -> dict[str, tuple[int, str]]:
    """Return status and message of each error: there is nothing more to one."""
    parameter = f'option "{plan.parameter}" must be of type float32'
    if plan.parameter in ("tools", "think", "thinking", "reasoning_effort"):
        missing = "tools" if plan.parameter == "tools" else "thinking"
        parameter = f'"{call.model}" does not support {missing}'
    return {
        "rate_limit": (429, "too many concurrent requests"),
        "quota": (402, "you have reached your weekly usage limit, please upgrade to continue"),
        "bad_key": (401, "unauthorized"),
        "forbidden": (403, "this model requires a subscription, upgrade for access"),
        "not_found": (404, f"model '{call.model}' not found"),
        "context_too_long": (
            400,
            "request (5012 tokens) exceeds the available context size (4096 tokens), try "
            "increasing it",
        ),
        "bad_parameter": (400, parameter),
        "refused_content": (400, "the request was refused by the content policy"),
        "bad_request": (400, "invalid character '}' looking for beginning of value"),
        "server_error": (500, "llama runner process has terminated: exit status 2"),
        "overloaded": (
            503,
            "server busy, please try again.  maximum pending requests exceeded",
        ),
    }


def refusal(fault: str, call: Call, plan: Plan) -> Refusal | None:
    """Return the error of that name."""
    status, message = _refusals(call, plan)[fault]
    document = {"error": call.told(message, plan)}
    if fault == "bad_key":
        document["signin_url"] = "https://ollama.com/connect?name=here&key=bm9uZQ"
    headers = {"retry-after": plan.retry_after} if plan.retry_after else {}
    return Refusal(status, document, headers)


def error_record(refusal: Refusal) -> tuple[Record, ...]:
    """Return the line that stands in the place of a message, with nothing but the error."""
    return (Record((_escaped(refusal.document),)),)


def written(document: Any) -> str:
    """Return a document as the server writes one that is not streamed."""
    return _escaped(document)
