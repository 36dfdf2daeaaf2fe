"""When the same endpoint is worth another try, and how long to wait before it.

Own code, since the waits are yielded as progress, and what is tried next is another endpoint as
often as the same one; libraries (tenacity, backoff) wrap one function and wait inside it.
"""

from __future__ import annotations

from rolecall.registry.core.errors import CallFailed, RegistryError

MOST_TRIES = 2
FIRST_WAIT_S = 0.4
# Waiting longer than this costs more than asking the next endpoint, while there is one.
PATIENCE_S = 2.0
LAST_PATIENCE_S = 20.0
_PASSING = ("connect_failed", "server_error", "overloaded", "rate_limited")
_BROKEN = ("stream_cut", "stream_error", "empty_answer", "invalid_response")


def retry_after(
    error: RegistryError, tries: int, chance: float, *, is_last: bool, shown: bool
) -> float | None:
    """Return the seconds to wait before asking the same endpoint again; null: ask the next.

    Passing failures are tried again after what the server asked for, else after about 0.4 s
    (half of it by `chance`, 0–1, so that many clients do not come back at once). What broke
    off is tried again only where nobody else is left, and so is anything once text was shown.
    """
    if not isinstance(error, CallFailed):
        return None
    if tries >= MOST_TRIES or (shown and not is_last):
        return None
    is_worthwhile = error.error_type in _PASSING or (is_last and error.error_type in _BROKEN)
    if not is_worthwhile:
        return None
    wait_s = error.retry_after_s
    if wait_s is None:
        wait_s = FIRST_WAIT_S * (0.5 + chance) * 2 ** (tries - 1)
    return wait_s if wait_s <= (LAST_PATIENCE_S if is_last else PATIENCE_S) else None
