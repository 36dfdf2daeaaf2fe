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
    host_of,
    ipv4_number,
    is_local_address,
    may_be_local_address,
)

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
    *("HTTP://127.0.0.1?x=@evil.com", "http://127.0.0.1#@evil.com", "http://localhost:"),
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


spellings = st.lists(
    st.sampled_from(
        [
            *(
                "http://",
                "https://",
                "HTTP://",
                "//",
                ":",
                "/",
                "\\",
                "@",
                "?",
                "#",
                "%",
                ".",
                "..",
            ),
            *("127.0.0.1", "127", "1", "0x7f", "0177", "2130706433", "localhost", "local", "[::1]"),
            *("[", "]", "evil.com", "evil", "8.8.8.8", "10", "::ffff:", "%2e", "%40", "\t", "\n"),
            *(" ", "80", "a", "user:pass@", "。", "１", "İ", "\x00", "\u200b", "-", "_"),
        ]
    ),
    max_size=9,
).map("".join)


@given(spellings | spellings.map("http://".__add__) | st.text(max_size=30).map("http://".__add__))
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
