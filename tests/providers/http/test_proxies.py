"""Which proxy of the environment a request goes through."""

from __future__ import annotations

import httpx
import pytest

from rolecall.registry.providers.http.proxies import Proxy, is_exempt, proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def found(url: str) -> tuple[str, str] | None:
    proxy = proxy_for(httpx.URL(url))
    return None if proxy is None else (proxy.variable, proxy.url)


def test_without_a_variable_there_is_no_proxy() -> None:
    assert found("https://api.example.com") is None


def test_the_variable_of_the_scheme_goes_before_the_one_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:1")
    monkeypatch.setenv("ALL_PROXY", "socks5://any:2")
    assert found("https://a.example") == ("HTTPS_PROXY", "http://secure:1")
    assert found("http://a.example") == ("ALL_PROXY", "socks5://any:2")
    monkeypatch.setenv("https_proxy", "lower:3")
    assert found("https://a.example") == ("https_proxy", "http://lower:3")


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("https://a.example", "*"),
        ("https://a.example", "other.example, *"),
        ("https://a.example", "a.example"),
        ("https://A.example", "a.EXAMPLE"),
        ("https://a.example.", "a.example"),
        ("https://api.a.example", "a.example"),
        ("https://api.a.example", ".a.example"),
        ("https://api.a.example", "*.a.example"),
        ("https://a.example", "x.example a.example"),
        ("https://a.example", "a.example:443"),
        ("http://a.example:8080", "a.example:8080"),
        ("https://a.example", "https://a.example"),
        ("https://a.example", "all://a.example"),
        ("http://8.8.8.8", "8.8.8.8"),
        ("http://8.8.8.8:80", "8.8.0.0/16"),
        ("http://[2001:db8::5]", "2001:db8::/32"),
        ("http://[2001:db8::5]:81", "[2001:db8::5]:81"),
    ],
)
def test_no_proxy_exempts_hosts_names_below_them_addresses_and_networks(
    url: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_exempt(httpx.URL(url), no_proxy)
    monkeypatch.setenv("ALL_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert found(url) is None


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("https://a.example", ""),
        ("https://a.example", " , ,"),
        ("https://nota.example", "a.example"),
        ("https://a.example", ".a.example"),
        ("https://a.example", "*.a.example"),
        ("https://a.example.evil.com", "a.example"),
        ("https://a.example", "a.example:80"),
        ("https://a.example", "http://a.example"),
        ("http://8.9.8.8", "8.8.0.0/16"),
        ("https://a.example", "8.8.0.0/16"),
        ("http://[2001:db9::5]", "2001:db8::/32"),
        ("https://a.example", "[::"),
    ],
)
def test_no_proxy_exempts_nothing_else(url: str, no_proxy: str) -> None:
    assert not is_exempt(httpx.URL(url), no_proxy)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://me:word@proxy.example:8080/x", "HTTP_PROXY (http://proxy.example:8080)"),
        ("socks5://me:wo@rd@proxy.example", "HTTP_PROXY (socks5://proxy.example)"),
        ("http://me:wo/rd@proxy.example", "HTTP_PROXY (http://proxy.example)"),
        ("nonsense", "HTTP_PROXY"),
        ("http://proxy\x1b[31m", "HTTP_PROXY (http://proxy [31m)"),
    ],
)
def test_a_proxy_is_named_without_its_password(url: str, words: str) -> None:
    proxy = Proxy("HTTP_PROXY", url)
    assert (proxy.words, "word" in repr(proxy)) == (words, False)
