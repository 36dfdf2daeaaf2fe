from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.key_marks import key_mark, key_source

ENDPOINT = Endpoint("a/m", "m", base_url="https://api.example.com/v1", key_env="A_KEY")
KEYS = {"A_KEY": "sk-one-0123456789", "B_KEY": "sk-one-0123456789"}


def mark(endpoint: Endpoint = ENDPOINT, salt: str = "salt", **keys: str) -> str | None:
    return key_mark(endpoint, keys or KEYS, salt)


def test_endpoints_of_one_host_and_key_have_one_mark_of_a_few_bits() -> None:
    found = mark()
    assert found is not None
    assert re.fullmatch("[0-9a-f]{6}", found)
    sibling = replace(ENDPOINT, id="a/n", base_url="https://api.example.com/other", key_env="B_KEY")
    assert mark(sibling) == found


@pytest.mark.parametrize(
    "other",
    [
        mark(A_KEY="sk-two-0123456789"),
        mark(salt="another"),
        mark(replace(ENDPOINT, base_url="https://api.example.org/v1")),
        mark(replace(ENDPOINT, base_url="https://[foo")),
        mark(replace(ENDPOINT, key_env=None, key_command="print-key")),
    ],
)
def test_another_key_host_registry_or_source_has_another_mark(other: str | None) -> None:
    assert other is not None
    assert other != mark()


def test_without_a_key_there_is_no_mark() -> None:
    assert mark(replace(ENDPOINT, key_env=None)) is None
    assert mark(A_KEY=" ") is None


def test_a_key_is_named_by_where_it_comes_from() -> None:
    both = replace(ENDPOINT, key_command="print-key")
    assert [key_source(one, KEYS) for one in (ENDPOINT, both)] == ["A_KEY", "A_KEY"]
    assert key_source(both, {}) == "the key_command of a/m"
