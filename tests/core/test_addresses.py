"""Which URLs lead to this machine or a private network, whatever their spelling."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rolecall.registry.core.addresses import (
    has_userinfo,
    host_of,
    ipv4_number,
    is_local_address,
    may_be_local_address,
    secrets_in,
    without_secrets,
)
from tests.core.url_spellings import SPELLINGS

LOCAL = (
    *("http://localhost", "http://LOCALHOST:11434/v1", "http://localhost.", "http://me.localhost"),
    *("http://127.0.0.1:8000", "http://127.8.9.10", "https://127.0.0.1/", "http://127.0.0.1."),
    *("http://127.1", "http://127.0.1", "http://0x7f.1", "http://0x7F000001", "http://2130706433"),
    *("http://0177.1", "http://017700000001", "http://0.0.0.0:11434", "http://[::]:80"),
    *("http://10.0.0.5", "http://10.255.255.255", "http://172.16.0.1", "http://172.31.255.255"),
    *("http://192.168.1.20:8080/v1", "http://169.254.1.1", "http://[::1]:8000", "http://[::0:1]"),
    *("http://[::ffff:127.0.0.1]", "http://[::ffff:10.0.0.1]", "http://[::ffff:7f00:1]"),
    *("http://[fe80::1]", "http://[fe80::1%25eth0]", "http://[febf::1]", "http://[fd12::3]:80"),
    *("http://[fc00::1]", "http://gpu.local:8000", "http://host.docker.internal:11434"),
    *(
        "http://nas.home.arpa",
        "http://gpu.lan",
        "http://host.containers.internal",
        "http://100.64.0.7",
    ),
    *("http://user:pass@127.0.0.1/", "http://evil.com:80@127.0.0.1", "  http://127.0.0.1  "),
    *(
        "HTTP://127.0.0.1?x=@evil.com",
        "http://127.0.0.1#@evil.com",
        "http://localhost/é\\@x y",
        "http://localhost:",
    ),
)
REMOTE = (
    *("https://api.openai.com/v1", "http://8.8.8.8", "http://172.15.0.1", "http://172.32.0.1"),
    *("http://192.169.0.1", "http://11.0.0.1", "http://126.255.255.255", "http://128.0.0.1"),
    *(
        "http://169.253.0.1",
        "http://100.63.0.1",
        "http://100.128.0.1",
        "http://0.0.0.1",
        "http://1.0.0.0",
    ),
    *("http://[2001:db8::1]", "http://[::2]", "http://[fec0::1]", "http://[fb00::1]"),
    *("http://[::ffff:8.8.8.8]", "http://[::127.0.0.1]", "http://[64:ff9b::7f00:1]"),
    *("http://127.0.0.1@evil.com", "http://127.0.0.1:80@evil.com:80", "http://localhost@evil.com/"),
    *("http://a@127.0.0.1@evil.com", "http://evil.com?@127.0.0.1", "http://evil.com#@127.0.0.1"),
    *("http://evil.com/@127.0.0.1", "http://127.0.0.1.evil.com", "http://localhost.evil.com"),
    *("http://127.0.0.1%2eevil.com", "http://127.0.0.1%00.evil.com", "http://notlocalhost.com"),
    *("http://evil.com\\@127.0.0.1", "http://127.0.0.1\\.evil.com", "http://127.0.0.1\n.evil.com"),
    *("http://127.0.0.1 .evil.com", "http://127.0.0.1\t.evil.com", "http://127.0.0.1\u3002com"),
    *("http://①27.0.0.1", "http://１２７.0.0.1", "http://ｌｏｃａｌｈｏｓｔ", "http://lоcalhost"),
    *("http://010.0.0.1", "http://0x8.8.8.8", "http://134744072", "http://08.0.0.1"),
    *("http://127.0.0.256", "http://127.0.0.1.1", "http://4294967296", "http://127..1", "http://."),
    *(
        "http://[::1]evil.com",
        "http://[::1",
        "http://::1",
        "http://[evil]",
        "http://[::1%evil com]",
    ),
    *("http://evil.internal.com", "http://evil.com..", "http://local", "http://gpu:8000"),
    *("", "127.0.0.1", "localhost:11434", "//127.0.0.1", "ftp://127.0.0.1", "http:/127.0.0.1"),
    *(
        "http:127.0.0.1",
        "http://",
        "http:///127.0.0.1",
        "file:///etc/passwd",
        "http://@",
        "http://:1",
    ),
    *("http://127.0.0.1:80:80", "http://127.0.0.1:evil.com"),
)


@pytest.mark.parametrize("url", LOCAL)
def test_addresses_of_this_machine_and_of_private_networks_are_local(url: str) -> None:
    assert is_local_address(url)


@pytest.mark.parametrize("url", REMOTE)
def test_public_addresses_and_whatever_can_be_read_in_two_ways_are_not_local(url: str) -> None:
    assert not is_local_address(url)


@given(SPELLINGS)
@example("http://[::1]:80")
@example("http://a@b@127.0.0.1")
def test_where_a_url_is_local_httpx_connects_to_a_local_host(url: str) -> None:
    if not is_local_address(url):
        return
    try:
        host = httpx.URL(url.strip()).host
    except httpx.InvalidURL:
        return  # it is never called
    assert host.removesuffix(".") == (host_of(url) or "").strip("[]").removesuffix(".")
    number = ipv4_number(host)
    with contextlib.suppress(ValueError):  # a name
        assert not ipaddress.ip_address(host if number is None else number).is_global


@given(
    st.lists(
        st.sampled_from(["0", "1", "7", "127", "0x7f", "0X1", "010", "08", "255", "256", "a", ""])
        | st.integers(0, 2**32 + 5).map(str),
        min_size=1,
        max_size=5,
    ).map(".".join)
)
def test_numbers_are_read_as_the_system_reads_them(host: str) -> None:
    try:
        read = int.from_bytes(socket.inet_aton(host))
    except OSError:
        read = None
    assert ipv4_number(host.lower()) == read


@pytest.mark.parametrize("url", ["http://gpu-box:8000", "http://GPU_BOX/v1", "http://a"])
def test_a_name_of_one_label_may_be_local_where_its_user_says_so(url: str) -> None:
    assert (is_local_address(url), may_be_local_address(url)) == (False, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://gpu.example.com",
        "http://8.8.8.8",
        "http://134744072",
        "http://0x08080808",
        "http://4294967296",
        "http://gpu@8.8.8.8",
        "",
    ],
)
def test_other_hosts_may_not_be_local_whatever_their_user_says(url: str) -> None:
    assert not may_be_local_address(url)


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("https://a.example/v1", "https://a.example/v1", ()),
        ("https://a.example/x//b@c?d=e@f", "https://a.example/x//b@c?d=e@f", ()),
        ("https://me:word@a.example", "https://[key]@a.example", ("me:word", "word")),
        ("https://token@a.example/x@y", "https://[key]@a.example/x@y", ("token",)),
        ("http://a:b@c@d", "http://[key]@d", ("a:b@c", "b@c")),
        ("https://a?key=abc&v=1", "https://a?key=[key]&v=1", ("abc",)),
        ("https://a?v=1&x-Api_Key=abc#f", "https://a?v=1&x-Api_Key=[key]#f", ("abc",)),
        (
            "https://a?sig=a%3D&access_token=b",
            "https://a?sig=[key]&access_token=[key]",
            ("a%3D", "b"),
        ),
        ("https://a?api-version=2024-10-21", "https://a?api-version=2024-10-21", ()),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str, secrets: tuple[str, ...]) -> None:
    assert (without_secrets(url), secrets_in(url)) == (shown, secrets)
    assert has_userinfo(url) is ("[key]@" in shown)
