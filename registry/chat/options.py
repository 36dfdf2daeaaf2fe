"""What is asked of an answer on the command line: options, a schema, tools."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rolecall.registry.chat.fields import is_secret
from rolecall.registry.chat.json_schema import UNNAMED_SCHEMA, schema_in
from rolecall.registry.chat.parameters import (
    EFFORTS,
    NO_EFFORT,
    PARAMETERS,
    THINKING_OPTIONS,
    USUAL_EFFORT,
    Values,
    stop_list,
)
from rolecall.registry.chat.parse import parse_json
from rolecall.registry.chat.tools import tool_choice, tools_of
from rolecall.registry.core.chat import Chat, Tool
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.json_text import decode_json, is_whole

EXAMPLE = "-o temperature 0.2"
_OTHER_NAMES = {"stop_sequences": "stop"}
_MISNAMED = {"temp": "temperature", "effort": "reasoning_effort", "topp": "top_p", "topk": "top_k"}
_ELSEWHERE = {
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), "--max-tokens N"),
    **dict.fromkeys(("max_output_tokens", "num_predict"), "--max-tokens N"),
    **dict.fromkeys(("response_format", "output_format", "json_schema"), "--schema FILE"),
    **dict.fromkeys(("schema", "format"), "--schema FILE"),
    **dict.fromkeys(("tools", "functions"), "--tools FILE"),
    **dict.fromkeys(("messages", "prompt"), "--messages FILE"),
    **dict.fromkeys(("reasoning", "output_config"), f"-o reasoning_effort {USUAL_EFFORT}"),
    "system": "--system TEXT",
    "model": "--endpoint GLOB",
    "function_call": "-o tool_choice NAME",
    "stream": "rolecall itself says how the answer is to be sent",
    "stream_options": "rolecall itself says how the answer is to be sent",
}


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says of the answer, which wins over what a chat says.

    Null leaves the chat's own. An option that is null takes the chat's away.
    """

    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def of(self, chat: Chat) -> Chat:
        """Return the chat as the command line wants it."""
        options = dict(chat.options)
        if any(name in self.options for name in THINKING_OPTIONS):
            options = {name: options[name] for name in options if name not in THINKING_OPTIONS}
        options |= self.options
        changed = replace(
            chat,
            tools=chat.tools if self.tools is None else self.tools,
            options={name: value for name, value in options.items() if value is not None},
        )
        if self.schema is None:
            return changed
        return replace(changed, schema=self.schema, schema_name=UNNAMED_SCHEMA)


def parse_options(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the options given as name and value, under canonical names. Raises UsageError."""
    options: dict[str, Any] = {}
    for name, value in pairs:
        if not name.strip() or "=" in name:
            raise UsageError(f"option {name!r}: expected a name, then a value", hint=EXAMPLE)
        option, parsed = parse_option(name.strip(), value)
        if option in options:
            hint = '-o stop \'["END", "STOP"]\'' if option == "stop" else EXAMPLE
            raise UsageError(f"option {option} is given twice", hint=hint)
        options[option] = parsed
    return options


def parse_option(name: str, value: str) -> tuple[str, Any]:
    """Return an option's canonical name and its value, read as JSON where it is JSON.

    A name that is not known is taken as it is, since each server has some of its own; a value
    of null means that the option is not to be sent. Raises UsageError.
    """
    if is_secret(name):
        raise UsageError(
            f"option {name} may be secret", hint="endpoints edit: key_env, key_command"
        )
    name = _canonical(name)
    parsed = _json_or_text(value)
    if parsed is None:
        return name, None
    if name == "thinking" or (name == "thinking_budget" and parsed == 0):
        return _thinking(parsed)
    if name == "stop":
        return name, stop_list(
            parsed if isinstance(parsed, list) else _text(parsed, value), "option stop"
        )
    if name == "tool_choice":
        is_tool = isinstance(parsed, str) and parsed not in ("auto", "none", "required", "any")
        chosen = tool_choice({"name": parsed} if is_tool else parsed, "option tool_choice")
        return name, None if chosen == "auto" else chosen
    if name == "n" and parsed != 1:
        raise UsageError("option n: ask gives one answer", hint="ask again for another")
    problem = PARAMETERS.get(name, Values()).problem(parsed)
    if problem is not None:
        given = value if isinstance(parsed, int | float) else repr(value)
        raise UsageError(f"option {name}: {given} {problem}")
    return name, parsed


def read_schema(text: str, name: str) -> Mapping[str, Any]:
    """Return the JSON schema of a JSON text. Raises UsageError; `name` says where it was read."""
    return schema_in(parse_json(text, name=name), name)


def read_tools(text: str, name: str) -> tuple[Tool, ...]:
    """Return the tools of a JSON text: a list in either shape, or an object with `tools`.

    `name` says in errors where the text was read. Raises UsageError.
    """
    document = parse_json(text, name=name)
    body = {"tools": document} if isinstance(document, list) else document
    if isinstance(body, dict) and isinstance(body.get("result"), dict):
        body = body["result"]  # an MCP server's whole answer to tools/list
    if isinstance(body, dict) and {"functionDeclarations", "function_declarations"} & set(body):
        body = {"tools": [body]}
    if not isinstance(body, dict) or not {"tools", "functions"} & set(body):
        raise UsageError(f"{name}: expected a list of tools or an object with `tools`")
    return tools_of(body, name)


def _canonical(name: str) -> str:
    """Return the name by which an option is known; raise where it belongs elsewhere."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in _ELSEWHERE:
        raise UsageError(f"{name} is no option", hint=_ELSEWHERE[plain])
    if plain in PARAMETERS:
        return plain
    # As near as a typo: `min_tokens` and `top_a` are other servers' own.
    near = difflib.get_close_matches(plain, PARAMETERS, n=1, cutoff=0.87)
    meant = _MISNAMED.get(plain) or next(iter(near), None)
    if meant is not None:
        raise UsageError(f'no option is named "{name}"', hint=f"did you mean {meant}?")
    return name


def _json_or_text(value: str) -> Any:
    try:
        return decode_json(value)
    except (ValueError, RecursionError):
        return value


def _text(parsed: Any, value: str) -> str:
    return parsed if isinstance(parsed, str) else value


def _thinking(value: Any) -> tuple[str, Any]:
    """Return how much to think: on or off, tokens, or a word."""
    if value in (True, "on", "enabled") and not is_whole(value):
        return "reasoning_effort", USUAL_EFFORT
    if value in (False, "off", "disabled", 0):
        return "reasoning_effort", NO_EFFORT
    if value in EFFORTS:
        return "reasoning_effort", value
    if not is_whole(value) or value < 0:
        raise UsageError(
            "option thinking: expected on, off or a number of tokens", hint="-o thinking on"
        )
    return "thinking_budget", value
