"""What OpenAI's chat completions look like as bytes, and those of servers like it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from tests.faults.plan import Plan, pieces
from tests.faults.wire import Call, Record, Refusal, compact, thirds

CONTENT_TYPE = "text/event-stream; charset=utf-8"
NEWLINE = "\n"
RECORD_END = 2
NOISE: tuple[Record, ...] = (Record((": keep-alive",)), Record(("",)))
HEADERS: Mapping[str, str] = {
    "openai-version": "2020-10-01",
    "openai-processing-ms": "12",
    "cache-control": "no-cache",
}
DONE = Record(("data: [DONE]",), "finish")
_INVALID = "invalid_request_error"
_REFUSALS: dict[str, tuple[int, str, str, str | None, str | None]] = {
    "rate_limit": (
        429,
        "Rate limit reached for {model} in organization org-1 on tokens per min (TPM): "
        "Limit 30000, Used 29500, Requested 900. Please try again in 20s.",
        "tokens",
        None,
        "rate_limit_exceeded",
    ),
    "quota": (
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        None,
        "insufficient_quota",
    ),
    "bad_key": (
        401,
        "Incorrect API key provided: {key}****. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        _INVALID,
        None,
        "invalid_api_key",
    ),
    "forbidden": (
        403,
        "Project `proj_1` does not have access to model `{model}`",
        _INVALID,
        None,
        "model_not_found",
    ),
    "not_found": (
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        _INVALID,
        None,
        "model_not_found",
    ),
    "context_too_long": (
        400,
        "This model's maximum context length is 128000 tokens. However, your messages "
        "resulted in 130412 tokens. Please reduce the length of the messages.",
        _INVALID,
        "messages",
        "context_length_exceeded",
    ),
    "bad_parameter": (
        400,
        "Unsupported value: '{parameter}' does not support 0 with this model. Only the default "
        "(1) value is supported.",
        _INVALID,
        "{parameter}",
        "unsupported_value",
    ),
    "refused_content": (
        400,
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. "
        "Please try again with a different prompt.",
        _INVALID,
        None,
        "invalid_prompt",
    ),
    "bad_request": (
        400,
        "We could not parse the JSON body of your request.",
        _INVALID,
        None,
        None,
    ),
    "server_error": (
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
        None,
    ),
    "overloaded": (
        503,
        "The engine is currently overloaded, please try again later.",
        "server_error",
        None,
        "server_overloaded",
    ),
}
"""Status, message, type, param and code of each error."""


def problem(call: Call) -> str | None:
    """Return what keeps the request from being one of this API's, or null."""
    messages = call.body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Invalid 'messages': empty array. Expected an array with minimum length 1."
    if "stream_options" in call.body and not call.stream:
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    return None


def asked_schema(call: Call) -> Any:
    """Return the JSON schema of the answer that the request asks for, or null."""
    form = call.body.get("response_format") or {}
    if form.get("type") == "json_object":
        return {"type": "object"}
    return (form.get("json_schema") or {}).get("schema")


def records(call: Call, plan: Plan) -> list[Record]:
    """Return the stream: a role chunk, the pieces, the finish chunk, the usage and `[DONE]`."""
    said = [_chunk(call, {"role": "assistant", "content": "", "refusal": None})]
    for piece in pieces(plan.thinking or ""):
        said.append(_chunk(call, {"reasoning_content": piece}, kind="thinking"))
    for piece in pieces(plan.text):
        said.append(_chunk(call, {"content": piece}, kind="content"))
    for index, (name, arguments) in enumerate(plan.tool_calls):
        opening = {"index": index, **_tool_call(call, index, name, "")}
        said.append(_chunk(call, {"tool_calls": [opening]}, kind="content"))
        for piece in thirds(arguments):
            delta = {"index": index, "function": {"arguments": piece}}
            said.append(_chunk(call, {"tool_calls": [delta]}, kind="content"))
    at_finish = _usage(plan) if plan.usage == "twice" else None
    said.append(_chunk(call, {}, kind="finish", finish=plan.finish, usage=at_finish))
    if _includes_usage(call) and plan.usage != "missing":
        last = {**_head(call, "chat.completion.chunk"), "choices": [], "usage": _usage(plan)}
        said.append(Record((f"data: {compact(last)}",), "finish"))
    return [*said, DONE]


def whole(call: Call, plan: Plan) -> Any:
    """Return the document of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": plan.text or None, "refusal": None}
    if plan.thinking is not None:
        message["reasoning_content"] = plan.thinking
    if plan.tool_calls:
        message["tool_calls"] = [
            _tool_call(call, index, name, arguments)
            for index, (name, arguments) in enumerate(plan.tool_calls)
        ]
    finish = None if plan.fault == "no_finish" else plan.finish
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    document = {**_head(call, "chat.completion"), "choices": [choice]}
    return document if plan.usage == "missing" else {**document, "usage": _usage(plan)}


def _head(call: Call, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{call.number:024d}",
        "object": kind,
        "created": int(time.time()),
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }


def _chunk(
    call: Call, delta: Any, *, kind: Any = "frame", finish: str | None = None, usage: Any = None
) -> Record:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {**_head(call, "chat.completion.chunk"), "choices": [choice]}
    if _includes_usage(call) or usage is not None:
        chunk["usage"] = usage
    return Record((f"data: {compact(chunk)}",), kind)


def _includes_usage(call: Call) -> bool:
    return bool((call.body.get("stream_options") or {}).get("include_usage"))


def _tool_call(call: Call, index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{call.number:020d}{index:04d}", "type": "function", "function": function}


def _usage(plan: Plan) -> Any:
    if plan.usage == "null":
        return None
    read: dict[str, int] = {"cached_tokens": plan.cached_tokens, "audio_tokens": 0}
    if plan.cache_write_tokens:  # not OpenAI's own: gateways add it
        read["cache_write_tokens"] = plan.cache_write_tokens
    told = {} if plan.told_usd is None else {"cost": plan.told_usd}
    return {
        **told,
        "prompt_tokens": plan.input_tokens,
        "completion_tokens": plan.output_tokens,
        "total_tokens": plan.input_tokens + plan.output_tokens,
        "prompt_tokens_details": read,
        "completion_tokens_details": {
            "reasoning_tokens": plan.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def refusal(fault: str, call: Call, plan: Plan) -> Refusal | None:
    """Return the error of that name; in the middle, refused content is a finish reason."""
    if fault == "refused_content" and plan.at == "middle":
        return None
    status, message, kind, parameter, code = _REFUSALS[fault]
    names = {"model": call.model, "parameter": plan.parameter, "key": call.key[:3]}
    headers = {"retry-after": plan.retry_after} if plan.retry_after else {}
    if fault == "rate_limit":
        headers |= {"x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "500"}
        headers["x-ratelimit-reset-tokens"] = "20s"
    error = {
        "message": call.told(message.format(**names), plan),
        "type": kind,
        "param": parameter and parameter.format(**names),
        "code": code,
    }
    return Refusal(status, {"error": error}, headers)


def error_record(refusal: Refusal) -> tuple[Record, ...]:
    """Return the error, and the `[DONE]` that OpenAI sends even after one."""
    return (Record((f"data: {compact(refusal.document)}",)), DONE)


def written(document: Any) -> str:
    """Return a document as the provider writes one that is not streamed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
