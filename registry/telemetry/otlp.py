"""Calls as OpenTelemetry spans: one OTLP/JSON trace document that a collector takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from rolecall.registry.core.telemetry import Call

_CLIENT = 3
_ERROR = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def otlp_trace(calls: Iterable[Call]) -> Iterator[str]:
    """Yield the pieces of a document with a span for each call that has ended.

    A decision's calls share a trace, a probe has one of its own. Ids are derived from ours, so
    that exporting twice gives the same spans.
    """
    resource = {"attributes": _attributes({"service.name": "rolecall"})}
    scope = {"name": "rolecall", "version": version("rolecall")}
    yield f'{{"resourceSpans":[{{"resource":{_json(resource)},'
    yield f'"scopeSpans":[{{"scope":{_json(scope)},"spans":['
    separator = "\n"
    for call in calls:
        if call.finished_at is not None:
            yield separator + _json(span(call))
            separator = ",\n"
    yield "\n]}]}]}\n"


def span(call: Call) -> dict[str, Any]:
    """Return the span of a call that has ended."""
    start, end = _interval(call)
    plain = {
        "traceId": _digest(call.decision_id or call.id, 32),
        "spanId": _digest(call.id, 16),
        "name": " ".join(filter(None, (call.operation_name, call.request_model))),
        "kind": _CLIENT,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _attributes({**_conventional(call), **_own(call)}),
    }
    if call.error_type is not None:
        plain["status"] = {"code": _ERROR, "message": call.detail or call.error_type}
    return plain


def _conventional(call: Call) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": call.operation_name,
        "gen_ai.provider.name": call.provider_name,
        "gen_ai.request.model": call.request_model,
        "gen_ai.response.model": call.response_model,
        "gen_ai.response.id": call.response_id,
        "gen_ai.response.finish_reasons": call.finish_reasons or None,
        "gen_ai.response.time_to_first_chunk": call.time_to_first_chunk_s,
        "gen_ai.conversation.id": call.conversation_id,
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": call.cache_read_input_tokens,
        "gen_ai.usage.cache_write.input_tokens": call.cache_write_input_tokens,
        "gen_ai.usage.reasoning.output_tokens": call.reasoning_output_tokens,
        "error.type": call.error_type,
        "server.address": call.server_address,
    }


def _own(call: Call) -> dict[str, Any]:
    return {
        "rolecall.call_id": call.id,
        "rolecall.decision_id": call.decision_id,
        "rolecall.attempt": call.attempt,
        "rolecall.endpoint": call.endpoint,
        "rolecall.task": call.task,
        "rolecall.sample_source": call.sample_source,
        "rolecall.cost_usd": call.cost_usd,
        "rolecall.price_source": call.price_source,
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the attributes that are known; OTLP has no null."""
    return [
        {"key": key, "value": _value(value)} for key, value in values.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}  # 64 bits do not fit a JSON number
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, tuple):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": value}


def _interval(call: Call) -> tuple[int, int]:
    """Return when a call began and ended, in nanoseconds since 1970."""
    assert call.finished_at is not None
    start = _nanoseconds(datetime.fromisoformat(call.created_at))
    if call.duration_s is not None:
        return start, start + max(round(call.duration_s * 1e9), 0)
    return start, max(start, _nanoseconds(datetime.fromisoformat(call.finished_at)))


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _json(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":"))
