"""Tools, their calls and results in OpenAI's and Anthropic's shapes, in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from rolecall.registry.chat.content import optional_string_at, string_at
from rolecall.registry.core.chat import Part, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import compact, kind_of

_CHOICES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_SCHEMA_KEYS = ("parameters", "input_schema")


def tools_of(body: Mapping[str, Any], name: str) -> tuple[Tool, ...]:
    """Return the tools that a request offers, its legacy functions last. Raises InvalidPrompt."""
    found: list[Tool] = []
    for key in ("tools", "functions"):
        raw = body.get(key) or []
        if not isinstance(raw, list):
            raise InvalidPrompt(f"{name}: {key}: expected a list, found {kind_of(raw)}")
        found += [_tool(one, f"{name}: {key}[{index}]") for index, one in enumerate(raw)]
    return tuple(found)


def tool_text(tool: Tool) -> str:
    """Return a tool's definition as JSON in OpenAI's shape, or in its provider's."""
    if tool.native is not None:
        return compact(tool.native)
    said = {} if tool.description is None else {"description": tool.description}
    function = {"name": tool.name, **said, "parameters": tool.parameters}
    return compact({"type": "function", "function": function})


def tool_choice(value: Any, place: str) -> str | dict[str, str]:
    """Return `auto`, `none`, `required` or `{"name": …}`. Raises InvalidPrompt."""
    if isinstance(value, dict):
        inner = value.get("function") or value.get("custom")
        holder = inner if isinstance(inner, dict) else value
        if isinstance(holder.get("name"), str):
            return {"name": holder["name"]}
        value = value.get("type")
    if isinstance(value, str) and value in _CHOICES:
        return _CHOICES[value]
    raise InvalidPrompt(f"{place}: expected auto, none, required or a tool's name")


def calls_of(message: Mapping[str, Any], place: str) -> Iterator[ToolCall]:
    """Yield the calls beside a message's content, legacy ones included. Raises InvalidPrompt."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise InvalidPrompt(f"{place}.tool_calls: expected a list, found {kind_of(calls)}")
    for index, call in enumerate(calls):
        yield _call(call, f"{place}.tool_calls[{index}]")
    if message.get("function_call"):
        yield _function_call(message["function_call"], "", f"{place}.function_call")


def linked(turns: Iterable[Turn], name: str) -> tuple[Turn, ...]:
    """Fill in what a call or its result leaves to the other: the ids and the tool's name.

    A result without an id answers the first open call of its name. Raises InvalidPrompt.
    """
    names: dict[str, str] = {}
    open_calls: list[str] = []

    def part_linked(part: Part) -> Part:
        if isinstance(part, ToolCall):
            call = part if part.id else replace(part, id=_free_id(names))
            names[call.id] = call.name
            open_calls.append(call.id)
            return call
        if isinstance(part, ToolResult):
            wanted = (one for one in open_calls if part.name in (None, names[one]))
            call_id = part.call_id or next(wanted, None)
            if call_id is None:
                raise InvalidPrompt(f"{name}: a tool's result has no tool_call_id and no call")
            if call_id in open_calls:
                open_calls.remove(call_id)
            return replace(part, call_id=call_id, name=names.get(call_id, part.name))
        return part

    return tuple(replace(turn, parts=tuple(map(part_linked, turn.parts))) for turn in turns)


def _free_id(taken: Mapping[str, str]) -> str:
    return next(one for n in count(len(taken)) if (one := f"call_{n}") not in taken)


def _tool(tool: Any, place: str) -> Tool:
    """Read a tool in either shape; one that a provider runs itself may be named by its type."""
    if not isinstance(tool, dict):
        raise InvalidPrompt(f"{place}: expected a tool with a name")
    kind = tool.get("type")
    inner = tool.get("function") or tool.get("custom")
    holder = inner if isinstance(inner, dict) else tool
    name = holder.get("name") or kind
    if not isinstance(name, str):
        raise InvalidPrompt(f"{place}: expected a tool with a name")
    if kind not in (None, "function", "custom") or isinstance(tool.get("custom"), dict):
        return Tool(name, native=tool)
    if holder is not tool:
        place = f"{place}.function"
    description = optional_string_at(holder, "description", place)
    for key in _SCHEMA_KEYS:
        schema = holder.get(key)
        if schema is not None and not isinstance(schema, dict):
            raise InvalidPrompt(f"{place}.{key}: expected an object, found {kind_of(schema)}")
    schemas = [holder[key] for key in _SCHEMA_KEYS if holder.get(key)]
    return Tool(name, description, schemas[0] if schemas else {})


def _call(call: Any, place: str) -> ToolCall:
    if not isinstance(call, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {kind_of(call)}")
    call_id = optional_string_at(call, "id", place) or ""
    custom = call.get("custom")
    if isinstance(custom, dict):
        # Its input is free text, which only an object can carry as JSON.
        text = string_at(custom, "input", f"{place}.custom")
        return ToolCall(
            call_id, string_at(custom, "name", f"{place}.custom"), compact({"input": text})
        )
    return _function_call(call.get("function"), call_id, f"{place}.function")


def _function_call(function: Any, call_id: str, place: str) -> ToolCall:
    if not isinstance(function, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {kind_of(function)}")
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        found = kind_of(arguments)
        raise InvalidPrompt(f"{place}.arguments: expected JSON as a string, found {found}")
    return ToolCall(call_id, string_at(function, "name", place), arguments or "{}")
