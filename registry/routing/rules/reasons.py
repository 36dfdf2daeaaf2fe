"""Why the chosen endpoint won, as selection codes."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.registry.core.decisions import Candidate, Exclusion
from rolecall.registry.core.entities import Strategy
from rolecall.registry.routing.rules.eligibility import capabilities_of
from rolecall.registry.routing.rules.inputs import DecisionInputs
from rolecall.registry.routing.rules.ranking import is_below_floor, near_ties, tie_key
from rolecall.registry.routing.rules.tasks import covering_kinds

_INCUMBENT, _LOCALITY, _PREFERRED = 0, 1, 2
_PROFILE_CODES = {
    "measured": "MEASURED_PROFILE_USED",
    "declared": "DECLARED_PROFILE_USED",
    "default": "DEFAULT_PROFILE_USED",
}
_ROLE_CODES = {
    "ROLE_NOT_ALLOWED",
    "FORBIDDEN_CAPABILITY_PRESENT",
    "ROLE_BINDING_INACTIVE",
    "ROLE_BINDING_DISABLED",
    "ROLE_BINDING_CAPABILITY_MISSING",
}
_TASK_CODES = {"TASK_NOT_SUPPORTED_BY_ROLE", "ROLE_BINDING_TASK_NOT_ALLOWED"}


def reasons(
    ranked: tuple[Candidate, ...], excluded: Sequence[Exclusion], inputs: DecisionInputs
) -> tuple[str, ...]:
    """Return the selection codes of the first of `ranked`, the weightiest first.

    A profile code tells where its first token, inter-token latency and failure rate come from;
    several may apply. A policy code appears only where the policy changed something.
    """
    if not ranked:
        return ()
    chosen, strategy = ranked[0], inputs.strategy
    is_by_success = is_below_floor(ranked, strategy)
    near = ranked[:1] if is_by_success else near_ties(ranked, strategy)
    decided_by = _decided_by(near, strategy, inputs.incumbent)
    codes: list[str] = []
    if not is_by_success and chosen.value_usd == max(each.value_usd for each in ranked):
        codes.append("BEST_TOTAL_SCORE")
    if len(near) > 1:
        codes.append("TIE_BREAK_APPLIED")
    if decided_by == _INCUMBENT:
        codes.append("CONTINUITY_AFFINITY_APPLIED")
    if decided_by == _LOCALITY and strategy.prefer_locality == "local":
        codes.append("LOCAL_PREFERENCE_APPLIED")
    codes += _policies(ranked, excluded, inputs, decided_by)
    codes += _profiles(chosen)
    codes += _targets(ranked, strategy)
    if len(ranked) > 1:
        codes.append("FALLBACK_CHAIN_COMPUTED")
    return tuple(codes)


def _decided_by(
    near: tuple[Candidate, ...], strategy: Strategy, incumbent: str | None
) -> int | None:
    """Return which part of the tie key set the first of `near` apart from all others."""
    if len(near) < 2:
        return None
    first = tie_key(near[0], strategy, incumbent)
    second = min(tie_key(each, strategy, incumbent) for each in near[1:])
    return next(place for place, part in enumerate(first) if part != second[place])


def _policies(
    ranked: tuple[Candidate, ...],
    excluded: Sequence[Exclusion],
    inputs: DecisionInputs,
    decided_by: int | None,
) -> list[str]:
    chosen, role = ranked[0], inputs.role
    turned_by = inputs.task.worth_source if _worth_turned_it(ranked, inputs) else ""
    rows = covering_kinds(inputs.kinds, inputs.task.kind)
    required = {capability for row in rows for capability in row.require}
    preferred = {capability for row in rows for capability in row.prefer}
    codes: list[str] = []
    if role is not None and (
        _mattered(excluded, inputs, set(role.require), _ROLE_CODES)
        or _preference_won(chosen, inputs, set(role.prefer), decided_by)
        or turned_by.startswith("role ")
    ):
        codes.append("ROLE_POLICY_APPLIED")
    if (
        _mattered(excluded, inputs, required, _TASK_CODES)
        or _preference_won(chosen, inputs, preferred, decided_by)
        or turned_by.startswith("task ")
    ):
        codes.append("TASK_POLICY_APPLIED")
    return codes


def _mattered(
    excluded: Sequence[Exclusion], inputs: DecisionInputs, required: set[str], codes: set[str]
) -> bool:
    """Tell whether a policy's codes, or a capability it requires, kept anything out."""
    if any(each.code in codes for each in excluded):
        return True
    lacking = {each.endpoint for each in excluded if each.code == "CAPABILITY_MISSING"}
    return bool(lacking) and any(
        endpoint.id in lacking and not required <= capabilities_of(inputs.models[endpoint.model])
        for endpoint in inputs.endpoints
    )


def _preference_won(
    chosen: Candidate, inputs: DecisionInputs, preferred: set[str], decided_by: int | None
) -> bool:
    if decided_by != _PREFERRED:
        return False
    return not preferred.isdisjoint(capabilities_of(inputs.models[chosen.model]))


def _worth_turned_it(ranked: tuple[Candidate, ...], inputs: DecisionInputs) -> bool:
    """Tell whether another would be chosen were the worth 1."""
    strategy = inputs.strategy
    added = (inputs.task.worth - 1.0) * strategy.quality_usd
    if added == 0 or is_below_floor(ranked, strategy):
        return False
    plain = [(each.value_usd - added * each.success, each) for each in ranked]
    floor = max(value for value, _ in plain) - strategy.tie_band_usd
    near = [each for value, each in plain if value >= floor]
    then = min(near, key=lambda each: tie_key(each, strategy, inputs.incumbent))
    return then.endpoint != ranked[0].endpoint


def _profiles(chosen: Candidate) -> list[str]:
    sources = dict(chosen.sources)
    used = {sources[name] for name in ("ttft_s", "itl_s", "failure_rate")}
    codes = [code for source, code in _PROFILE_CODES.items() if source in used]
    if chosen.cached_tokens:
        codes.append("CACHE_AFFINITY_APPLIED")
    return codes


def _targets(ranked: tuple[Candidate, ...], strategy: Strategy) -> list[str]:
    chosen = ranked[0]
    codes: list[str] = []
    if strategy.quality_usd == 0 or any(
        each.success > chosen.success and each.cost_usd > chosen.cost_usd for each in ranked
    ):
        codes.append("BUDGET_OPTIMIZATION")
    # A ranked candidate has met every limit that is set, but for the floor under `else`.
    if strategy.max_ttft_s is not None or strategy.max_duration_s is not None:
        codes.append("LOW_LATENCY_TARGET_MET")
    if strategy.min_success is not None and chosen.success >= strategy.min_success:
        codes.append("HIGH_QUALITY_TARGET_MET")
    return codes
