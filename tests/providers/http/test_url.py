"""Requests go where the base URL is meant to point."""

from __future__ import annotations

import pytest

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.http.url import address, host
from tests.providers.chats import target


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://a.example/v1", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1/", "https://a.example/v1/chat/completions"),
        (" https://a.example/v1// ", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
        (
            "https://a.example/v1?api-version=1",
            "https://a.example/v1/chat/completions?api-version=1",
        ),
        ("https://a.example/chat", "https://a.example/chat/chat/completions"),
    ],
)
def test_the_path_is_put_under_the_base_url(base_url: str, url: str) -> None:
    assert address(target(base_url).endpoint, "chat/completions") == url


@pytest.mark.parametrize("base_url", ["", "  ", "?x=1"])
def test_an_endpoint_needs_a_base_url(base_url: str) -> None:
    with pytest.raises(CallFailed, match="place/model has no base_url"):
        address(target(base_url).endpoint, "chat/completions")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://API.Example.com/v1", "api.example.com"),
        ("http://user:word@localhost:11434", "localhost:11434"),
        ("http://[::1]:80/", "::1:80"),
        ("localhost", ""),
        ("http://a:b", ""),
    ],
)
def test_a_host_is_named_without_what_may_be_secret(url: str, name: str) -> None:
    assert host(url) == name
