"""An endpoint's circuit: open after failures, tried again after a while, closed by a success.

Open until `open_until`, then half-open: one call at a time may try it (`trial_until` is how long
it has). A trial that succeeds closes it, one that fails opens it for twice as long. Ours, since
circuit-breaker libraries keep their state in one process or a server, and each command is a process
of its own: the state is the endpoint's row, changed under the registry's write lock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.telemetry import Call, EndpointStatistics

TRIAL_S = 180.0
LONGEST_S = 600.0
LONGEST_ASKED_S = 3_600.0
# How many failures in a row open the circuit, and for how many seconds the first time.
_FIRST_OPEN_S = {"rate_limited": 15.0, "quota_exceeded": 300.0, "auth": 60.0, "not_found": 60.0}
_USUAL_OPEN_S = 15.0
_FAILURES = {"rate_limited": 1, "quota_exceeded": 1, "auth": 2, "not_found": 2}
_USUAL_FAILURES = 3
# A circuit also opens when half of the recent calls failed, if there were enough of them.
_FAILED_SHARE = 0.5
_ENOUGH_CALLS = 6.0
QUOTA_ERRORS = ("rate_limited", "quota_exceeded")
# The server answered and refused this one request: no sign that it is down.
_NO_SIGN = ("bad_request",)


def is_open(stats: EndpointStatistics, now: str) -> bool:
    """Tell whether the circuit keeps the endpoint out: open, or on someone else's trial."""
    if stats.open_until is None:
        return False
    return now < stats.open_until or (stats.trial_until is not None and now < stats.trial_until)


def on_trial(stats: EndpointStatistics, now: str) -> bool:
    """Tell whether the circuit is half-open: the next call tries the endpoint."""
    return stats.open_until is not None and not is_open(stats, now)


def state(stats: EndpointStatistics, now: str) -> str:
    """Name the circuit's state: `closed`, `open` or `half-open`."""
    if stats.open_until is None:
        return "closed"
    return "open" if now < stats.open_until else "half-open"


def why_open(stats: EndpointStatistics, now: datetime) -> str:
    """Say in words why the circuit keeps the endpoint out, and until when."""
    assert stats.open_until is not None
    seconds = (datetime.fromisoformat(stats.open_until) - now).total_seconds()
    when = f"tried again in {_span(seconds)}" if seconds > 0 else "being tried now"
    because = stats.opened_because or "failures"
    if because in QUOTA_ERRORS:
        return f"{because}, {when}"
    count = stats.consecutive_failures
    return f"failed {count} {'time' if count == 1 else 'times'} in a row ({because}), {when}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def after_success(stats: EndpointStatistics, call: Call) -> EndpointStatistics:
    """Return the statistics with the circuit closed, if the call was begun to try it.

    A call begun before the circuit opened says nothing of now; a probe tries it at any time.
    """
    if stats.open_until is not None and not _tries(stats, call):
        return replace(stats, consecutive_failures=0)
    return replace(
        stats,
        consecutive_failures=0,
        times_opened=0,
        open_until=None,
        opened_because=None,
        trial_until=None,
    )


def after_failure(stats: EndpointStatistics, call: Call) -> EndpointStatistics:
    """Return the statistics with one more failure, and the circuit opened if it is time."""
    assert call.error_type is not None
    if call.error_type in _NO_SIGN:
        return replace(stats, trial_until=None)
    stats = replace(stats, consecutive_failures=stats.consecutive_failures + 1)
    if stats.open_until is not None and not _tries(stats, call):
        return stats if call.retry_after_s is None else _opened(stats, call, stats.times_opened)
    if stats.open_until is None and not _is_time(stats, call.error_type):
        return stats
    return _opened(stats, call, stats.times_opened + 1)


def _tries(stats: EndpointStatistics, call: Call) -> bool:
    assert stats.open_until is not None
    return call.created_at >= stats.open_until or call.sample_source == "probe"


def _is_time(stats: EndpointStatistics, error_type: str) -> bool:
    if stats.consecutive_failures >= _FAILURES.get(error_type, _USUAL_FAILURES):
        return True
    is_enough = stats.recent_calls >= _ENOUGH_CALLS
    return is_enough and stats.recent_failures >= _FAILED_SHARE * stats.recent_calls


def _opened(stats: EndpointStatistics, call: Call, times_opened: int) -> EndpointStatistics:
    assert call.finished_at is not None
    assert call.error_type is not None
    first = _FIRST_OPEN_S.get(call.error_type, _USUAL_OPEN_S)
    seconds = min(first * 2.0 ** max(times_opened - 1, 0), LONGEST_S)
    if call.retry_after_s is not None:
        seconds = min(max(call.retry_after_s, 0.0), LONGEST_ASKED_S)
    until = datetime.fromisoformat(call.finished_at) + timedelta(seconds=seconds)
    return replace(
        stats,
        times_opened=times_opened,
        open_until=max(stamp(until), stats.open_until or ""),
        opened_because=call.error_type,
        trial_until=None,
    )
