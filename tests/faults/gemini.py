"""What Google's generateContent and streamGenerateContent look like as bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.faults.plan import Plan, pieces
from tests.faults.wire import Call, Kind, Record, Refusal

CONTENT_TYPE = "text/event-stream"
NEWLINE = "\r\n"
RECORD_END = 2
NOISE: tuple[Record, ...] = (Record((": keep-alive",)), Record(("",)))
HEADERS: Mapping[str, str] = {
    "vary": "Origin, X-Origin, Referer",
    "x-content-type-options": "nosniff",
}
_FINISH_REASONS = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}
_SIGNATURE = "CikBcsjafGm3cWqNbUm0hZ0xkK2v0fH1oQ=="


def problem(call: Call) -> str | None:
    """Return what keeps the request from being one of this API's, or null."""
    contents = call.body.get("contents")
    if not isinstance(contents, list) or not contents:
        return "* GenerateContentRequest.contents: contents is not specified\n"
    for index, content in enumerate(contents):
        if content.get("role") not in ("user", "model", None):
            return f"Please use a valid role: user, model. (contents[{index}])"
        if not content.get("parts"):
            return f"* GenerateContentRequest.contents[{index}].parts: contents.parts is empty\n"
    if call.stream and call.query.get("alt") != "sse":
        return "this server streams with alt=sse only"
    return None


def asked_schema(call: Call) -> Any:
    """Return the JSON schema of the answer that the request asks for, or null."""
    config = call.body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema is None and config.get("responseMimeType") == "application/json":
        return {"type": "object"}
    return schema


def records(call: Call, plan: Plan) -> list[Record]:
    """Return the stream: each record is a whole response, the last says why it ended."""
    if _is_blocked(plan):
        return [_record(_blocked(call, plan), "finish")]
    said: list[tuple[list[dict[str, Any]], Kind]] = [
        ([{"text": piece, "thought": True}], "thinking") for piece in pieces(plan.thinking or "")
    ]
    said += [([{"text": piece}], "content") for piece in pieces(plan.text)]
    if plan.tool_calls:
        said.append((_tool_parts(plan), "content"))
    found = []
    for index, (parts, kind) in enumerate(said):
        share = plan.output_tokens * (index + 1) // (len(said) + 1)
        found.append(_record(_response(call, plan, parts, tokens=share), kind))
    end = [{"text": ""}] if plan.text else []
    last = _response(call, plan, end, finish=_FINISH_REASONS[plan.finish])
    again = [_record(last, "finish")] if plan.usage == "twice" else []
    return [*found, _record(last, "finish"), *again]


def whole(call: Call, plan: Plan) -> Any:
    """Return the document of an answer that is not streamed."""
    if _is_blocked(plan):
        return _blocked(call, plan)
    parts: list[dict[str, Any]] = []
    if plan.thinking is not None:
        parts.append({"text": plan.thinking, "thought": True})
    if plan.text:
        parts.append({"text": plan.text})
    parts += _tool_parts(plan)
    finish = None if plan.fault == "no_finish" else _FINISH_REASONS[plan.finish]
    return _response(call, plan, parts, finish=finish)


def _is_blocked(plan: Plan) -> bool:
    """Whether the prompt itself is refused: no candidate, but feedback on the prompt."""
    return plan.finish == "content_filter" and not (plan.text or plan.thinking or plan.tool_calls)


def _blocked(call: Call, plan: Plan) -> dict[str, Any]:
    feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    usage = {"promptTokenCount": plan.input_tokens, "totalTokenCount": plan.input_tokens}
    return {**feedback, "usageMetadata": usage, **_tail(call)}


def _tool_parts(plan: Plan) -> list[dict[str, Any]]:
    """Return the calls, all in one record; only the first of them carries a signature."""
    found: list[dict[str, Any]] = []
    for name, arguments in plan.tool_calls:
        part: dict[str, Any] = {"functionCall": {"name": name, "args": json.loads(arguments)}}
        found.append(part if found else {**part, "thoughtSignature": _SIGNATURE})
    return found


def _response(
    call: Call, plan: Plan, parts: list[Any], *, finish: str | None = None, tokens: int = 0
) -> dict[str, Any]:
    content: dict[str, Any] = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    candidate: dict[str, Any] = {"content": content}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate["index"] = 0
    response: dict[str, Any] = {"candidates": [candidate]}
    if plan.usage != "missing":
        spent = plan.output_tokens if finish is not None else tokens
        response["usageMetadata"] = None if plan.usage == "null" else _usage(plan, spent)
    return {**response, **_tail(call)}


def _tail(call: Call) -> dict[str, str]:
    return {"modelVersion": call.model, "responseId": f"{call.number:022d}"}


def _usage(plan: Plan, spent: int) -> dict[str, Any]:
    """Return the counts so far; zeros are left out, and thoughts are apart from candidates."""
    thoughts = min(plan.reasoning_tokens, spent)
    usage: dict[str, Any] = {
        "promptTokenCount": plan.input_tokens,
        "candidatesTokenCount": spent - thoughts,
        "totalTokenCount": plan.input_tokens + spent,
        "cachedContentTokenCount": plan.cached_tokens,
        "thoughtsTokenCount": thoughts,
    }
    usage = {name: count for name, count in usage.items() if count}
    return {
        **usage,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": plan.input_tokens}],
    }


def _record(response: Any, kind: Kind) -> Record:
    text = json.dumps(response, ensure_ascii=False, separators=(",", ": "))
    return Record((f"data: {text}",), kind)


def _type(name: str) -> str:
    return f"type.googleapis.com/google.rpc.{name}"


def _exhausted(plan: Plan, period: str) -> list[dict[str, Any]]:
    """Return the details of an exhausted quota; the wait is in them, not in a header."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    limit = f"GenerateRequestsPer{period}PerProjectPerModel-FreeTier"
    violation = {"quotaMetric": metric, "quotaId": limit, "quotaValue": "20"}
    details: list[dict[str, Any]] = [
        {"@type": _type("QuotaFailure"), "violations": [violation]},
        {
            "@type": _type("Help"),
            "links": [
                {
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }
            ],
        },
    ]
    if plan.retry_after and plan.retry_after.replace(".", "").isdigit():
        details.append({"@type": _type("RetryInfo"), "retryDelay": f"{plan.retry_after}s"})
    return details


def _refusals(call: Call, plan: Plan) -> dict[str, tuple[int, str, str, list[Any]]]:
    """Return code, status, message and details of each error."""
    spent = "You exceeded your current quota, please check your plan and billing details."
    name = _camel(plan.parameter)
    unknown = f"Invalid JSON payload received. Unknown name \"{name}\" at 'generation_config'"
    violation = {"field": "generation_config", "description": f"{unknown}: Cannot find field."}
    key_info = {
        "@type": _type("ErrorInfo"),
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    bad_request = {"@type": _type("BadRequest"), "fieldViolations": [violation]}
    key_message = "API key not valid. Please pass a valid API key."
    missing = (
        f"models/{call.model} is not found for API version v1beta, or is not supported for "
        "generateContent. Call ListModels to see the list of available models."
    )
    too_long = "The input token count (1300000) exceeds the maximum number of tokens allowed"
    invalid = "INVALID_ARGUMENT"
    return {
        "rate_limit": (429, "RESOURCE_EXHAUSTED", spent, _exhausted(plan, "Minute")),
        "quota": (429, "RESOURCE_EXHAUSTED", spent, _exhausted(plan, "Day")),
        "bad_key": (400, invalid, key_message, [key_info]),
        "forbidden": (403, "PERMISSION_DENIED", "The caller does not have permission", []),
        "not_found": (404, "NOT_FOUND", missing, []),
        "context_too_long": (400, invalid, f"{too_long} (1048576).", []),
        "bad_parameter": (400, invalid, f"{unknown}: Cannot find field.", [bad_request]),
        "bad_request": (400, invalid, "Request contains an invalid argument.", []),
        "server_error": (500, "INTERNAL", "An internal error has occurred. Please retry.", []),
        "overloaded": (
            503,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
            [],
        ),
    }


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def refusal(fault: str, call: Call, plan: Plan) -> Refusal | None:
    """Return the error of that name; refused content is told under status 200."""
    if fault == "refused_content":
        return None
    code, status, message, details = _refusals(call, plan)[fault]
    error: dict[str, Any] = {"code": code, "message": call.told(message, plan), "status": status}
    if details:
        error["details"] = details
    is_told = any(detail["@type"] == _type("RetryInfo") for detail in details)
    headers = {"retry-after": plan.retry_after} if plan.retry_after and not is_told else {}
    return Refusal(code, {"error": error}, headers)


def error_record(refusal: Refusal) -> tuple[Record, ...]:
    """Return the error in the place of a response."""
    return (_record(refusal.document, "frame"),)


def written(document: Any) -> str:
    """Return a document as the provider writes one that is not streamed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
