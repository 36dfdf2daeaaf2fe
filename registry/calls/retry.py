"""When the same endpoint is worth another try, and how long to wait before it.

The rules are those of the SDKs of OpenAI and Anthropic: two more tries, 0.5 s · 2^n apart. Own
code, since the waits are yielded as progress, and what is tried next is another endpoint as often
as the same one; libraries (tenacity, backoff) wrap one function and wait inside it.
"""

from __future__ import annotations

from rolecall.registry.core.errors import CallFailed, RegistryError
from rolecall.registry.telemetry.circuit import LONGEST_WAITED_S
from rolecall.registry.telemetry.record import CircuitOpen

MOST_TRIES, MOST_TRIES_OF_LAST = 2, 3
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
_SPREAD = 0.25
# Waiting longer than this costs more than asking the next endpoint, while there is one.
PATIENCE_S = 2.0
_PASSING = ("connect_failed", "server_error", "overloaded", "rate_limited")
_BROKEN = ("connect_timeout", "stream_cut", "stream_error", "empty_answer", "invalid_response")


def retry_after(
    error: RegistryError, tries: int, chance: float, *, is_last: bool, shown: bool
) -> float | None:
    """Return the seconds to wait before asking the same endpoint again; null: ask the next.

    Passing failures are tried again after what the server asked for, else after 0.5 s, doubled
    with each try (up to a quarter less by `chance`, 0–1, so that many clients do not come back at
    once): once, or twice where nobody else is left to ask. What broke off is tried again only
    there, and so is anything once text was shown. What the server says of another try goes
    before all that. For the end of a wait that the server asked for before, only the last waits.
    """
    if isinstance(error, CircuitOpen):
        is_short = is_last and 0 < error.wait_s <= LONGEST_WAITED_S
        return error.wait_s if is_short and tries < MOST_TRIES_OF_LAST else None
    if not isinstance(error, CallFailed) or error.may_retry is False:
        return None
    # An empty answer was paid for, and comes again more often than not.
    is_twice = not is_last or error.error_type == "empty_answer"
    if tries >= (MOST_TRIES if is_twice else MOST_TRIES_OF_LAST) or (shown and not is_last):
        return None
    is_passing = error.may_retry or error.error_type in _PASSING
    if not is_passing and not (is_last and error.error_type in _BROKEN):
        return None
    wait_s = error.retry_after_s
    if not wait_s:
        wait_s = min(FIRST_WAIT_S * 2 ** (tries - 1), LONGEST_WAIT_S) * (1 - _SPREAD * chance)
    return wait_s if wait_s <= (LONGEST_WAITED_S if is_last else PATIENCE_S) else None
