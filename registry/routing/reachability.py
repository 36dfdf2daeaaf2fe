"""Say where a chosen endpoint on one's own machines is served by nobody."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.decisions import Exclusion
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.providers.reach import place
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.unreached import read_unreached_since, write_unreached

# What was refused at once is asked again at once; a wait for nothing is not repeated so soon.
_REMEMBERED = timedelta(seconds=60)
_LONG_S = 0.02

Connect = Callable[[str], bool]


def nobody_asked(base_url: str) -> bool:  # noqa: ARG001
    """Take any server to answer."""
    return True


def reachability_notes(
    db: Database,
    chosen: Endpoint,
    endpoints: Iterable[Endpoint],
    excluded: Sequence[Exclusion],
    now: datetime,
    connect: Connect,
) -> tuple[str, ...]:
    """Return a note where nobody answers at the address of a chosen local endpoint.

    One connection is tried, no prompt is sent, and nothing remote is asked.
    """
    if chosen.locality != "local" or _is_reached(db, chosen.base_url, now, connect):
        return ()
    host, port = place(chosen.base_url) or (chosen.base_url, "?")
    advice = how_to_be_served(endpoints, excluded)
    return (f"{chosen.id}: nobody answers at {host}:{port}; {advice}",)


def how_to_be_served(endpoints: Iterable[Endpoint], excluded: Sequence[Exclusion]) -> str:
    """Return what to do where no server that needs no key answers."""
    unset = _unset_key(endpoints, excluded)
    return "start its server" + (f", or set a key: export {unset}=..." if unset else "")


def _is_reached(db: Database, base_url: str, now: datetime, connect: Connect) -> bool:
    if read_unreached_since(db, base_url, stamp(now - _REMEMBERED)):
        return False
    started = time.perf_counter()
    found = connect(base_url)
    if not found and time.perf_counter() - started >= _LONG_S:
        write_unreached(db, base_url, stamp(now))
    return found


def _unset_key(endpoints: Iterable[Endpoint], excluded: Sequence[Exclusion]) -> str | None:
    """Return the key without which most endpoints are kept out; null where none lacks one."""
    without = {one.endpoint for one in excluded if one.code == "AUTH_UNAVAILABLE"}
    keys = Counter(one.key_env for one in endpoints if one.id in without and one.key_env)
    return min(keys, key=lambda key: (-keys[key], key)) if keys else None
