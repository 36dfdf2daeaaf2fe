"""What one endpoint is worth for one request, in USD, each number with its source."""

from __future__ import annotations

import math
from functools import cache

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Endpoint, Model, Profile, Source, Strategy
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Measured
from rolecall.registry.routing.rules.cost import Amounts, filled_price, hears
from rolecall.registry.routing.rules.eligibility import capabilities_of, max_output_tokens
from rolecall.registry.routing.rules.tasks import most_specific

_NO_PROFILE = Profile()
_NOT_MEASURED = Measured()
_MAX_FAILURE_RATE = 0.99
_LEAST_STD = 0.01
_LEAST_SUCCESS = 0.01
# Waits for one's own machine, as multiples of the strategy's figure (3 s): 7.5 s to load some 5 GB
# from a disk, and 12 ms to read a token of the prompt, as a processor without a graphics card does.
_LOCAL_LOADING = 2.5
_LOCAL_READING_PER_TOKEN = 0.004
# How many calls what is declared (or the strategy's default) counts for beside measured ones.
FAILURE_PRIOR_CALLS = 10.0


def score(
    endpoint: Endpoint,
    model: Model,
    prediction: Prediction,
    task: Task,
    strategy: Strategy,
    measured: Measured | None = None,
) -> Candidate:
    """Score one endpoint for one task.

    What was `measured` goes before the endpoint's profile. What neither tells takes the
    strategy's `default_*` figure, marked `default`, and on one's own machine a longer wait. An
    estimated `input_tokens` is marked `scored`, being worked out from the prompt. The source of
    `cost_usd` is the weakest of its parts: `default` before `declared` before `scored`.

    What is worked out is rounded here, once, so that what is compared, shown and stored is the
    same: cost to six significant digits, what was measured to four.

    A default inter-token latency is multiplied only by tokens that data tell: hidden reasoning
    tokens whose number is a guess cost money but no time, so that two endpoints of unknown speed
    are not set apart by invented seconds. Where the latency is known all tokens take it.
    """
    profile = endpoint.profile or _NO_PROFILE
    told, seen = profile.source, measured or _NOT_MEASURED
    scored, scored_std, basis = _success(profile, prediction, task.kind)
    success, success_std = _moved(scored, scored_std, seen)
    output_tokens = prediction.output_tokens
    for most in (task.max_tokens, max_output_tokens(endpoint, model)):
        output_tokens = output_tokens if most is None else min(output_tokens, most)
    ttft_s, ttft_from = _speed(
        (seen.ttft_p50_s, seen.ttft_long_p50_s),
        seen,
        (profile.ttft_s, told, _usual_ttft_s(endpoint, task, strategy)),
    )
    itl_s, itl_from = _speed(
        (seen.itl_p50_s, seen.itl_long_p50_s), seen, (profile.itl_s, told, strategy.default_itl_s)
    )
    failure_rate, failure_from = _failure_rate(profile, seen, strategy)
    cached_tokens = min(task.cached_tokens, task.input_tokens)
    price = filled_price(endpoint, strategy)
    expected = Amounts(
        task.input_tokens,
        output_tokens,
        cache_read=cached_tokens,
        input_audio=task.input_tokens if hears(task) else 0,
        reasoning=prediction.hidden_tokens,
    )
    above_tokens, rates = price.level(task.input_tokens)
    paid_usd = rates.usd(expected)
    cost_usd = _rounded(paid_usd / (1.0 - failure_rate), "%.6g")
    untimed_tokens = _untimed_tokens(prediction, output_tokens) if itl_from == "default" else 0
    streaming_s = itl_s * (output_tokens - untimed_tokens)
    return Candidate(
        endpoint=endpoint.id,
        model=model.id,
        value_usd=value(success, cost_usd, ttft_s, streaming_s, strategy, task.worth),
        success=success,
        success_std=success_std,
        success_basis=basis,
        cost_usd=cost_usd,
        input_tokens=task.input_tokens,
        cached_tokens=cached_tokens,
        output_tokens=output_tokens,
        ttft_s=ttft_s,
        ttft_p95_s=profile.ttft_p95_s if seen.ttft_p95_s is None else _rounded(seen.ttft_p95_s),
        itl_s=itl_s,
        failure_rate=failure_rate,
        samples=seen.samples or profile.samples,
        locality="local" if endpoint.is_local else "remote",
        preferred=_preferred(model, task),
        sources=_sources(
            _success_source(seen, told, basis),
            price.source,
            "declared" if task.input_tokens_declared else "scored",
            ttft_from,
            itl_from,
            failure_from,
        ),
        scored_success=scored,
        outcomes=seen.outcomes,
        parts=None if basis == "profile" else prediction.parts,
        untimed_tokens=untimed_tokens,
        price_above_tokens=None if above_tokens < 0 else above_tokens,
    )


def _usual_ttft_s(endpoint: Endpoint, task: Task, strategy: Strategy) -> float:
    """Return how long a first token is taken to need while nobody has measured it.

    The strategy's figure is for a provider's servers. On one's own machine the model has to be
    loaded first and the prompt is read slowly, the same for every model: what sets two of them
    apart is told by calls or `rolecall probe`, and never by seconds that nobody measured.
    """
    if endpoint.locality == "remote":
        return strategy.default_ttft_s
    fresh_tokens = task.input_tokens - min(task.cached_tokens, task.input_tokens)
    reading = _LOCAL_READING_PER_TOKEN * fresh_tokens
    return _rounded(strategy.default_ttft_s * (_LOCAL_LOADING + reading))


@cache
def _sources(
    success: Source,
    price: Source,
    input_tokens: Source,
    ttft: Source,
    itl: Source,
    failures: Source,
) -> tuple[tuple[str, Source], ...]:
    """Return each number's source; what most candidates have in common is one object."""
    return (
        ("success", success),
        ("cost_usd", "default" if "default" in (price, failures) else "declared"),
        ("price", price),
        ("input_tokens", input_tokens),
        ("output_tokens", "scored"),
        ("ttft_s", ttft),
        ("itl_s", itl),
        ("failure_rate", failures),
    )


def value(
    success: float,
    cost_usd: float,
    ttft_s: float,
    streaming_s: float,
    strategy: Strategy,
    worth: float,
) -> float:
    """Return the USD that an answer is worth once its cost and its waiting are paid.

    `streaming_s` is the inter-token latency times the output tokens; `worth` is the task's factor
    on the value of a correct answer.
    """
    return (
        worth * strategy.quality_usd * success
        - cost_usd
        - strategy.ttft_usd_per_s * ttft_s
        - strategy.itl_usd_per_s * streaming_s
    )


def _success(
    profile: Profile, prediction: Prediction, kind: str
) -> tuple[float, float | None, str]:
    if profile.success:
        known = dict(profile.success)
        key = most_specific(known, kind)
        if key is not None:
            return known[key], _profile_std(known[key], profile.samples), "profile"
    return prediction.success, prediction.success_std, prediction.basis


def _moved(scored: float, std: float | None, seen: Measured) -> tuple[float, float | None]:
    """Return the success and its deviation once outcomes have moved the prediction."""
    if not seen.outcomes:
        return scored, std
    success = min(max(scored + seen.success_offset, _LEAST_SUCCESS), 1.0 - _LEAST_SUCCESS)
    if std is not None:
        std = _rounded(max(std * seen.success_uncertainty, _LEAST_STD))
    return _rounded(success), std


def _success_source(seen: Measured, told: Source, basis: str) -> Source:
    if seen.outcomes:
        return "measured"
    return told if basis == "profile" else "scored"


def _speed(
    medians: tuple[float | None, float | None],
    seen: Measured,
    otherwise: tuple[float | None, Source, float],
) -> tuple[float, Source]:
    """Return seconds with their source: what was measured, fading to what is declared.

    The recent median gives way to the long one within the hour, that one to what is declared (or
    to the default) over weeks. It does not do so by the number of calls: where all are slower
    than is declared, each would look the faster the less it was asked, and they would take turns.
    """
    recent, long = medians
    declared, told, default = otherwise
    prior = default if declared is None else declared
    if recent is None or long is None:
        return prior, "default" if declared is None else told
    settled = seen.long_freshness * long + (1.0 - seen.long_freshness) * prior
    return _rounded(seen.freshness * recent + (1.0 - seen.freshness) * settled), "measured"


def _failure_rate(profile: Profile, seen: Measured, strategy: Strategy) -> tuple[float, Source]:
    """Return the share of calls that fail, measured ones weighed against what was declared."""
    declared = profile.failure_rate
    prior = strategy.default_failure_rate if declared is None else declared
    source: Source = "default" if declared is None else profile.source
    rate = prior
    if seen.recent_calls > 0:
        failed = seen.recent_failures + FAILURE_PRIOR_CALLS * prior
        rate, source = _rounded(failed / (seen.recent_calls + FAILURE_PRIOR_CALLS)), "measured"
    return min(rate, _MAX_FAILURE_RATE), source


def _profile_std(success: float, samples: int | None) -> float | None:
    if not samples:
        return None
    return _rounded(max(math.sqrt(success * (1.0 - success) / samples), _LEAST_STD))


def _rounded(figure: float, form: str = "%.4g") -> float:
    return float(form % figure)


def _untimed_tokens(prediction: Prediction, output_tokens: int) -> int:
    """Return how many of the `output_tokens` are hidden reasoning that no data tell."""
    if prediction.hidden_tokens_known:
        return 0
    visible_tokens = max(prediction.output_tokens - prediction.hidden_tokens, 0)
    return max(output_tokens - visible_tokens, 0)


def _preferred(model: Model, task: Task) -> int:
    if not task.prefers:
        return 0
    return len(capabilities_of(model).intersection(task.prefers))
