"""Keys are found where an endpoint says, and never seen again."""

from __future__ import annotations

import base64
import html
import json
import os
import select
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers import keys
from rolecall.registry.providers.keys import checked_key, redacted, resolve_key

SECRET = 'sk-live/8Fh+2"x=='
PATH = {"PATH": os.environ["PATH"]}


def endpoint(**fields: str) -> Endpoint:
    return Endpoint("place/model", "model", **fields)  # type: ignore[arg-type]


def refused(wanted: Endpoint, environment: dict[str, str]) -> str:
    with pytest.raises(CallFailed) as caught:
        resolve_key(wanted, environment)
    assert caught.value.error_type == "auth"
    return caught.value.message


def test_an_endpoint_without_a_key_needs_none() -> None:
    assert resolve_key(endpoint(), {"OPENAI_API_KEY": "x"}) is None


def test_the_key_is_the_variables_value_without_space_around_it() -> None:
    assert resolve_key(endpoint(key_env="MY_KEY"), {"MY_KEY": " abc\n"}) == "abc"


@pytest.mark.parametrize("environment", [{}, {"MY_KEY": ""}, {"MY_KEY": " \n"}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    assert refused(endpoint(key_env="MY_KEY"), environment) == "MY_KEY is not set"


def test_the_variable_goes_before_the_command() -> None:
    both = endpoint(key_env="MY_KEY", key_command="echo from-command")
    assert resolve_key(both, {"MY_KEY": "from-variable"}) == "from-variable"
    assert resolve_key(both, PATH) == "from-command"


def test_a_command_is_run_by_the_shell_in_the_environment_given() -> None:
    wanted = endpoint(key_command='printf "%s-%s\\n" "$PART" two | tr a-z A-Z')
    assert resolve_key(wanted, {**PATH, "PART": "one"}) == "ONE-TWO"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "exit 3"),
        ("true", "it printed nothing"),
        ("echo secret-one; echo secret-two", "it printed more than one line"),
        ("no-such-command-anywhere", "exit 127"),
        ("kill -9 $$", "exit -9"),
    ],
)
def test_a_command_that_fails_is_told_without_what_it_printed(command: str, problem: str) -> None:
    said = refused(endpoint(key_command=command), PATH)
    assert said == f"the key_command of place/model failed: {problem}"


def test_a_command_may_not_take_for_ever_even_through_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "COMMAND_TIMEOUT_S", 0.2)
    started = time.monotonic()
    said = refused(endpoint(key_command="sleep 9 | cat"), PATH)
    assert said == "the key_command of place/model failed: no key within 0.2 s"
    assert time.monotonic() - started < 6


@pytest.mark.parametrize("command", ["yes", "cat /dev/zero", "yes | tee /dev/null", "yes &"])
def test_a_command_that_prints_without_end_is_ended(command: str) -> None:
    started = time.monotonic()
    said = refused(endpoint(key_command=command), PATH)
    assert said == "the key_command of place/model failed: it printed more than 16 KiB"
    assert time.monotonic() - started < keys.COMMAND_TIMEOUT_S / 2


def test_what_a_command_started_is_ended_with_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    wanted = endpoint(key_command=f"exec 3>{pipe}; sleep 60 >/dev/null & echo the-key")
    assert resolve_key(wanted, PATH) == "the-key"
    assert select.select([reader], [], [], 5)[0] == [reader]
    assert os.read(reader, 1) == b""  # nobody holds its other end open
    os.close(reader)


def test_a_command_cannot_read_the_prompt_from_stdin() -> None:
    wanted = endpoint(key_command="cat; echo end")
    assert resolve_key(wanted, PATH) == "end"


@pytest.mark.parametrize("key", ["abc\ndef-secret", "sëcret-key", "sec\x00ret", "secret\u2028key"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str) -> None:
    said = refused(endpoint(key_env="MY_KEY"), {"MY_KEY": key})
    assert said == "the key of place/model (from MY_KEY) holds characters that no header can"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_plain_key_is_taken_as_it_is(key: str) -> None:
    assert checked_key(key, endpoint()) == key


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET).replace("/", "\\/")[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        quote(SECRET, safe="").lower().replace("fh", "Fh").replace("8f", "8F"),
        html.escape(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        SECRET[:9] + "\n" + SECRET[9:],
        " ".join(SECRET),
        json.dumps(SECRET)[1:-1].replace("/", "\t/ "),
    ],
)
def test_a_key_is_redacted_in_every_form(form: str) -> None:
    assert redacted(f"bad key <{form}> and <{form}>", [SECRET]) == "bad key <[key]> and <[key]>"


@pytest.mark.parametrize("before", ["", "u", "me", "you", "user:", "Bearer "])
def test_a_key_inside_of_what_is_encoded_is_redacted_but_for_its_ends(before: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET}:more".encode()).decode()
    shown = redacted(f"Basic {encoded}", [SECRET])
    assert keys.REDACTED in shown
    left = shown.removeprefix("Basic ").split(keys.REDACTED)
    assert sum(map(len, left)) <= len(base64.b64encode(f"{before}:more".encode())) + 6


@pytest.mark.parametrize("length", range(8, len(SECRET)))
@pytest.mark.parametrize("end", ["", "…"])
def test_what_a_limit_of_length_left_of_a_key_is_redacted(length: int, end: str) -> None:
    assert redacted(f"bad key {SECRET[:length]}{end}", [SECRET]) == f"bad key [key]{end}"


def test_a_long_text_is_redacted_at_once() -> None:
    text = "sk- so many words and numbers 0123456789 " * 10_000
    started = time.monotonic()
    assert redacted(f"{text}{SECRET}", [SECRET]) == f"{text}[key]"
    assert time.monotonic() - started < 5


def test_the_longer_of_two_keys_is_redacted_whole() -> None:
    assert redacted("abcdefgh-12345678", ["abcdefgh", "abcdefgh-12345678"]) == "[key]"


def test_placeholders_are_left_alone() -> None:
    assert (
        redacted("is ollama running at x?", ["ollama", "x", "EMPTY"]) == "is ollama running at x?"
    )


@given(st.text(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_no_text_keeps_a_key(text: str, key: str) -> None:
    if key not in keys.REDACTED:
        assert key not in redacted(f"{text}{key}{text}", [key]).replace(keys.REDACTED, " ")
