"""How an answer is asked for, in OpenAI's, Anthropic's and OpenRouter's words, in one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.registry.chat.tools import tool_choice
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import is_whole, kind_of

UNNAMED_SCHEMA = "answer"
ANY_OBJECT = {"type": "object"}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
USUAL_EFFORT = "medium"
# Two ways to say how much to think: setting one replaces the other.
NO_EFFORT = "none"
THINKING_OPTIONS = ("thinking_budget", "reasoning_effort")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
# Keys that say what is asked, or who asks, rather than how it is to be answered.
_NO_OPTIONS = {
    *("messages", "prompt", "system", "tools", "functions", "model", "response_format"),
    *("output_format", "output_config", "stream", "stream_options", "metadata", "user", "store"),
    *("id", "custom_id", "method", "url", "group", "fold", "task", "score", "scores"),
    *("output_tokens", "cost_usd", *_LIMITS),
}
_TRANSLATED = {
    *("stop", "stop_sequences", "tool_choice", "function_call"),
    *("thinking", "reasoning", *THINKING_OPTIONS),
}


def options_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters that a request sets, under their canonical names.

    One that is known by no canonical name keeps its own. Raises InvalidPrompt.
    """
    kept = {
        key: value
        for key, value in body.items()
        if value is not None and key not in _NO_OPTIONS and key not in _TRANSLATED
    }
    return kept | dict(_stop(body, name)) | dict(_tool_choice(body, name)) | _thinking(body, name)


def schema_of(body: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any] | None, str]:
    """Return the answer's JSON schema and its name; empty where JSON is asked for without one."""
    asked = body.get("response_format") or body.get("output_format")
    if asked is None:
        asked = _object(body, "output_config", name).get("format")
    if asked is None:
        return None, UNNAMED_SCHEMA
    if not isinstance(asked, dict):
        raise InvalidPrompt(f"{name}: response_format: expected an object, found {kind_of(asked)}")
    if asked.get("type") == "text":
        return None, UNNAMED_SCHEMA
    if asked.get("type") == "json_object":
        return {}, UNNAMED_SCHEMA
    holder = asked.get("json_schema") if isinstance(asked.get("json_schema"), dict) else asked
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not isinstance(schema, dict):
        raise InvalidPrompt(f"{name}: response_format: expected a JSON schema under `schema`")
    said = holder.get("name")
    return schema or ANY_OBJECT, said if isinstance(said, str) and said else UNNAMED_SCHEMA


def max_tokens_of(body: Mapping[str, Any], name: str) -> int | None:
    """Return the most output tokens asked for, under any of its names. Raises InvalidPrompt."""
    for key in _LIMITS:
        limit = body.get(key)
        if limit is None:
            continue
        if not is_whole(limit) or limit < 1:
            raise InvalidPrompt(f"{name}: {key}: expected a whole number above 0")
        return int(limit)
    return None


def stop_list(value: Any, place: str) -> list[str]:
    """Return the texts that end an answer, given as one text or a list. Raises InvalidPrompt."""
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
        raise InvalidPrompt(f"{place}: expected a text or a list of texts")
    return stops


def _stop(body: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for key in ("stop", "stop_sequences"):
        stops = stop_list(body.get(key) or [], f"{name}: {key}")
        if stops:
            yield "stop", stops
            return


def _tool_choice(body: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for key in ("tool_choice", "function_call"):
        choice = body.get(key)
        if choice is None:
            continue
        chosen = tool_choice(choice, f"{name}: {key}")
        if chosen != "auto":  # which is what every API does by itself
            yield "tool_choice", chosen
        if isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True:
            yield "parallel_tool_calls", False
        return


def _thinking(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the budget for thinking, or the effort put into it, or both where both are said."""
    thinking = _object(body, "thinking", name)
    reasoning = _object(body, "reasoning", name)
    budget = _first(
        (f"{name}: thinking_budget", body.get("thinking_budget")),
        (f"{name}: thinking.budget_tokens", thinking.get("budget_tokens")),
        (f"{name}: reasoning.max_tokens", reasoning.get("max_tokens")),
    )
    effort = _first(
        (f"{name}: reasoning_effort", body.get("reasoning_effort")),
        (f"{name}: reasoning.effort", reasoning.get("effort")),
        (f"{name}: output_config.effort", _object(body, "output_config", name).get("effort")),
    )
    if budget and (not is_whole(budget[1]) or budget[1] < 0):
        raise InvalidPrompt(f"{budget[0]}: expected a whole number of tokens")
    if effort and not isinstance(effort[1], str):
        raise InvalidPrompt(f"{effort[0]}: expected a word, found {kind_of(effort[1])}")
    is_off = thinking.get("type") == "disabled" or reasoning.get("enabled") is False
    if is_off or (budget and budget[1] == 0):
        budget, effort = None, (name, NO_EFFORT)  # which every API can be told
    is_on = thinking.get("type") in ("enabled", "adaptive") or reasoning.get("enabled") is True
    if is_on and not budget and not effort:
        effort = (name, USUAL_EFFORT)
    said = zip(THINKING_OPTIONS, (budget, effort), strict=True)
    return {option: found[1] for option, found in said if found}


def _first(*places: tuple[str, Any]) -> tuple[str, Any] | None:
    """Return the first place at which something is said, with what is said there."""
    return next((found for found in places if found[1] is not None), None)


def _object(body: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidPrompt(f"{name}: {key}: expected an object, found {kind_of(value)}")
    return value
