"""Tools, their calls and results in OpenAI's and Anthropic's shapes, in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from rolecall.registry.chat.answer_form import plain_schema
from rolecall.registry.chat.content import optional_string_at, string_at
from rolecall.registry.chat.fields import holds_secret
from rolecall.registry.core.chat import Part, Tool, ToolCall, ToolResult, Turn
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import compact, kind_of

_CHOICES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
# OpenAI's and Gemini's name of a tool's schema, Anthropic's, MCP's, and Gemini's newer one.
_SCHEMA_KEYS = (
    *("parameters", "input_schema", "inputSchema"),
    *("parametersJsonSchema", "parameters_json_schema"),
)
_DECLARATIONS = ("functionDeclarations", "function_declarations")
# What a definition may say besides: of its results, of how it is shown, and to other clients.
_BESIDES = frozenset(
    {
        *("response", "responseJsonSchema", "response_json_schema", "outputSchema", "returns"),
        *("output_schema", "return", "annotations", "_meta", "meta", "icons", "execution"),
    }
)
_EXTRAS = ("cache_control", "strict")


def tools_of(body: Mapping[str, Any], name: str) -> tuple[Tool, ...]:
    """Return the tools that a request offers, its legacy functions last. Raises InvalidPrompt."""
    found: list[Tool] = []
    for key in ("tools", "functions"):
        place = f"{name}: {key}"
        raw = body.get(key) or []
        if isinstance(raw, dict) and isinstance(raw.get("tools"), list):
            raw, place = raw["tools"], f"{place}.tools"  # the answer to MCP's tools/list
        if not isinstance(raw, list):
            raise InvalidPrompt(f"{place}: expected a list, found {kind_of(raw)}")
        for index, one in enumerate(raw):
            found += _tools(one, f"{place}[{index}]")
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


def _tools(tool: Any, place: str) -> Iterator[Tool]:
    """Yield the tool that an entry is, or each of the declarations that Gemini's holds."""
    declared = next((key for key in _DECLARATIONS if isinstance(tool, dict) and key in tool), None)
    if declared is None:
        yield _tool(tool, place)
        return
    other = next((key for key in tool if key != declared), None)
    if other is not None:
        raise InvalidPrompt(f"{place}.{other}: cannot be asked for beside {declared}")
    if not isinstance(tool[declared], list):
        found = kind_of(tool[declared])
        raise InvalidPrompt(f"{place}.{declared}: expected a list, found {found}")
    for index, one in enumerate(tool[declared]):
        yield _tool(one, f"{place}.{declared}[{index}]")


def _tool(tool: Any, place: str) -> Tool:
    """Read a tool in any shape; one that a provider runs itself may be named by its type."""
    if not isinstance(tool, dict):
        raise InvalidPrompt(f"{place}: expected a tool with a name")
    kind = optional_string_at(tool, "type", place)
    inner = tool.get("function") or tool.get("custom")
    holder = inner if isinstance(inner, dict) else tool
    name = holder.get("name") or kind
    if not isinstance(name, str):
        raise InvalidPrompt(f"{place}: expected a tool with a name")
    if kind not in (None, "function", "custom") or isinstance(tool.get("custom"), dict):
        if holds_secret(tool):
            raise InvalidPrompt(f"{place}: a key in a tool's definition is not sent")
        return Tool(name, native=tool)
    said = {key: each[key] for each in (tool, holder) for key in _EXTRAS if each.get(key)}
    if holder is not tool:
        place = f"{place}.function"
        # Some write the schema beside `function` instead of in it.
        holder = {key: tool[key] for key in _SCHEMA_KEYS if tool.get(key)} | dict(holder)
    description = optional_string_at(holder, "description", place)
    return Tool(name, description, _parameters(holder, place), extra=said or None)


def _parameters(holder: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Return a tool's schema under any of its names; refuse one under a name that nobody uses."""
    found: Mapping[str, Any] | None = None
    for key in _SCHEMA_KEYS:
        schema = holder.get(key)
        if schema is not None and not isinstance(schema, dict):
            raise InvalidPrompt(f"{place}.{key}: expected an object, found {kind_of(schema)}")
        found = found or schema
    if not found:
        for key, value in holder.items():
            if key not in (*_SCHEMA_KEYS, *_EXTRAS, *_BESIDES) and _is_schema(value):
                raise InvalidPrompt(
                    f"{place}.{key}: no server reads a tool's schema there",
                    hint="name it parameters, input_schema or inputSchema",
                )
    plain: Mapping[str, Any] = plain_schema(found or {})
    return plain


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and ("properties" in value or "type" in value or "$ref" in value)


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
    if "function" not in call and "name" in call:  # as `ask --json` prints a call
        return _function_call(call, call_id, place)
    said = call.get("extra_content")
    google = said.get("google") if isinstance(said, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    found = _function_call(call.get("function"), call_id, f"{place}.function")
    return replace(found, signature=signature) if isinstance(signature, str) else found


def _function_call(function: Any, call_id: str, place: str) -> ToolCall:
    """Read a call's name and arguments: JSON as a text, or decoded as Ollama has them."""
    if not isinstance(function, dict):
        raise InvalidPrompt(f"{place}: expected an object, found {kind_of(function)}")
    key = next((one for one in ("arguments", "args", "input") if function.get(one)), "arguments")
    arguments = function.get(key)
    if isinstance(arguments, dict):
        arguments = compact(arguments)
    if arguments is not None and not isinstance(arguments, str):
        found = kind_of(arguments)
        raise InvalidPrompt(f"{place}.{key}: expected an object or JSON text, found {found}")
    return ToolCall(call_id, string_at(function, "name", place), arguments or "{}")
