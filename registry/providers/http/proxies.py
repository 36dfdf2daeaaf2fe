"""Which proxy of the environment a request goes through, if any.

httpx has this for its own clients, but for the networks in NO_PROXY, and builds all proxies at
once: one that cannot be used would stop the requests that need none.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from urllib.request import getproxies

import httpx

from rolecall.registry.providers.error_body import one_line


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and the variable that names it. The URL may hold a password: it is never shown."""

    variable: str
    url: str = field(repr=False)

    @property
    def words(self) -> str:
        """Name the variable and the proxy's address, without its user and password."""
        scheme, mark, rest = self.url.partition("://")
        place = re.split(r"[/?#\s]", rest.rpartition("@")[2])[0]
        words = f"{self.variable} ({scheme}://{place})" if mark and place else self.variable
        return one_line(words)


def proxy_for(url: httpx.URL) -> Proxy | None:
    """Return the proxy that the environment (on macOS also the system) names for a URL.

    `HTTPS_PROXY` or `HTTP_PROXY` by the URL's scheme goes before `ALL_PROXY`, and none is used
    for what `NO_PROXY` lists.
    """
    settings = getproxies()
    if is_exempt(url, settings.get("no", "")):
        return None
    for name in (url.scheme, "all"):
        value = settings.get(name)
        if value:
            whole = value if "://" in value else f"http://{value}"
            return Proxy(_variable(f"{name}_proxy", value), whole)
    return None


def is_exempt(url: httpx.URL, no_proxy: str) -> bool:
    """Tell whether a list such as NO_PROXY names a URL's host.

    Its entries, separated by commas or spaces, are `*` for all; a name, with all below it; the
    same with a dot or `*.` before it, without the name itself; an address; a network such as
    10.0.0.0/8. Any but `*` may have a port, and a scheme before it.
    """
    entries = re.split(r"[,\s]+", no_proxy.lower())
    return any(entry == "*" or (entry and _names(entry, url)) for entry in entries)


def _names(entry: str, url: httpx.URL) -> bool:
    scheme, mark, rest = entry.rpartition("://")
    if mark and scheme not in ("all", url.scheme):
        return False
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]+))?/?", rest)
    host, port = (found[1], found[2]) if found else (rest, None)
    if port is not None and int(port) != (url.port or (443 if url.scheme == "https" else 80)):
        return False
    host, asked = host.strip("[]"), url.host.removesuffix(".")
    try:
        network = ipaddress.ip_network(host, strict=False)
        return ipaddress.ip_address(asked) in network
    except ValueError:  # one of them is a name
        name = host.removesuffix(".")
    if name.startswith((".", "*.")):
        return asked.endswith(name.removeprefix("*"))
    return bool(name) and (asked == name or asked.endswith(f".{name}"))


def _variable(name: str, value: str) -> str:
    """Return how the variable is written that gave a value; lower case goes before upper."""
    for spelled in (name, name.upper()):
        if os.environ.get(spelled) == value:
            return spelled
    return "the system's proxy"
