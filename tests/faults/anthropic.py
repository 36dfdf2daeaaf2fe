"""What Anthropic's messages look like as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.plan import Plan, pieces
from tests.faults.wire import Call, Kind, Record, Refusal, compact, thirds

CONTENT_TYPE = "text/event-stream; charset=utf-8"
NEWLINE = "\n"
RECORD_END = 2
PING = Record(("event: ping", 'data: {"type": "ping"}'))
NOISE: tuple[Record, ...] = (PING, Record((": keep-alive",)), Record(("",)))
HEADERS: Mapping[str, str] = {"anthropic-organization-id": "org-1", "cache-control": "no-cache"}
_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk="

_Block = tuple[dict[str, Any], list[dict[str, str]], Kind]


def problem(call: Call) -> str | None:
    """Return what keeps the request from being one of this API's, or null."""
    if "anthropic-version" not in call.headers:
        return "anthropic-version: header is required"
    if not isinstance(call.body.get("max_tokens"), int):
        return "max_tokens: Field required"
    messages = call.body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            return f"messages.{index}.role: Input should be 'user' or 'assistant'"
        if message.get("content") in ("", [], None):
            return f"messages.{index}: all messages must have non-empty content"
    return None


def asked_schema(call: Call) -> Any:
    """Return the JSON schema of the answer that the request asks for, or null."""
    config = call.body.get("output_config") or {}
    form = config.get("format") or call.body.get("output_format") or {}
    return form.get("schema")


def records(call: Call, plan: Plan) -> list[Record]:
    """Return the stream: the message's start, its blocks, the usage, the stop."""
    message = {**_message(call), "content": [], "stop_reason": None, "stop_sequence": None}
    message |= _counted(plan, 1)
    said = [_event("message_start", {"message": message})]
    for index, (block, deltas, kind) in enumerate(_blocks(call, plan)):
        said.append(_event("content_block_start", {"index": index, "content_block": block}))
        said += [PING] if index == 0 else []
        for delta in deltas:
            said.append(_event("content_block_delta", {"index": index, "delta": delta}, kind))
        said.append(_event("content_block_stop", {"index": index}))
    if plan.usage == "twice":  # the counts are cumulative
        early = {"delta": {"stop_reason": None, "stop_sequence": None}}
        said.append(
            _event("message_delta", early | _counted(plan, plan.output_tokens // 2), "finish")
        )
    end = {"delta": _stopped(plan)} | _counted(plan, plan.output_tokens)
    said.append(_event("message_delta", end, "finish"))
    return [*said, _event("message_stop", {}, "finish")]


def whole(call: Call, plan: Plan) -> Any:
    """Return the document of an answer that is not streamed."""
    content = []
    for block, deltas, _ in _blocks(call, plan):
        filled = dict(block)
        for delta in deltas:
            name = delta["type"].removesuffix("_delta")
            if name == "input_json":
                filled["input"] = json.loads("".join(one["partial_json"] for one in deltas))
            else:
                filled[name] = filled.get(name, "") + delta[name]
        content.append(filled)
    stopped: dict[str, Any] = {"stop_reason": None, "stop_sequence": None}
    if plan.fault != "no_finish":
        stopped = _stopped(plan)
    message = {**_message(call), "content": content, **stopped}
    return message | _counted(plan, plan.output_tokens)


def _blocks(call: Call, plan: Plan) -> Iterator[_Block]:
    """Yield each block as it starts, and what then comes of it."""
    if plan.thinking is not None:
        deltas = [{"type": "thinking_delta", "thinking": one} for one in pieces(plan.thinking)]
        deltas.append({"type": "signature_delta", "signature": _SIGNATURE})
        yield {"type": "thinking", "thinking": "", "signature": ""}, deltas, "thinking"
    if plan.text:
        deltas = [{"type": "text_delta", "text": one} for one in pieces(plan.text)]
        yield {"type": "text", "text": ""}, deltas, "content"
    for index, (name, arguments) in enumerate(plan.tool_calls):
        identity = f"toolu_{call.number:020d}{index:04d}"
        block = {"type": "tool_use", "id": identity, "name": name, "input": {}}
        parts = ["", *thirds(arguments)]
        deltas = [{"type": "input_json_delta", "partial_json": one} for one in parts]
        yield block, deltas, "content"


def _message(call: Call) -> dict[str, Any]:
    return {
        "model": call.model,
        "id": f"msg_{call.number:024d}",
        "type": "message",
        "role": "assistant",
    }


def _stopped(plan: Plan) -> dict[str, Any]:
    stopped: dict[str, Any] = {
        "stop_reason": _STOP_REASONS[plan.finish],
        "stop_sequence": None,
    }
    if plan.finish == "content_filter":
        stopped["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return stopped


def _counted(plan: Plan, output_tokens: int) -> dict[str, Any]:
    """Return the usage as a key of its own; its input leaves out what the cache held."""
    if plan.usage in ("missing", "null"):
        return {} if plan.usage == "missing" else {"usage": None}
    written = plan.cache_write_tokens
    usage: dict[str, Any] = {
        "input_tokens": plan.input_tokens - plan.cached_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": plan.cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }
    if plan.reasoning_tokens and output_tokens == plan.output_tokens:
        usage["output_tokens_details"] = {"thinking_tokens": plan.reasoning_tokens}
    return {"usage": usage}


def _event(name: str, content: dict[str, Any], kind: Kind = "frame") -> Record:
    document = compact({"type": name, **content})
    return Record((f"event: {name}", f"data: {document}"), kind)


def _refusals(call: Call, plan: Plan) -> dict[str, tuple[int, str, str]]:
    """Return status, type and message of each error."""
    invalid = "invalid_request_error"
    return {
        "rate_limit": (
            429,
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 30,000 input tokens "
            "per minute.",
        ),
        "quota": (
            400,
            invalid,
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
            "Billing to upgrade or purchase credits.",
        ),
        "bad_key": (401, "authentication_error", "invalid x-api-key"),
        "forbidden": (
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        "not_found": (404, "not_found_error", f"model: {call.model}"),
        "context_too_long": (400, invalid, "prompt is too long: 213462 tokens > 200000 maximum"),
        "bad_parameter": (400, invalid, f"`{plan.parameter}` is deprecated for this model."),
        "bad_request": (400, invalid, "messages.0.content.0.type: Field required"),
        "server_error": (500, "api_error", "Internal server error"),
        "overloaded": (529, "overloaded_error", "Overloaded"),
    }


def refusal(fault: str, call: Call, plan: Plan) -> Refusal | None:
    """Return the error of that name; refused content is a stop reason under status 200."""
    if fault == "refused_content":
        return None
    status, kind, message = _refusals(call, plan)[fault]
    headers = {"retry-after": plan.retry_after} if plan.retry_after else {}
    if fault == "rate_limit":
        headers |= {
            "anthropic-ratelimit-input-tokens-limit": "30000",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:01:00Z",
        }
    error = {"type": kind, "message": call.told(message, plan)}
    document = {"type": "error", "error": error, "request_id": f"req_{call.number:024d}"}
    return Refusal(status, document, headers)


def error_record(refusal: Refusal) -> tuple[Record, ...]:
    """Return the `error` event that may end a stream at any time."""
    return (Record(("event: error", f"data: {compact(refusal.document)}")),)


def written(document: Any) -> str:
    """Return a document as the provider writes one that is not streamed."""
    return compact(document)
