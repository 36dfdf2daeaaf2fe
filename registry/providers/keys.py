"""Find the key of an endpoint, and keep keys out of everything that is shown or stored."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import os
import re
import selectors
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from time import monotonic
from urllib.parse import quote, quote_plus

from rolecall.registry.core.chat import Answer, Text, Thinking, ToolCall
from rolecall.registry.core.credentials import holds_no_key, key_in
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import CallFailed

COMMAND_TIMEOUT_S = 10.0
_MOST_PRINTED_BYTES = 16 * 1024
# Placeholders such as `x`, `none` or `ollama` are no secrets, and words of many a message.
_SHORTEST_SECRET = 8
REDACTED = "[key]"
AnswerPart = Text | Thinking | ToolCall


def resolve_key(endpoint: Endpoint, environment: Mapping[str, str]) -> str | None:
    """Return the key of an endpoint, or null where it needs none.

    The variable `key_env`, or another name of the same key, goes before the command
    `key_command`, which may take 10 s and print 16 KiB. Raises CallFailed `auth` where a key is
    needed and there is none, or it cannot be sent: a variable that by its name holds something
    else never is.
    """
    if endpoint.key_env is not None and holds_no_key(endpoint.key_env):
        raise CallFailed("auth", f"{endpoint.key_env} holds no key, and is not sent")
    if endpoint.key_env is not None:
        key = key_in(environment, endpoint.key_env)
        if key:
            return checked_key(key, endpoint)
    if endpoint.key_command is not None:
        return checked_key(_printed(endpoint, endpoint.key_command, environment), endpoint)
    if endpoint.key_env is not None:
        raise CallFailed("auth", f"{endpoint.key_env} is not set")
    return None


def checked_key(key: str, endpoint: Endpoint) -> str:
    """Return the key if a header can hold it. Raises CallFailed `auth`, not showing the key."""
    if not key.isascii() or not key.isprintable() or key != key.strip() or not key:
        source = endpoint.key_env or "the key_command"
        said = f"the key of {endpoint.id} (from {source}) holds characters that no header can"
        raise CallFailed("auth", said)
    return key


def redacted(text: str, keys: Collection[str]) -> str:
    """Return text with every key as `[key]`, also where it is encoded, split, or cut off.

    Encoded is for a URL, JSON, in hexadecimal or, alone or inside something longer, as base64;
    split by white space; cut off at the end of the text. Keys shorter than 8 characters are
    placeholders and left alone.
    """
    secrets = [key for key in dict.fromkeys(keys) if len(key) >= _SHORTEST_SECRET]
    if not secrets or not text:
        return text
    forms = {form for key in secrets for form in _forms(key)}
    whole = [r"\s*".join(map(re.escape, form)) for form in sorted(forms, key=len, reverse=True)]
    text = re.sub("|".join(whole), REDACTED, text)
    for key in secrets:
        text = _without_beginning(text, key)
    return text


def without_keys(answer: Answer, keys: Collection[str]) -> Answer:
    """Return an answer as it may be stored: what it says, thinks and calls holds no key."""
    return replace(answer, parts=tuple(_part_without(part, keys) for part in answer.parts))


def _part_without(part: AnswerPart, keys: Collection[str]) -> AnswerPart:
    if isinstance(part, ToolCall):
        return replace(part, arguments=redacted(part.arguments, keys))
    return replace(part, text=redacted(part.text, keys))


def _without_beginning(text: str, key: str) -> str:
    """Return a text that a limit of length cut off inside a key without what is left of it."""
    end = text.rstrip("…")
    for length in range(min(len(key) - 1, len(end)), _SHORTEST_SECRET - 1, -1):
        if end.endswith(key[:length]):
            return end[:-length] + REDACTED + text[len(end) :]
    return text


def _forms(key: str) -> Iterator[str]:
    data = key.encode()
    yield from (json.dumps(key)[1:-1], json.dumps(key).replace("/", r"\/")[1:-1])
    for quoted in (key, quote(key, safe=""), quote(key), quote_plus(key)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield from (data.hex(), data.hex().upper(), html.escape(key), html.escape(key, quote=False))
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")
    for before in range(3):  # where it stands in what is encoded with it
        longer = base64.b64encode(bytes(before) + data).decode()
        # The characters at both ends hold bits of what stands beside it too.
        own = longer[(0, 2, 3)[before] : 4 * ((before + len(data)) // 3)]
        yield from (own, own.replace("+", "-").replace("/", "_"))


def _printed(endpoint: Endpoint, command: str, environment: Mapping[str, str]) -> str:
    """Run a key command and return the one line it prints; what it prints is never shown."""
    try:
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _command_failed(endpoint, "it cannot be run") from error
    try:
        output, status = _output(process, endpoint)
    finally:
        # What it started may hold the pipe open or go on for ever: it is not waited for.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if status != 0:
        raise _command_failed(endpoint, f"exit {status}")
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if len(lines) != 1:
        problem = "it printed nothing" if not lines else "it printed more than one line"
        raise _command_failed(endpoint, problem)
    return lines[0]


def _output(process: subprocess.Popen[bytes], endpoint: Endpoint) -> tuple[bytes, int]:
    """Return what a command prints until it ends, and its status, within the limits."""
    assert process.stdout is not None
    output = b""
    until = monotonic() + COMMAND_TIMEOUT_S
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(until - monotonic(), 0.0)):
            piece = os.read(process.stdout.fileno(), _MOST_PRINTED_BYTES)
            output += piece
            if len(output) > _MOST_PRINTED_BYTES:
                limit = f"{_MOST_PRINTED_BYTES // 1024} KiB"
                raise _command_failed(endpoint, f"it printed more than {limit}")
            if not piece:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return output, process.wait(max(until - monotonic(), 0.0))
                break
    raise _command_failed(endpoint, f"no key within {COMMAND_TIMEOUT_S:g} s")


def _command_failed(endpoint: Endpoint, problem: str) -> CallFailed:
    return CallFailed("auth", f"the key_command of {endpoint.id} failed: {problem}")
