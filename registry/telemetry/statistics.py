"""What calls and outcomes add up to: folded in one by one, read back for a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.registry.core.clock import stamp
from rolecall.registry.core.telemetry import (
    Call,
    EndpointStatistics,
    Measured,
    Outcome,
    OutcomeStatistics,
    Sample,
)
from rolecall.registry.telemetry.circuit import (
    after_failure,
    after_success,
    believed,
    on_trial,
)

WINDOW = 64  # samples kept for the quantiles
SETTLED = 8
RECENT_CALLS, RECENT_TIME = 4.0, timedelta(minutes=15)
TAIL_CALLS, TAIL_TIME = 16.0, timedelta(days=1)
LONG_TIME = timedelta(days=7)
KEPT_TIME = timedelta(days=1)  # so long the long medians stand before they begin to fade
FAILURE_CALLS, FAILURE_TIME = 30.0, timedelta(hours=1)
OUTCOME_COUNT, OUTCOME_TIME = 20.0, timedelta(days=14)
OUTCOME_PRIOR = 4.0
PROBE_WEIGHT = 0.5
# Failures that say nothing of the endpoint: the request, the person, or this machine brought
# them about.
BLAMELESS = frozenset(
    {"context_too_long", "parameter_unsupported", "content_refused", "interrupted", "not_sent"}
)
CLOCK_SLACK = timedelta(days=1)
# Nor do these count as calls that fail: a key that was refused says nothing of those to come.
_UNCOUNTED = BLAMELESS | {"auth"}
# What a trial that succeeds leaves of the failures that opened the circuit.
FORGIVEN = 0.75

_NO_TIME = timedelta(0)

Samples = tuple[Sample, ...]


def after_call(
    before: EndpointStatistics | None, samples: Samples, call: Call
) -> tuple[EndpointStatistics, Samples]:
    """Return an endpoint's statistics and samples once the finished `call` is counted.

    A pure function of the rows in the order they finished, so that what is stored can be worked
    out again from the calls.
    """
    assert call.finished_at is not None
    now = call.finished_at
    start = before or EndpointStatistics(call.endpoint, now)
    start = believed(start, datetime.fromisoformat(now))
    stats = _counted(_decayed(start, now), call)
    if call.error_type is None:
        stats = _forgiven(stats, after_success(stats, call))
    elif call.error_type not in BLAMELESS:
        stats = after_failure(stats, call)
    else:
        stats = replace(stats, trial_until=None)
    return _sampled(stats, samples, call)


def _decayed(stats: EndpointStatistics, now: str) -> EndpointStatistics:
    share = _halved(_elapsed(stats.updated_at, now), FAILURE_TIME) * 2 ** (-1 / FAILURE_CALLS)
    return replace(
        stats,
        updated_at=now,
        recent_calls=stats.recent_calls * share,
        recent_failures=stats.recent_failures * share,
    )


def _counted(stats: EndpointStatistics, call: Call) -> EndpointStatistics:
    weight = _weight(call)
    failed = call.error_type not in (None, "interrupted")
    is_blamed = failed and call.error_type not in _UNCOUNTED
    errors = dict(stats.errors)
    if call.error_type is not None:
        errors[call.error_type] = errors.get(call.error_type, 0) + 1
    says_something = call.error_type is None or is_blamed
    return replace(
        stats,
        calls=stats.calls + 1,
        failed=stats.failed + failed,
        errors=tuple(sorted(errors.items())),
        recent_calls=stats.recent_calls + weight * says_something,
        recent_failures=stats.recent_failures + weight * is_blamed,
        input_tokens=stats.input_tokens + (call.input_tokens or 0),
        output_tokens=stats.output_tokens + (call.output_tokens or 0),
        cost_usd=stats.cost_usd + (call.cost_usd or 0.0),
        unpriced=stats.unpriced + (call.cost_usd is None),
    )


def _forgiven(before: EndpointStatistics, after: EndpointStatistics) -> EndpointStatistics:
    """Forget most failures once a trial shows that the endpoint has healed."""
    if before.open_until is None or after.open_until is not None:
        return after
    forgotten = after.recent_failures * FORGIVEN
    return replace(
        after,
        recent_failures=after.recent_failures - forgotten,
        recent_calls=after.recent_calls - forgotten,
    )


def _sampled(
    stats: EndpointStatistics, samples: Samples, call: Call
) -> tuple[EndpointStatistics, Samples]:
    ttft_s, itl_s = call.time_to_first_chunk_s, call.time_per_output_token_s
    if ttft_s is None or call.error_type not in (None, "interrupted"):
        return stats, samples
    assert call.finished_at is not None
    newest = Sample(call.finished_at, ttft_s, itl_s, _weight(call))
    kept = (*samples[-(WINDOW - 1) :], newest)
    recent = _weights(kept, RECENT_CALLS, RECENT_TIME)
    tail = _weights(kept, TAIL_CALLS, TAIL_TIME)
    long = _weights(kept, math.inf, LONG_TIME)
    ttfts, itls = [one.ttft_s for one in kept], [one.itl_s for one in kept]
    ttft_p50_s, ttft_long_p50_s = _medians(ttfts, recent, long, stats.ttft_long_p50_s)
    itl_p50_s, itl_long_p50_s = _medians(itls, recent, long, stats.itl_long_p50_s)
    sampled = replace(
        stats,
        samples=stats.samples + 1,
        sampled_at=call.finished_at,
        ttft_p50_s=ttft_p50_s,
        ttft_p95_s=quantile(ttfts, tail, 0.95),
        ttft_long_p50_s=ttft_long_p50_s,
        itl_p50_s=itl_p50_s,
        itl_p95_s=quantile(itls, tail, 0.95),
        itl_long_p50_s=itl_long_p50_s,
    )
    return sampled, kept


def _medians(
    values: Sequence[float | None],
    recent: Sequence[float],
    long: Sequence[float],
    held: float | None,
) -> tuple[float | None, float | None]:
    """Return the recent and the long median, each held where only chance has moved it.

    Two places that are equally fast would otherwise take turns at being chosen, as the medians
    of a few uneven calls go up and down. So the long median, once it rests on `SETTLED` values,
    stays at `held` until it is clearly another, and the recent one differs from it only where
    it is clearly apart. What is clear is told by the median distance of the values from theirs.
    """
    median = quantile(values, long, 0.5)
    if median is None:
        return None, None
    spread = quantile([None if one is None else abs(one - median) for one in values], long, 0.5)
    assert spread is not None
    is_settled = sum(one is not None for one in values) > SETTLED
    if held is not None and is_settled and abs(median - held) <= max(2 * spread, 0.1 * held):
        median = held
    latest = quantile(values, recent, 0.5)
    assert latest is not None
    least = 0.3 if is_settled else 0.5
    is_apart = abs(latest - median) > max(3.5 * spread, least * median)
    return (latest if is_apart else median), median


def _weights(samples: Samples, calls: float, time: timedelta) -> list[float]:
    """Return each sample's weight: halved every `calls` calls and every `time` before the last."""
    last = datetime.fromisoformat(samples[-1].at)
    return [
        sample.weight
        * 2 ** (-(len(samples) - 1 - place) / calls)
        * _halved(_age(sample.at, last), time)
        for place, sample in enumerate(samples)
    ]


def quantile(
    values: Sequence[float | None], weights: Sequence[float], share: float
) -> float | None:
    """Return the least value that `share` of the weight does not exceed; null without values."""
    known = sorted(
        (value, weight)
        for value, weight in zip(values, weights, strict=True)
        if value is not None and weight > 0
    )
    wanted = share * sum(weight for _, weight in known)
    reached = 0.0
    for value, weight in known:
        reached += weight
        if reached >= wanted:
            return value
    return known[-1][0] if known else None


def after_outcome(before: OutcomeStatistics | None, outcome: Outcome) -> OutcomeStatistics:
    """Return the statistics of an endpoint on a task once one more outcome is counted.

    Against a success that was never predicted an outcome is measured as against one half.
    """
    task, now = outcome.task or "", outcome.created_at
    start = before or OutcomeStatistics(outcome.endpoint, task, now)
    share = _halved(_elapsed(start.updated_at, now), OUTCOME_TIME) * 2 ** (-1 / OUTCOME_COUNT)
    predicted = 0.5 if outcome.predicted is None else outcome.predicted
    count = start.outcomes + 1
    return replace(
        start,
        updated_at=now,
        outcomes=count,
        mean_score=start.mean_score + (outcome.score - start.mean_score) / count,
        weight=start.weight * share + 1.0,
        residual=start.residual * share + outcome.score - predicted,
    )


def success_offset(chain: Sequence[OutcomeStatistics], now: datetime) -> tuple[float, float, int]:
    """Return what outcomes add to the predicted success, the uncertainty left, and their number.

    `chain` goes from the widest kind of task to the narrowest (`code`, `code.edit`). At each,
    offset = (sum of score − prediction + 4 · the wider kind's offset) / (outcomes + 4), so that
    few outcomes move little: an empirical-Bayes mean with a prior worth four outcomes. Both sums
    halve every 20 outcomes and every 14 days. The uncertainty is sqrt(4 / (outcomes + 4)).
    """
    offset, uncertainty, count = 0.0, 1.0, 0
    for stats in chain:
        share = _halved(_age(stats.updated_at, now), OUTCOME_TIME)
        weight, residual = stats.weight * share, stats.residual * share
        offset = (residual + OUTCOME_PRIOR * offset) / (weight + OUTCOME_PRIOR)
        uncertainty = math.sqrt(OUTCOME_PRIOR / (weight + OUTCOME_PRIOR))
        count = stats.outcomes
    return offset, uncertainty, count


def measured(
    stats: EndpointStatistics | None, chain: Sequence[OutcomeStatistics], now: datetime
) -> Measured:
    """Return what a decision at `now` may use of an endpoint's statistics and outcomes.

    While a circuit waits for its trial, the failures that opened it are left out: the circuit
    answers for them, and the endpoint must be able to win the call that tries it.
    """
    offset, uncertainty, count = success_offset(chain, now) if chain else (0.0, 1.0, 0)
    if stats is None:
        return Measured(success_offset=offset, success_uncertainty=uncertainty, outcomes=count)
    unchanged = _age(stats.updated_at, now)
    age = unchanged if stats.sampled_at == stats.updated_at else _age(stats.sampled_at, now)
    is_tried = stats.open_until is not None and on_trial(stats, stamp(now))
    share = 0.0 if is_tried else _halved(unchanged, FAILURE_TIME)
    return Measured(
        samples=stats.samples,
        freshness=_halved(age, RECENT_TIME),
        long_freshness=_halved(max(age - KEPT_TIME, _NO_TIME), LONG_TIME),
        ttft_p50_s=stats.ttft_p50_s,
        ttft_long_p50_s=stats.ttft_long_p50_s,
        ttft_p95_s=stats.ttft_p95_s,
        itl_p50_s=stats.itl_p50_s,
        itl_long_p50_s=stats.itl_long_p50_s,
        recent_calls=stats.recent_calls * share,
        recent_failures=stats.recent_failures * share,
        success_offset=offset,
        success_uncertainty=uncertainty,
        outcomes=count,
    )


def kinds_of(task: str) -> tuple[str, ...]:
    """Return a kind of task and all wider ones, the widest first: `code`, `code.edit`."""
    words = task.split(".")
    return tuple(".".join(words[:count]) for count in range(1, len(words) + 1))


def _weight(call: Call) -> float:
    return PROBE_WEIGHT if call.sample_source == "probe" else 1.0


def _elapsed(since: str, until: str) -> timedelta:
    """Return the time between two moments, as `_age` does."""
    return _age(since, datetime.fromisoformat(until))


def _age(since: str | None, now: datetime) -> timedelta:
    """Return how long ago a moment was; nothing for one that never was.

    A moment a little ahead is now: a clock was set back. One further ahead was dated by a clock
    that was wrong, so that its age is unknown: it is taken for old, or it would be new for ever.
    """
    age = _NO_TIME if since is None else now - datetime.fromisoformat(since)
    return LONG_TIME if age < -CLOCK_SLACK else max(age, _NO_TIME)


def _halved(elapsed: timedelta, half_life: timedelta) -> float:
    return float(2 ** (-(elapsed / half_life)))
