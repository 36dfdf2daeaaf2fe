"""An answer, or the lack of one, as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from rolecall.registry.calls.events import Answered, Failed
from rolecall.registry.core.chat import Thinking, ToolCall, Usage
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.core.json_text import decode_shallow
from rolecall.registry.core.telemetry import Call

_KEYS = (
    *("endpoint", "model", "answer", "thinking", "tool_calls", "finish_reason", "usage"),
    *("cost_usd", "reserved_usd", "total_cost_usd", "time_to_first_chunk_s"),
    *("time_per_output_token_s", "duration_s", "call_id", "attempts", "conversation_id"),
    *("outcomes", "notes"),
)


def describe_answer(result: Answered, failures: Sequence[Failed] = ()) -> dict[str, Any]:
    """Return the documented object that `ask --json` prints. Keys are only ever added."""
    call, answer = result.call, result.answer
    failures = [one for one in failures if one.call is None or one.call.id != call.id]
    thinking = "".join(part.text for part in answer.parts if isinstance(part, Thinking))
    return _described(
        result.decision,
        failures,
        endpoint=call.endpoint,
        model=call.response_model,
        answer=answer.text,
        thinking=thinking or None,
        tool_calls=[tool_call(one) for one in answer.tool_calls],
        finish_reason=answer.finish_reason,
        usage=usage_of(call),
        cost_usd=call.cost_usd,
        reserved_usd=call.reserved_usd,
        total_cost_usd=_total_usd([*_calls_of(failures), call]),
        time_to_first_chunk_s=call.time_to_first_chunk_s,
        time_per_output_token_s=call.time_per_output_token_s,
        duration_s=call.duration_s,
        call_id=call.id,
        attempts=call.attempt,
        conversation_id=result.conversation_id,
        outcomes=[
            {"score": one.score, "source": one.source, "note": one.note} for one in result.outcomes
        ],
        notes=[*result.decision.notes, *result.told, *result.notes],
    )


def describe_failure(
    decision: Decision, failures: Sequence[Failed], told: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the same object where no endpoint answered: what is not there is null.

    `told` are the notes on what was sent.
    """
    return _described(
        decision,
        failures,
        attempts=sum(isinstance(one.error, CallFailed) for one in failures),
        total_cost_usd=_total_usd(_calls_of(failures)),
        conversation_id=decision.conversation_id,
        notes=[*decision.notes, *told],
    )


def _described(decision: Decision, failures: Sequence[Failed], **found: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(_KEYS)
    failed = [
        {
            "endpoint": one.endpoint,
            "error_type": getattr(one.error, "error_type", None),
            "message": one.error.message,
            "call_id": None if one.call is None else one.call.id,
            "cost_usd": None if one.call is None else one.call.cost_usd,
            "reserved_usd": None if one.call is None else one.call.reserved_usd,
        }
        for one in failures
    ]
    chosen = {"decision_id": decision.id, "chosen": decision.chosen}
    return chosen | nothing | found | {"failures": failed}


def _calls_of(failures: Sequence[Failed]) -> list[Call]:
    return [one.call for one in failures if one.call is not None]


def _total_usd(calls: Sequence[Call]) -> float | None:
    """Add up what calls cost; null where one of them is unknown."""
    costs = [call.cost_usd for call in calls]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def tool_call(call: ToolCall) -> dict[str, Any]:
    """Return a tool call with its arguments decoded; as text where they are no usable JSON."""
    try:
        arguments = decode_shallow(call.arguments or "{}")
    except ValueError:
        arguments = call.arguments
    return {"id": call.id, "name": call.name, "arguments": arguments}


def usage_of(call: Call) -> dict[str, int | None]:
    """Return the tokens of a call, in OpenTelemetry's words; null where unknown."""
    return {field.name: getattr(call, field.name) for field in fields(Usage)}
