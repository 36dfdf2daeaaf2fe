"""An endpoint's circuit: open after failures, tried again after a while, closed by a success.

Open until `open_until`, then half-open: one call at a time may try it (`trial_until` is how long
it has). A trial that succeeds closes it, one that fails opens it for twice as long. A rate limit
needs no trial: its time is up, and all may ask again. Ours, since circuit-breaker libraries keep
their state in one process or a server, and each command is a process of its own: the state is the
endpoint's row, changed under the registry's write lock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.telemetry import Call, EndpointStatistics

TRIAL_S = 180.0
LONGEST_S = 600.0
LONGEST_ASKED_S = 3_600.0
# For so long a person waits for what a server asked for, where nobody else can be asked.
LONGEST_WAITED_S = 20.0
# How many failures in a row open the circuit, and for how many seconds the first time.
_CLOCK_SLACK = timedelta(minutes=1)
_FIRST_OPEN_S = {"rate_limited": 15.0, "quota_exceeded": 300.0, "auth": 60.0, "not_found": 60.0}
_USUAL_OPEN_S = 15.0
_FAILURES = {"rate_limited": 1, "quota_exceeded": 1, "auth": 2, "not_found": 2}
_USUAL_FAILURES = 3
# A circuit also opens when half of the recent calls failed, if there were enough of them.
_FAILED_SHARE = 0.5
_ENOUGH_CALLS = 6.0
QUOTA_ERRORS = ("rate_limited", "quota_exceeded")
# What a status tells apart: no credit (402), a refused key (401), a key without this right (403).
_NAMED_STATUS = ("auth", "quota_exceeded")
_NOT_ALLOWED = 403
# The server answered and refused this one request: no sign that it is down.
_NO_SIGN = ("bad_request",)


def is_open(stats: EndpointStatistics, now: str) -> bool:
    """Tell whether the circuit keeps the endpoint out: open, or on someone else's trial."""
    if stats.open_until is None:
        return False
    is_tried = stats.trial_until is not None and now < stats.trial_until
    return now < stats.open_until or (is_tried and _needs_trial(stats))


def believed(stats: EndpointStatistics, now: datetime) -> EndpointStatistics:
    """Return the statistics without what only a clock that was wrong can have set.

    A circuit that opened in the future, or is open for longer than any rule makes it, is taken
    for closed; so is a trial that would have more time than trials have.
    """
    if stats.open_until is None:
        return stats
    longest_s = max(stats.asked_s or 0.0, LONGEST_S)
    is_ahead = stats.opened_at is not None and stats.opened_at > stamp(now + _CLOCK_SLACK)
    if is_ahead or stats.open_until > stamp(now + timedelta(seconds=longest_s) + _CLOCK_SLACK):
        return _closed(stats)
    longest = stamp(now + timedelta(seconds=TRIAL_S) + _CLOCK_SLACK)
    if stats.trial_until is not None and stats.trial_until > longest:
        return replace(stats, trial_until=None)
    return stats


def asked_left_s(stats: EndpointStatistics, now: datetime) -> float:
    """Return for how much longer a quota or rate limit asks to be left alone; 0 if it does not.

    A server that is down can only guess when it will be back: that binds nobody.
    """
    is_asked = stats.asked_s is not None and stats.opened_because in QUOTA_ERRORS
    if stats.open_until is None or not is_asked:
        return 0.0
    return max((datetime.fromisoformat(stats.open_until) - now).total_seconds(), 0.0)


def refuses_key(call: Call) -> bool:
    """Tell whether a server refused the key itself, not what the key is not allowed (403)."""
    status = call.status_code
    if call.error_type != "auth" or status is None:
        return False
    return status >= 400 and status != _NOT_ALLOWED


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
    return f"{why_opened(stats)}, {when_tried(stats, now)}"


def when_tried(stats: EndpointStatistics, now: datetime) -> str:
    """Say in words when the endpoint is tried again."""
    assert stats.open_until is not None
    seconds = (datetime.fromisoformat(stats.open_until) - now).total_seconds()
    return f"tried again in {_span(seconds)}" if seconds > 0 else "being tried now"


def why_opened(stats: EndpointStatistics) -> str:
    """Say in words why the circuit opened."""
    because = stats.opened_because or "failures"
    if because in _NAMED_STATUS and stats.opened_status is not None:
        because = f"{because}, status {stats.opened_status}"
    if stats.asked_s is not None:
        return f"asked to wait {_span(stats.asked_s)} ({because})"
    if stats.opened_because in QUOTA_ERRORS:
        return because
    count = stats.consecutive_failures
    return f"failed {count} {'time' if count == 1 else 'times'} in a row ({because})"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def after_success(stats: EndpointStatistics, call: Call) -> EndpointStatistics:
    """Return the statistics with the circuit closed, if the call was begun to try it.

    A call begun before the circuit opened says nothing of now; one begun after it does, though
    the circuit was not to let it pass yet.
    """
    stats = replace(stats, consecutive_failures=0)
    if stats.open_until is not None and not _tries(stats, call):
        is_later = stats.opened_at is not None and call.created_at >= stats.opened_at
        return _closed(stats) if is_later else stats
    return _closed(stats)


def _closed(stats: EndpointStatistics) -> EndpointStatistics:
    return replace(
        stats,
        times_opened=0,
        opened_at=None,
        opened_status=None,
        open_until=None,
        opened_because=None,
        trial_until=None,
        asked_s=None,
        refused_key=None,
    )


def after_failure(stats: EndpointStatistics, call: Call) -> EndpointStatistics:
    """Return the statistics with one more failure, and the circuit opened if it is time."""
    assert call.error_type is not None
    if call.error_type in _NO_SIGN:
        return replace(stats, trial_until=None)
    stats = replace(stats, consecutive_failures=stats.consecutive_failures + 1)
    if stats.open_until is not None and not _tries(stats, call):
        is_told = call.retry_after_s is not None or refuses_key(call)
        return _opened(stats, call, stats.times_opened) if is_told else stats
    if stats.open_until is None and not _is_time(stats, call):
        return stats
    # How long a server asked for is no guess of ours: the next guess is not made longer by it.
    return _opened(stats, call, stats.times_opened + (stats.asked_s is None))


def _tries(stats: EndpointStatistics, call: Call) -> bool:
    assert stats.open_until is not None
    return call.created_at >= stats.open_until or call.sample_source == "probe"


def _needs_trial(stats: EndpointStatistics) -> bool:
    return stats.opened_because != "rate_limited"


def _is_time(stats: EndpointStatistics, call: Call) -> bool:
    enough = _FAILURES.get(call.error_type or "", _USUAL_FAILURES)
    if refuses_key(call) or stats.consecutive_failures >= enough:
        return True
    is_enough = stats.recent_calls >= _ENOUGH_CALLS
    return is_enough and stats.recent_failures >= _FAILED_SHARE * stats.recent_calls


def _opened(stats: EndpointStatistics, call: Call, times_opened: int) -> EndpointStatistics:
    assert call.finished_at is not None
    assert call.error_type is not None
    first = _FIRST_OPEN_S.get(call.error_type, _USUAL_OPEN_S)
    seconds = min(first * 2.0 ** max(times_opened - 1, 0), LONGEST_S)
    asked_s = call.retry_after_s
    if asked_s is not None:
        asked_s = seconds = min(max(asked_s, 0.0), LONGEST_ASKED_S)
    until = stamp(datetime.fromisoformat(call.finished_at) + timedelta(seconds=seconds))
    # What a server says goes before our guess; of what it said, the longer.
    is_kept = (asked_s is None) == (stats.asked_s is None) or asked_s is None
    return replace(
        stats,
        times_opened=times_opened,
        open_until=max(until, stats.open_until or "") if is_kept else until,
        opened_because=call.error_type,
        trial_until=None,
        opened_at=call.finished_at,
        opened_status=call.status_code,
        asked_s=asked_s,
        refused_key=None,
    )
