"""Inputs that no careful person would give, each made from a seed: files, words, answers."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rolecall.cli.tree import tree
from tests.calls.sound_files import ATTACHED, SPOOLED

CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 130})
ODD_TEXTS = (
    *("", " ", "-", "--", "0", "-1", "1e999", "nan", "inf", "9" * 40, "1_0", "0x1F", "½", "٣"),
    *("~", "~nouser", "~nouser/x", "/", "..", ".", "/dev/null", "a" * 300, "x/" * 3000, "\n", "\t"),
    *("%s%n", "{0}", "[", "]", "(", "*", "**", "[!", "\\", "'", '"', "`", "$HOME", "a=b", "=", ","),
    *("http://[foo", "http://", "https://h:99999", "http://h:x", "ftp://h", "http://a b", "//h"),
    *("é", "e\u0301", "\u202e", "\x1b[31m", "\x00", "\ud83d", "🙂", "字" * 50, "\ufeff", "null"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 1.5, -0.0, 1e308, 1e-320),
    *([], {}, [[]], [None], {"": None}, {"type": None}, [{}], "text", {"a": {"b": [1, "x"]}}),
)
ODD_YAML = (
    *('!!int ""', "!!bool banana", "!!float x", "!!null x", "!!binary ///", "!!timestamp x"),
    *("!!python/object:os.system x", "!!set {a}", "!!omap [a]", "!!str [a]", "&a [*a]", "*nobody"),
    *("<<: 1", "{<<: [1]}", "? [a]", "|", ">", "- -", "{", "[", "%TAG", "---", "...", "@", "`x`"),
    *("2026-13-45", "1:2:3", "0o9", "0b2", "1e999", ".nan", ".inf", "~", "=", "!", "!!", "'", '"'),
)
CHAT: dict[str, Any] = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ],
        },
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "d",
                "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
            },
        }
    ],
    "tool_choice": "auto",
    "temperature": 0.5,
    "max_tokens": 50,
    "stop": ["x"],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"n": {"type": "integer", "minimum": 0}},
    "properties": {
        "n": {"$ref": "#/$defs/n"},
        "s": {"type": "string", "pattern": "^a+$", "enum": ["a", "aa"]},
        "l": {"type": "array", "items": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}},
    },
    "required": ["n"],
    "additionalProperties": False,
}
ROW = {"prompt": "2+2?", "scores": {"m": 1.0, "n": 0.0}, "task": "math", "output_tokens": {"m": 9}}
DOCUMENT = """\
models:
  - id: m
    capabilities: [tools, json_schema]
    modalities: [text, image]
    context_tokens: 128000
endpoints:
  - id: lab/m
    model: m
    api: openai
    base_url: http://127.0.0.1:9/v1
    remote_model: m
    key_env: null
    locality: local
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2, source: me, as_of: 2026-05-30}
    profile: {ttft_s: 0.9, samples: 3, success: {code: 0.8}}
roles:
  - id: coder
    tasks: [code]
    require: [tools]
    worth: 4
    examples: ["refactor this"]
    assignments:
      - {endpoint: lab/m, status: active}
tasks:
  - {id: code.edit, description: edits, require: [], roles: [coder]}
strategies:
  - {id: mine, quality_usd: 0.05, min_success: null, allow: ["*"]}
scopes:
  - {app: desk, strategy: mine, budget: {usd: 20, per: day, mode: hard}}
"""
WIRES = {
    "openai": (
        'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":'
        '"Hi"},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{'
        '"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},'
        '"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":9,'
        '"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}}\n\ndata: [DONE]\n\n'
    ),
    "anthropic": (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"1","model":"m",'
        '"usage":{"input_tokens":9,"output_tokens":1}}}\n\ndata: {"type":"content_block_start",'
        '"index":0,"content_block":{"type":"text","text":""}}\n\ndata: {"type":'
        '"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\ndata: '
        '{"type":"content_block_stop","index":0}\n\ndata: {"type":"message_delta","delta":'
        '{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}\n\n'
        'data: {"type":"message_stop"}\n\n'
    ),
    "gemini": (
        'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":'
        '"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3}}\n\n'
    ),
    "ollama": (
        '{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}\n'
        '{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"'
        ',"prompt_eval_count":9,"eval_count":3,"eval_duration":1000,"load_duration":1}\n'
    ),
}
PARAMETERS = ("temperature", "top_p", "stop", "seed", "n", "logit_bias", "max_tokens", "thinking")
NOT_RUN = ("probe", "serve")  # they call endpoints for as long as they are told to


@dataclass(slots=True)
class BadInput:
    """One command to run: its words, files written before, stdin, environment, an answer."""

    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    stdin: bytes | None = None
    environment: dict[str, str] = field(default_factory=dict)
    answer: tuple[str, bytes] | None = None  # API, and the bytes of its answer's body
    spoils_registry: bool = False
    spooled: bytes | None = None  # what stands in the file beside the registry


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a JSON value in which one to three places are something else, gone or doubled."""
    root = [copy.deepcopy(value)]
    for _ in range(chance.randint(1, 3)):
        holder, key = chance.choice(list(_places(root)))
        match chance.randrange(6):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(ODD_TEXTS)] = holder.pop(key)
            case 2:
                holder[key] = [holder[key]] * chance.choice([2, 50])
            case 3:
                holder[key] = chance.choice(ODD_TEXTS)
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    return root[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def as_json(value: Any, chance: random.Random) -> bytes:
    """Write a value as JSON, now and then in another encoding or with odd bytes in it."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    data = text.encode(chance.choice(["utf-8"] * 8 + ["utf-16", "utf-8-sig"]), "surrogatepass")
    return spoilt(data, chance) if chance.random() < 0.2 else data


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to four of them changed, cut out, put in, or all behind them lost."""
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(spoiled) + 1)
        match chance.randrange(4):
            case 0:
                spoiled[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del spoiled[place : place + chance.choice([1, 5, 200])]
            case 2:
                spoiled[place:place] = chance.choice(ODD_TEXTS).encode("utf-8", "surrogatepass")
            case _:
                del spoiled[chance.choice([place, len(spoiled)]) :]
    return bytes(spoiled)


def bad_document(chance: random.Random) -> BadInput:
    """Return a registry document with odd YAML in it."""
    lines = DOCUMENT.splitlines()
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(lines))
        key, colon, _ = lines[number].partition(": ")
        match chance.randrange(5):
            case 0:
                lines[number] = lines[number].replace("id", chance.choice(ODD_TEXTS))
            case 1:
                lines[number] = chance.choice([" ", "   ", "\t"]) + lines[number]
            case _ if colon:
                odd = chance.choice([*ODD_YAML, *map(json.dumps, ODD_TEXTS), *ODD_TEXTS])
                lines[number] = f"{key}: {odd}"
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        data = spoilt(data, chance)
    more = chance.choice([[], ["--dry-run"], ["--prune"], ["--json"]])
    return BadInput(["registry", "apply", "in.yaml", *more], {"in.yaml": data})


def bad_chat(chance: random.Random) -> BadInput:
    """Return a chat request with odd values in it, to be routed or asked."""
    data = as_json(mutated(CHAT, chance), chance)
    return BadInput([chance.choice(["route", "ask"]), "--messages", "in.json"], {"in.json": data})


def bad_rows(chance: random.Random) -> BadInput:
    """Return rows of requests, some of them odd."""
    rows = [CHAT, {"prompt": "hi", "custom_id": "1"}, {"custom_id": "2", "body": CHAT}, ROW]
    lines = [as_json(mutated(chance.choice(rows), chance), chance) for _ in range(3)]
    return BadInput(["route", "--jsonl"], stdin=b"\n".join(lines))


def bad_schema(chance: random.Random) -> BadInput:
    """Return an odd schema, or odd tools, and an answer to be held against them."""
    what = chance.choice(["--schema", "--tools"])
    value = SCHEMA if what == "--schema" else CHAT["tools"]
    command = chance.choice(["route", "ask"])
    data = as_json(mutated(value, chance), chance)
    return BadInput([command, "hi", what, "in.json"], {"in.json": data})


def bad_answer(chance: random.Random) -> BadInput:
    """Return an answer that is not what its API promises."""
    api = chance.choice(list(WIRES))
    data = WIRES[api].encode()
    if chance.random() < 0.5:
        data = spoilt(data, chance)
    else:
        lines = WIRES[api].split("\n")
        at = chance.choice([n for n, line in enumerate(lines) if "{" in line])
        lead, _, body = lines[at].partition("{")
        lines[at] = lead + json.dumps(mutated(json.loads("{" + body), chance))
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
    more = chance.choice([[], ["--json"], ["--schema", "in.json"], ["--max-cost", "0.5"]])
    words = ["ask", "hi", "-e", f"{api}/m", *more]
    return BadInput(words, {"in.json": json.dumps(SCHEMA).encode()}, answer=(api, data))


def bad_words(chance: random.Random) -> BadInput:
    """Return a command whose options and arguments are odd texts."""
    root: Any = tree()
    name = chance.choice([one for one in root.list_commands(None) if one not in NOT_RUN])
    words: list[str] = [name]
    command: Any = root.get_command(None, name)
    while hasattr(command, "commands"):
        name = chance.choice(sorted(command.commands))
        words, command = [*words, name], command.commands[name]
    for option in chance.sample(command.params, min(len(command.params), chance.randint(1, 3))):
        if option.param_type_name == "option":
            words.append(chance.choice(option.opts))
            if option.is_flag:
                continue
        words.append(as_typed(chance.choice(ODD_TEXTS)))
    return BadInput(words, stdin=chance.choice([None, b"hi", b"\xff\xfe", b"\0"]))


def as_typed(text: str) -> str:
    """Return a text as a process may be given it: no NUL, and a byte for what is no character."""
    return text.replace("\0", "").replace("\ud83d", "\udc80")


def bad_environment(chance: random.Random) -> BadInput:
    """Return a sound command in an odd environment."""
    names = ["ROLECALL_REGISTRY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "HOME"]
    names += ["COLUMNS", "LINES", "TERM", "EDITOR", "XDG_DATA_HOME", "LANG", "OPENAI_API_KEY"]
    names += ["NO_COLOR", "FORCE_COLOR", "TZ", "OLLAMA_HOST"]
    environment = {name: as_typed(chance.choice(ODD_TEXTS)) for name in chance.sample(names, 2)}
    commands = ["route hi", "ask hi", "explain", "endpoints list", "registry check", "--help"]
    return BadInput(chance.choice(commands).split(), environment=environment)


def bad_judged_rows(chance: random.Random) -> BadInput:
    """Return judged rows of which some are odd."""
    lines = [as_json(mutated(ROW, chance), chance) for _ in range(4)]
    command = chance.choice([["eval"], ["fit", "m"], ["predict"]])
    data = b"\n".join(lines)
    if chance.random() < 0.3:
        return BadInput(["scorer", *command, "-"], stdin=data)
    return BadInput(["scorer", *command, "in.jsonl"], {"in.jsonl": data})


def bad_parameters(chance: random.Random) -> BadInput:
    """Return parameters of a request with odd values, names and JSON."""
    words = [chance.choice(["route", "ask"]), "hi"]
    for _ in range(chance.randint(1, 3)):
        name = chance.choice([*PARAMETERS, *ODD_TEXTS])
        value = chance.choice([*ODD_TEXTS, *(json.dumps(one) for one in ODD_VALUES), "[" * 5000])
        words += ["-o", *map(as_typed, chance.choice([(name, value), (f"{name}={value}",)]))]
    return BadInput(words)


def bad_attachment(chance: random.Random) -> BadInput:
    """Return a file of some kind, some of its bytes others, that is to be attached."""
    name = chance.choice(list(ATTACHED))
    other = chance.choice(list(ATTACHED)) if chance.random() < 0.2 else name
    data = spoilt(ATTACHED[name] * chance.choice([1, 1, 50]), chance)
    words = [chance.choice(["route", "ask"]), "see", "-a", other]
    return BadInput(words + chance.choice([[], ["--max-cost", "1"]]), {other: data})


def bad_spool(chance: random.Random) -> BadInput:
    """Return a command beside a spool file of which a line is odd."""
    line = as_json(mutated(SPOOLED, chance), chance)
    commands = ["route hi", "ask hi", "explain", "telemetry list", "feedback good"]
    return BadInput(chance.choice(commands).split(), spooled=line + b"\n")


def bad_registry(chance: random.Random) -> BadInput:
    """Return a command on a registry file of which bytes were changed."""
    commands = ["route hi", "ask hi", "explain", "endpoints list", "registry check"]
    commands += ["telemetry list", "telemetry stats", "registry export", "roles show coder"]
    return BadInput(chance.choice(commands).split(), spoils_registry=True)


KINDS: dict[str, Callable[[random.Random], BadInput]] = {
    "document": bad_document,
    "chat": bad_chat,
    "rows": bad_rows,
    "schema": bad_schema,
    "answer": bad_answer,
    "words": bad_words,
    "environment": bad_environment,
    "judged rows": bad_judged_rows,
    "registry file": bad_registry,
    "parameters": bad_parameters,
    "attachment": bad_attachment,
    "spool": bad_spool,
}


def bad_input(kind: str, number: int) -> BadInput:
    """Return input `number` of a kind: the same one each time."""
    return KINDS[kind](random.Random(f"{kind} {number}"))
