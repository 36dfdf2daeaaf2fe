"""Find the key of an endpoint, and keep keys out of everything that is shown or stored."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote, quote_plus

from rolecall.registry.core.credentials import holds_no_key, key_in
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import CallFailed

COMMAND_TIMEOUT_S = 10.0
# Placeholders such as `x`, `none` or `ollama` are no secrets, and words of many a message.
_SHORTEST_SECRET = 8
REDACTED = "[key]"


def resolve_key(endpoint: Endpoint, environment: Mapping[str, str]) -> str | None:
    """Return the key of an endpoint, or null where it needs none.

    The variable `key_env`, or another name of the same key, goes before the command
    `key_command`, which may take 10 s. Raises CallFailed `auth` where a key is needed and there
    is none, or it cannot be sent: a variable that by its name holds something else never is.
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
    """Return text with every key, also encoded for a URL, JSON or as base64, as `[key]`.

    Keys shorter than 8 characters are placeholders and left alone.
    """
    forms = {form for key in keys if len(key) >= _SHORTEST_SECRET for form in _forms(key)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, REDACTED)
    return text


def _forms(key: str) -> Iterator[str]:
    yield from (key, quote(key, safe=""), quote(key), quote_plus(key))
    yield from (json.dumps(key)[1:-1], json.dumps(key).replace("/", r"\/")[1:-1])
    data = key.encode()
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")


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
        )
    except (OSError, ValueError) as error:
        raise _command_failed(endpoint, "it cannot be run") from error
    assert process.stdout is not None
    try:
        output, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise _command_failed(endpoint, f"no key within {COMMAND_TIMEOUT_S:g} s") from error
    finally:
        # A child of the shell may hold the pipe open: it is not waited for.
        process.stdout.close()
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise _command_failed(endpoint, f"exit {process.returncode}")
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if len(lines) != 1:
        problem = "it printed nothing" if not lines else "it printed more than one line"
        raise _command_failed(endpoint, problem)
    return lines[0]


def _command_failed(endpoint: Endpoint, problem: str) -> CallFailed:
    return CallFailed("auth", f"the key_command of {endpoint.id} failed: {problem}")
