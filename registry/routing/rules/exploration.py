"""An endpoint that was never timed is tried now and then, where only assumed waits keep it out.

Of two endpoints, the one that happened to be asked first is measured, the other keeps the
strategy's default waits, which are longer than most: it would lose for ever by seconds that nobody
has seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rolecall.registry.core.decisions import Candidate
from rolecall.registry.core.entities import Strategy
from rolecall.registry.core.telemetry import EndpointStatistics
from rolecall.registry.routing.rules.inputs import DecisionInputs, Ranked
from rolecall.registry.routing.rules.ranking import near_ties
from rolecall.registry.routing.rules.reasons import reasons

UNTIMED_TRIED = "UNTIMED_ENDPOINT_TRIED"
CALLS_PER_TRIAL = 3
_OF_RANK = (
    *("BEST_TOTAL_SCORE", "TIE_BREAK_APPLIED"),
    *("CONTINUITY_AFFINITY_APPLIED", "LOCAL_PREFERENCE_APPLIED"),
)


def is_time_to_try(statistics: Iterable[EndpointStatistics]) -> bool:
    """Tell whether so many calls were made that one may go to time another endpoint.

    Each endpoint that was timed stands for one such call, each other for all of its calls, so
    that at most one call in `CALLS_PER_TRIAL` ever goes there. It depends on counts alone.
    """
    made = tried = 0
    for each in statistics:
        made += each.calls
        tried += 1 if each.samples else each.calls
    return tried > 0 and made >= CALLS_PER_TRIAL * tried


def with_untimed_tried(ranked: Ranked, inputs: DecisionInputs) -> Ranked:
    """Return the ranking with an endpoint first that was never timed, if one is worth a try.

    One is that would be chosen, or be within `tie_band_usd` of it, were it as fast as the chosen
    one, which was measured: all that is known of it (success and cost) speaks for it, or loses no
    more than the near-tie band. In a conversation that another endpoint answers none is.
    """
    if len(ranked.candidates) < 2 or inputs.incumbent is not None:
        return ranked
    chosen, strategy = ranked.candidates[0], inputs.strategy
    if not _is_timed(chosen):
        return ranked
    near = near_ties(ranked.candidates, strategy)
    floor = max(each.value_usd for each in near) - strategy.tie_band_usd
    as_fast = {
        each.endpoint: _value_as_fast(each, chosen, strategy)
        for each in ranked.candidates[1:]
        if _is_untimed(each)
    }
    best = max(as_fast, key=lambda name: (as_fast[name], name), default=None)
    if best is None or as_fast[best] < floor:
        return ranked
    return _with_first(best, ranked, inputs)


def _with_first(name: str, ranked: Ranked, inputs: DecisionInputs) -> Ranked:
    second = ranked.candidates[0]
    first = next(each for each in ranked.candidates if each.endpoint == name)
    candidates = (first, *(each for each in ranked.candidates if each is not first))
    codes = reasons(candidates, ranked.excluded, inputs)
    note = (
        f"{name} was never timed: it is asked once, since it would be chosen were it as fast as "
        f"{second.endpoint}"
    )
    return replace(
        ranked,
        candidates=candidates,
        chosen=name,
        runner_up=second.endpoint,
        margin_usd=first.value_usd - second.value_usd,
        reasons=(UNTIMED_TRIED, *(code for code in codes if code not in _OF_RANK)),
        fallbacks=tuple(each.endpoint for each in candidates[1 : 1 + len(ranked.fallbacks)]),
        notes=(*ranked.notes, note),
    )


def _value_as_fast(each: Candidate, other: Candidate, strategy: Strategy) -> float:
    """Return what a candidate would be worth were it as fast as another."""
    is_known = dict(other.sources)["itl_s"] != "default"
    tokens = each.output_tokens - (0 if is_known else each.untimed_tokens)
    streaming_s = other.itl_s * tokens
    found = each.value_usd + strategy.ttft_usd_per_s * (each.ttft_s - other.ttft_s)
    return found + strategy.itl_usd_per_s * (each.streaming_s - streaming_s)


def _is_timed(candidate: Candidate) -> bool:
    return dict(candidate.sources)["ttft_s"] == "measured"


def _is_untimed(candidate: Candidate) -> bool:
    sources = dict(candidate.sources)
    return sources["ttft_s"] == sources["itl_s"] == "default"
