"""From the inputs of a decision and the scorer's predictions to a ranking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rolecall.registry.core.decisions import PRICE_UNKNOWN, Candidate, Exclusion
from rolecall.registry.core.entities import Endpoint, Model, Strategy
from rolecall.registry.core.formatting import rounded, usd
from rolecall.registry.core.predictions import Prediction
from rolecall.registry.routing.rules.cost import UNKNOWN_SIZE, of_unknown_cost, over_spend_limit
from rolecall.registry.routing.rules.eligibility import (
    NOT_SET,
    exclusions_after_scoring,
    find_eligible,
    has_limits,
    is_only_remote,
    may_not_fit,
    outside,
)
from rolecall.registry.routing.rules.inputs import DecisionInputs, Eligible, Ranked
from rolecall.registry.routing.rules.ranking import is_below_floor, rank, rank_below_floor
from rolecall.registry.routing.rules.reasons import reasons
from rolecall.registry.routing.rules.value import score

MOST_FALLBACKS = 5


def decide(
    inputs: DecisionInputs,
    predictions: Mapping[str, Prediction],
    eligible: Eligible | None = None,
) -> Ranked:
    """Score, limit and rank the eligible endpoints; `predictions` are by variant.

    Pass `eligible`, the `find_eligible` of these inputs, to spare working it out again. Each of
    its `variants` needs a prediction. Cached tokens count for the incumbent only: no other endpoint
    has them. When nothing is eligible, `chosen` is None.
    """
    if eligible is None:
        eligible = find_eligible(inputs)
    score_one = _scoring(inputs, predictions)
    excluded = _with_limits(inputs, score_one, eligible)
    able = [score_one(endpoint, model) for endpoint, model in eligible.endpoints]
    if has_limits(inputs.strategy) or inputs.spend_limit is not None:
        scored = zip(able, eligible.endpoints, strict=True)
        able = []
        for candidate, (endpoint, _) in scored:
            against = _limits(inputs, candidate, endpoint)
            excluded += against
            able += [] if against else [candidate]
    ranked = rank(able, inputs.strategy, inputs.incumbent)
    if not ranked and inputs.strategy.else_ == "best":
        ranked = rank_below_floor(_only_too_low(excluded), inputs.strategy, inputs.incumbent)
        let_in = {each.endpoint for each in ranked}
        excluded = [each for each in excluded if each.endpoint not in let_in]
    second = ranked[1] if len(ranked) > 1 else None
    return Ranked(
        candidates=ranked,
        excluded=tuple(excluded),
        chosen=ranked[0].endpoint if ranked else None,
        runner_up=second.endpoint if second else None,
        margin_usd=ranked[0].value_usd - second.value_usd if second else None,
        reasons=reasons(ranked, excluded, inputs),
        fallbacks=tuple(each.endpoint for each in ranked[1 : 1 + MOST_FALLBACKS]),
        notes=_notes(ranked, inputs),
    )


def nothing_eligible_message(
    excluded: Sequence[Exclusion], endpoints: Iterable[Endpoint]
) -> tuple[str, str, bool]:
    """Say in a line why nothing is eligible, what to type next, and whether it is the money.

    The last is true where some endpoint is kept out by a spending limit and by nothing else.
    """
    if not excluded:
        return "no endpoint is registered", "rolecall endpoints add --help", False
    left_out = outside(excluded)
    excluded = [each for each in excluded if each.endpoint not in left_out] or excluded
    codes = Counter(each.code for each in excluded)
    counts = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    against = list(_by_endpoint(excluded).values())
    only_budget = any([each.code for each in found] == ["BUDGET_EXCEEDED"] for found in against)
    details = {each.detail for each in excluded}
    if len(details) > 1:  # what a server said is worth a word beside other reasons
        details = {each.detail for each in excluded if _is_told(each)}
    because = f" ({'; '.join(sorted(details))})" if 0 < len(details) <= _MOST_DETAILS else ""
    message = f"no endpoint is eligible: {counts}{because}"
    return message, _hint(against, {one.id: one.key_env for one in endpoints}), only_budget


def _is_told(exclusion: Exclusion) -> bool:
    """Tell whether an exclusion is what calls have shown: a failure, a limit, a refused key."""
    return exclusion.code in _CODES_OF_CALLS and not exclusion.detail.endswith(NOT_SET)


def _by_endpoint(excluded: Iterable[Exclusion]) -> dict[str, list[Exclusion]]:
    found: dict[str, list[Exclusion]] = {}
    for each in excluded:
        found.setdefault(each.endpoint, []).append(each)
    return found


def _hint(against: list[list[Exclusion]], keys: Mapping[str, str | None]) -> str:
    """Advise on the commonest obstacle of the endpoints that have the fewest of them."""
    fewest = min(len(found) for found in against)
    nearest = [each for found in against if len(found) == fewest for each in found]
    code = Counter(each.code for each in nearest).most_common(1)[0][0]
    if code == "AUTH_UNAVAILABLE":
        unset = Counter(keys.get(each.endpoint) for each in nearest if each.code == code)
        name = unset.most_common(1)[0][0]
        return "rolecall endpoints list" if name is None else f"export {name}=..."
    unpriced = [each.endpoint for each in nearest if each.detail.startswith(PRICE_UNKNOWN)]
    if code == "BUDGET_EXCEEDED" and len(unpriced) == len(nearest):
        return f"say what it costs: rolecall endpoints edit {unpriced[0]}"
    if any(each.code == code and each.detail.startswith(UNKNOWN_SIZE) for each in nearest):
        return "say how long the whole input is: --input-tokens N"
    return _HINTS.get(code, "rolecall explain")


_CODES_OF_CALLS = ("AUTH_UNAVAILABLE", "PROVIDER_OFFLINE", "QUOTA_EXHAUSTED")
_MOST_DETAILS = 3
_HINTS = {
    "BUDGET_EXCEEDED": "raise --max-cost or the budget, or lower --max-tokens",
    "PROVIDER_OFFLINE": "wait, or ask it yourself: rolecall probe",
    "QUOTA_EXHAUSTED": "wait, or ask it yourself: rolecall probe",
    "PARAMETER_UNSUPPORTED": "leave the parameter out, or let it be dropped with --allow-drop",
    "QUALITY_TOO_LOW": "lower --min-success, or choose another --strategy",
    "TOO_SLOW": "choose another --strategy: rolecall strategies list",
    "CONTEXT_TOO_SMALL": "shorten the prompt, or lower --max-tokens",
    "POLICY_DENY_REMOTE": "leave out --local-only, or add a local endpoint",
    "POLICY_DENY_ENDPOINT": "rolecall endpoints list",
    "ENDPOINT_DISABLED": "rolecall endpoints list",
    "ROLE_NOT_ALLOWED": "rolecall roles assign --help",
}


def _limits(inputs: DecisionInputs, candidate: Candidate, endpoint: Endpoint) -> list[Exclusion]:
    against = list(exclusions_after_scoring(candidate, inputs.strategy))
    if any(one.code == "BUDGET_EXCEEDED" for one in against):
        return against
    task, strategy, limit = inputs.task, inputs.strategy, inputs.spend_limit
    too_expensive = None
    if limit is not None:
        too_expensive = over_spend_limit(candidate, endpoint, task, strategy, limit)
    elif strategy.max_cost_usd is not None and strategy.budget_mode == "hard":
        most = f"at most {usd(strategy.max_cost_usd)}"
        too_expensive = of_unknown_cost(candidate, endpoint, task, strategy, most)
    return [*against, too_expensive] if too_expensive else against


_Scoring = Callable[[Endpoint, Model], Candidate]


def _scoring(inputs: DecisionInputs, predictions: Mapping[str, Prediction]) -> _Scoring:
    task, strategy, incumbent = inputs.task, inputs.strategy, inputs.incumbent
    uncached = replace(task, cached_tokens=0)

    def score_one(endpoint: Endpoint, model: Model) -> Candidate:
        asked = task if endpoint.id == incumbent else uncached
        seen = inputs.measured.get(endpoint.id)
        return score(endpoint, model, predictions[endpoint.variant], asked, strategy, seen)

    return score_one


def _with_limits(
    inputs: DecisionInputs, score_one: _Scoring, eligible: Eligible
) -> list[Exclusion]:
    """Return what speaks against those who are not eligible, the limits on their figures included.

    Who is kept out for being remote alone is shown with its figures, so that a flip can tell who
    would win.
    """
    endpoints = {endpoint.id: endpoint for endpoint in inputs.endpoints}
    to_score, is_limited = set(eligible.variants), has_limits(inputs.strategy)
    left_out = outside(eligible.excluded)
    excluded: list[Exclusion] = []
    for name, found in _by_endpoint(eligible.excluded).items():
        endpoint, is_remote_alone = endpoints[name], is_only_remote(found)
        is_wanted = endpoint.variant in to_score and name not in left_out
        if not is_wanted or not (is_remote_alone or is_limited):
            excluded += found
            continue
        candidate = score_one(endpoint, inputs.models[endpoint.model])
        if is_remote_alone:
            found = [replace(found[0], weighed=candidate)]
        excluded += [*found, *exclusions_after_scoring(candidate, inputs.strategy)]
    return excluded


def _only_too_low(excluded: Iterable[Exclusion]) -> list[Candidate]:
    """Return the candidates that nothing but their success keeps out."""
    return [
        found[0].weighed
        for found in _by_endpoint(excluded).values()
        if len(found) == 1 and found[0].code == "QUALITY_TOO_LOW" and found[0].weighed is not None
    ]


def _notes(ranked: tuple[Candidate, ...], inputs: DecisionInputs) -> tuple[str, ...]:
    if not ranked:
        return ()
    first, strategy = ranked[0], inputs.strategy
    notes = []
    if is_below_floor(ranked, strategy):
        best = rounded(first.success, 2, "down")
        notes.append(
            f"no endpoint reaches the success of {strategy.min_success:g} that {strategy.id} asks"
            f" for: the best one is taken ({best})"
        )
    most = strategy.max_cost_usd
    if most is not None and first.cost_usd > most:
        cost, limit = usd(first.cost_usd, "up"), usd(most, "down")
        notes.append(f"{first.endpoint} costs {cost}, over the advisory limit of {limit}")
    if _wants_speed(strategy) and all(dict(one.sources)["ttft_s"] == "default" for one in ranked):
        notes.append("speeds unknown, defaults used: rolecall probe")
    endpoint = next(one for one in inputs.endpoints if one.id == first.endpoint)
    doubt = may_not_fit(inputs.task, endpoint, inputs.models[endpoint.model])
    return (*notes, doubt) if doubt is not None else tuple(notes)


def _wants_speed(strategy: Strategy) -> bool:
    """Tell whether speed decides: it is limited, or ten seconds weigh as much as the answer."""
    if strategy.max_ttft_s is not None or strategy.max_duration_s is not None:
        return True
    a_second = max(strategy.ttft_usd_per_s, strategy.itl_usd_per_s)
    return a_second > 0 and 10 * a_second >= strategy.quality_usd
