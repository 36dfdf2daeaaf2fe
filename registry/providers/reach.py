"""Whether anything answers at an endpoint's address: one connection, and nothing is sent."""

from __future__ import annotations

from threading import Thread
from urllib.parse import urlsplit

# Longer than a connection within a house takes, shorter than a person notices.
CONNECT_S = 0.2
_PORTS = {"http": 80, "https": 443}


def place(base_url: str) -> tuple[str, int] | None:
    """Return the host and the port of an address; null where it names none."""
    try:
        parts = urlsplit(base_url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def is_reached(base_url: str, within_s: float = CONNECT_S) -> bool:
    """Tell whether a connection is accepted within so many seconds, through no proxy.

    Finding the host's address counts: it runs in a thread that is left behind when time is up.
    """
    import socket  # 3 ms that a decision for a remote endpoint does without

    where = place(base_url)
    found: list[bool] = []

    def connect() -> None:
        try:
            with socket.create_connection(where or ("", 0), timeout=within_s):
                found.append(True)
        except (OSError, UnicodeError):
            found.append(False)

    if where is None:
        return False
    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(within_s)
    return bool(found and found[0])
