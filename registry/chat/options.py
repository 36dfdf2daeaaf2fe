"""What is asked of an answer on the command line: options, a schema, tools."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rolecall.registry.chat.parameters import (
    ANY_OBJECT,
    EFFORTS,
    NO_EFFORT,
    THINKING_OPTIONS,
    UNNAMED_SCHEMA,
    USUAL_EFFORT,
    stop_list,
)
from rolecall.registry.chat.parse import parse_json
from rolecall.registry.chat.tools import tool_choice, tools_of
from rolecall.registry.core.chat import Chat, Tool
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.json_text import decode_json, is_whole, kind_of

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

EXAMPLE = "-o temperature 0.2"
PROBLEM_CHARS = 200
# The lowest and the highest value of each; null where there is no bound.
_NUMBERS: dict[str, tuple[float | None, float | None]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "repetition_penalty": (0, None),
}
_WHOLE_NUMBERS: dict[str, tuple[float | None, float | None]] = {
    "top_k": (0, None),
    "seed": (None, None),
    "top_logprobs": (0, 20),
    "thinking_budget": (0, None),
    "n": (1, 1),
}
_WORDS = {"reasoning_effort": EFFORTS, "verbosity": ("low", "medium", "high")}
_TRUTHS = ("parallel_tool_calls", "logprobs")
_OTHERS = ("stop", "tool_choice", "thinking", "logit_bias", "service_tier", "min_tokens")
_KNOWN = (*_NUMBERS, *_WHOLE_NUMBERS, *_WORDS, *_TRUTHS, *_OTHERS)
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
    if name in _WORDS and parsed not in _WORDS[name]:
        raise UsageError(f"option {name}: {value!r} is none of {', '.join(_WORDS[name])}")
    if name in _TRUTHS and not isinstance(parsed, bool):
        raise UsageError(f"option {name}: {value!r} is neither true nor false")
    if name == "n" and parsed != 1:
        raise UsageError("option n: ask gives one answer", hint="ask again for another")
    if name in _NUMBERS or name in _WHOLE_NUMBERS:
        _check_number(name, parsed, value)
    return name, parsed


def read_tools(text: str, name: str) -> tuple[Tool, ...]:
    """Return the tools of a JSON text: a list in either shape, or an object with `tools`.

    `name` says in errors where the text was read. Raises UsageError.
    """
    document = parse_json(text, name=name)
    body = {"tools": document} if isinstance(document, list) else document
    if not isinstance(body, dict) or not {"tools", "functions"} & set(body):
        raise UsageError(f"{name}: expected a list of tools or an object with `tools`")
    return tools_of(body, name)


def read_schema(text: str, name: str) -> Mapping[str, Any]:
    """Return the JSON schema of a JSON text, which may be wrapped as OpenAI or Anthropic want it.

    `name` says in errors where the text was read. Raises UsageError.
    """
    schema = parse_json(text, name=name)
    for key in ("json_schema", "schema"):
        wrapping = {"name", "description", "strict", "type", key}
        if isinstance(schema, dict) and isinstance(schema.get(key), dict):
            schema = schema[key] if set(schema) <= wrapping else schema
    if not isinstance(schema, dict):
        raise UsageError(f"{name}: expected a JSON schema, found {kind_of(schema)}")
    check_schema(schema, name)
    return schema or ANY_OBJECT


def check_schema(schema: Mapping[str, Any], name: str) -> None:
    """Raise UsageError, which `name` starts, where a JSON schema is none or refers outside itself.

    Nothing is ever fetched.
    """
    _validator(schema, name)


def answer_problem(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in one line why an answer is not the JSON that `schema` asks for; None where it is.

    An empty schema asks for any JSON object. Raises UsageError for a schema that
    `check_schema` refuses.
    """
    validator = _validator(schema or ANY_OBJECT, "the schema")
    from jsonschema.exceptions import best_match

    if not text.strip():
        return "the answer is empty"
    try:
        error = best_match(validator.iter_errors(decode_json(text)))
    except json.JSONDecodeError as wrong:
        if text.lstrip().startswith("```"):
            return "not JSON: it stands in a ``` fence"
        problem = wrong.msg[:1].lower() + wrong.msg[1:]
        return f"not JSON: {problem} at line {wrong.lineno}, column {wrong.colno}"
    except ValueError as wrong:
        return _shortened(f"not JSON: {wrong}")
    except RecursionError:
        return "nested too deeply to be checked"
    return None if error is None else _shortened(f"{error.json_path}: {error.message}")


def _canonical(name: str) -> str:
    """Return the name by which an option is known; raise where it belongs elsewhere."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in _ELSEWHERE:
        raise UsageError(f"{name} is no option", hint=_ELSEWHERE[plain])
    if plain in _KNOWN:
        return plain
    # As near as a typo: `min_tokens` and `top_a` are other servers' own.
    near = difflib.get_close_matches(plain, _KNOWN, n=1, cutoff=0.87)
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


def _check_number(name: str, number: Any, value: str) -> None:
    is_number = is_whole(number) or (name in _NUMBERS and isinstance(number, float))
    if not is_number:
        wanted = "a number" if name in _NUMBERS else "a whole number"
        raise UsageError(f"option {name}: {value!r} is not {wanted}")
    lowest, highest = (_NUMBERS | _WHOLE_NUMBERS)[name]
    if lowest is not None and number < lowest:
        raise UsageError(f"option {name}: {value} is below {lowest}")
    if highest is not None and number > highest:
        raise UsageError(f"option {name}: {value} is above {highest}")


def _validator(schema: Mapping[str, Any], name: str) -> Validator:
    """Return what checks values by a schema that has been checked itself."""
    # Imported here: 55 ms, which nobody pays who gives no schema.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

    if not isinstance(schema.get("$schema", ""), str):
        raise UsageError(f"{name}: $schema: expected a string")
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
        root = Resource.from_contents(schema, default_specification=DRAFT202012)
        _follow(root, EMPTY_REGISTRY.resolver_with_root(root))
        # Without a registry of its own, a validator would fetch what it does not know.
        validator = kind(dict(schema), registry=EMPTY_REGISTRY)
        validator.is_valid(None)
    except SchemaError as error:
        problem = _shortened(f"{error.json_path}: {error.message}")
        raise UsageError(f"{name}: not a JSON schema: {problem}") from error
    except Unresolvable as error:
        raise UsageError(
            f"{name}: the schema refers to {error.ref}, which is not in it",
            hint="put what it refers to under $defs",
        ) from error
    except RecursionError as error:
        raise UsageError(f"{name}: the schema refers to itself without end") from error
    except ValueError as error:
        raise UsageError(f"{name}: the schema refers to no proper URL: {error}") from error
    return validator


def _follow(resource: Any, resolver: Any) -> None:
    """Look up every reference that a schema makes; raise Unresolvable where one leads nowhere."""
    if isinstance(resource.contents, dict):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(resource.contents.get(key), str):
                resolver.lookup(resource.contents[key])
    for inner in resource.subresources():
        _follow(inner, resolver.in_subresource(inner))


def _shortened(text: str) -> str:
    """Return text in one line, its middle left out where it is long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) <= PROBLEM_CHARS:
        return line
    half = PROBLEM_CHARS // 2 - 2
    return f"{line[:half]} … {line[-half:]}"
