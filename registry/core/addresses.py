"""What a URL says of where it leads, told from its text alone: no name is looked up."""

from __future__ import annotations

import re

# The authority as httpx reads it: what stands before the last @ is never the host.
_URL = re.compile(
    r"https?://(?:[^/?#]*@)?(?P<host>\[[^\[\]/?#@]*\]|[^\[\]:/?#@]+)(?::[0-9]*)?(?:[/?#].*)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
# Private use by their registration, but for `lan`, which routers give and nobody can register.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa", ".lan")
_PRIVATE_NETWORKS = (
    *((0x7F000000, 8), (0x0A000000, 8), (0xAC100000, 12), (0xC0A80000, 16)),
    (0x64400000, 10),  # shared address space, of which VPNs make use
    (0xA9FE0000, 16),  # link-local
    (0x00000000, 32),  # "any address", which systems take for this machine
)


def is_local_address(url: str) -> bool:
    """Tell whether a URL leads to this machine or into a private network.

    That is an address of a loopback, private, shared, link-local or unique local range, however
    it is spelled; `localhost`; and a name under `localhost`, `local`, `internal`, `home.arpa` or
    `lan`. Whatever programs read in different ways is not local.
    """
    host = host_of(url)
    return host is not None and is_local_host(host)


def may_be_local_address(url: str) -> bool:
    """Tell whether a URL is local, or names a host of one label that may be.

    Only the own network knows a name such as `gpu-box` in `http://gpu-box:8000`; whether that
    network is private, its user must say.
    """
    host = host_of(url)
    return host is not None and (is_local_host(host) or _is_one_label(host))


def host_of(url: str) -> str | None:
    """Return the host of an http URL, in lower case; null where programs could differ on it."""
    url = url.strip()
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    found = _URL.fullmatch(url)
    return None if found is None else found["host"].lower()


def is_local_host(host: str) -> bool:
    """Tell the same of a host alone, one of IPv6 in brackets or not."""
    host = host.lower().removesuffix(".")
    if ":" in host:
        return _is_local_ipv6(host.removeprefix("[").removesuffix("]"))
    number = ipv4_number(host)
    if number is not None:
        return _is_local_ipv4(number)
    return host == "localhost" or bool(_NAME.fullmatch(host) and host.endswith(_PRIVATE_SUFFIXES))


def _is_one_label(host: str) -> bool:
    return re.fullmatch(r"(?![0-9]|0x)[a-z0-9_-]+", host) is not None


def ipv4_number(host: str) -> int | None:
    """Return an address of IPv4 as a number, read as systems do; null for anything else.

    There may be fewer than four parts, of which the last fills the rest, and each may be
    hexadecimal (0x7f) or octal (0177): `127.1`, `0x7f000001` and `2130706433` are 127.0.0.1.
    """
    parts = host.split(".")
    numbers = [_part(part) for part in parts]
    *first, last = numbers
    if len(parts) > 4 or last is None or last >= 1 << 8 * (5 - len(parts)):
        return None
    number = last
    for place, each in enumerate(first):
        if each is None or each > 0xFF:
            return None
        number += each << 8 * (3 - place)
    return number


def _part(text: str) -> int | None:
    for pattern, base in (("0x[0-9a-f]+", 16), ("0[0-7]*", 8), ("[1-9][0-9]*", 10)):
        if len(text) <= 20 and re.fullmatch(pattern, text):
            return int(text, base)
    return None


def _is_local_ipv4(number: int) -> bool:
    return any(number >> 32 - bits == start >> 32 - bits for start, bits in _PRIVATE_NETWORKS)


def _is_local_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address  # 3 ms that most commands do without

    try:
        address = IPv6Address(text)
    except ValueError:
        return False
    if address.ipv4_mapped is not None:
        return _is_local_ipv4(int(address.ipv4_mapped))
    number = int(address)
    is_unique_local, is_link_local = number >> 121 == 0xFC >> 1, number >> 118 == 0xFE80 >> 6
    return number in (0, 1) or is_unique_local or is_link_local
