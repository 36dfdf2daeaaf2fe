"""Which endpoints may not serve a request, with every reason that applies to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rolecall.registry.core.decisions import Candidate, Exclusion
from rolecall.registry.core.entities import Assignment, Endpoint, Model, Role, Strategy
from rolecall.registry.core.formatting import distinct_tokens, seconds, usd
from rolecall.registry.core.requests import Task
from rolecall.registry.policy.strategies import matches
from rolecall.registry.routing.rules.inputs import DecisionInputs, Eligible
from rolecall.registry.routing.rules.requirements import capabilities_of, is_only_attached
from rolecall.registry.routing.rules.tasks import covering_kinds, most_specific
from rolecall.registry.routing.rules.token_estimate import context_needed

NOT_ASSIGNED = "not assigned to"
NOT_SELECTED = "not named by --endpoint"


@dataclass(frozen=True, slots=True)
class _Look:
    """A inputs with what holds for every endpoint worked out once."""

    inputs: DecisionInputs
    task: Task
    strategy: Strategy
    role: Role | None
    assignments: dict[str, Assignment]
    context_needed: int
    wrong_role: str | None
    wrong_task: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """One endpoint under a look, with its model's capabilities and its role's assignment."""

    endpoint: Endpoint
    model: Model
    capabilities: frozenset[str]
    assignment: Assignment | None


def find_eligible(inputs: DecisionInputs) -> Eligible:
    """Filter endpoints by all that is known before scoring.

    Exclusions come in their order and, for each endpoint, in the order of the reason codes.
    """
    look = _look(inputs)
    known: dict[str, frozenset[str]] = {}
    standing: list[tuple[Endpoint, Model]] = []
    excluded: list[Exclusion] = []
    to_score: set[str] = set()
    is_limited = has_limits(inputs.strategy)
    for endpoint in inputs.endpoints:
        model = inputs.models[endpoint.model]
        if model.id not in known:
            known[model.id] = capabilities_of(model)
        seen = _Seen(endpoint, model, known[model.id], look.assignments.get(endpoint.id))
        against = _against(look, seen)
        excluded += against
        if not against:
            standing.append((endpoint, model))
        if not against or is_only_remote(against) or (is_limited and not outside(against)):
            to_score.add(endpoint.variant)
    return Eligible(tuple(standing), tuple(excluded), tuple(sorted(to_score)))


def has_limits(strategy: Strategy) -> bool:
    """Tell whether `strategy` limits what is only known after weighing: cost, success or time."""
    limits = (strategy.min_success, strategy.max_cost_usd, strategy.max_ttft_s)
    return any(limit is not None for limit in (*limits, strategy.max_duration_s))


def exclusions_after_scoring(candidate: Candidate, strategy: Strategy) -> tuple[Exclusion, ...]:
    """Return which of the strategy's limits on cost, success and time `candidate` breaks.

    An advisory budget excludes nobody.
    """
    against: list[tuple[str, str]] = []
    cost, floor = strategy.max_cost_usd, strategy.min_success
    if cost is not None and candidate.cost_usd > cost and strategy.budget_mode == "hard":
        detail = f"costs {usd(candidate.cost_usd)}, at most {usd(cost)}"
        against.append(("BUDGET_EXCEEDED", detail))
    if floor is not None and candidate.success < floor:
        detail = f"success {candidate.success:.2g}, at least {floor:.2g}"
        against.append(("QUALITY_TOO_LOW", detail))
    slow = _slow(candidate, strategy)
    if slow:
        against.append(("TOO_SLOW", "; ".join(slow)))
    return tuple(
        Exclusion(candidate.endpoint, code, detail, weighed=candidate) for code, detail in against
    )


def outside(excluded: Sequence[Exclusion]) -> dict[str, str]:
    """Return the endpoints that nobody asked for, with why: not the role's, or not selected.

    Whatever else speaks against them is of no interest to the person who left them out.
    """
    found: dict[str, str] = {}
    for each in excluded:
        if each.code == "ROLE_NOT_ALLOWED" and each.detail.startswith(NOT_ASSIGNED):
            found.setdefault(each.endpoint, each.detail)
        elif each.code == "POLICY_DENY_ENDPOINT" and NOT_SELECTED in each.detail:
            found.setdefault(each.endpoint, NOT_SELECTED)
    return found


def is_only_remote(against: list[Exclusion]) -> bool:
    """Tell whether nothing but being remote speaks against an endpoint."""
    return len(against) == 1 and against[0].code == "POLICY_DENY_REMOTE"


def _slow(candidate: Candidate, strategy: Strategy) -> list[str]:
    found: list[str] = []
    if strategy.max_ttft_s is not None and candidate.ttft_s > strategy.max_ttft_s:
        found.append(
            f"first token after {seconds(candidate.ttft_s)}, at most {seconds(strategy.max_ttft_s)}"
        )
    if strategy.max_duration_s is not None and candidate.duration_s > strategy.max_duration_s:
        found.append(
            f"takes {seconds(candidate.duration_s)}, at most {seconds(strategy.max_duration_s)}"
        )
    return found


def _look(inputs: DecisionInputs) -> _Look:
    role, task = inputs.role, inputs.task
    return _Look(
        inputs=inputs,
        task=task,
        strategy=inputs.strategy,
        role=role,
        assignments={} if role is None else {each.endpoint: each for each in role.assignments},
        context_needed=context_needed(task),
        wrong_role=_wrong_role(inputs),
        wrong_task=_wrong_task(role, task.kind),
    )


def _wrong_role(inputs: DecisionInputs) -> str | None:
    for row in covering_kinds(inputs.kinds, inputs.task.kind):
        if row.roles and (inputs.role is None or inputs.role.id not in row.roles):
            return f"{row.id} is only for {', '.join(row.roles)}"
    return None


def _wrong_task(role: Role | None, kind: str) -> str | None:
    if role is None or not role.tasks or most_specific(role.tasks, kind) is not None:
        return None
    return f"{role.id} does not take {kind}"


def _against(look: _Look, seen: _Seen) -> list[Exclusion]:
    found: list[Exclusion] = []
    for code, check in _CHECKS:
        detail = check(look, seen)
        if detail is not None:
            found.append(Exclusion(seen.endpoint.id, code, detail))
    return found


def _capability_missing(look: _Look, seen: _Seen) -> str | None:
    missing = [
        f"{capability} ({why})"
        for capability, why in look.task.needs
        if capability not in seen.capabilities
        and not (capability == "tools" and look.task.uses_tools and is_only_attached(why))
    ]
    return f"lacks {', '.join(missing)}" if missing else None


def _forbidden(look: _Look, seen: _Seen) -> str | None:
    if look.role is None:
        return None
    present = [name for name in look.role.forbid if name in seen.capabilities]
    return f"has {', '.join(present)}, which {look.role.id} forbids" if present else None


def _modality(look: _Look, seen: _Seen) -> str | None:
    missing = [name for name in look.task.modalities if name not in seen.model.modalities]
    untaken = look.inputs.untaken.get(seen.endpoint.api, frozenset())
    lost = [name for name in look.task.modalities if name in untaken and name not in missing]
    said = [f"takes no {', '.join(missing)}"] if missing else []
    said += [f"its API takes no {', '.join(lost)}"] if lost else []
    return "; ".join(said) or None


def _context(look: _Look, seen: _Seen) -> str | None:
    endpoint, model, asked = seen.endpoint, seen.model, look.task.max_tokens
    held = model.context_tokens if endpoint.context_tokens is None else endpoint.context_tokens
    found: list[str] = []
    if held is not None and look.context_needed > held:
        needed, takes = distinct_tokens(look.context_needed, held)
        found.append(f"needs {needed} tokens, takes {takes}")
    most = max_output_tokens(endpoint, model)
    if asked is not None and most is not None and asked > most:
        wanted, gives = distinct_tokens(asked, most)
        found.append(f"asks for {wanted} output tokens, gives {gives}")
    return "; ".join(found) or None


def max_output_tokens(endpoint: Endpoint, model: Model) -> int | None:
    """Return the longest answer an endpoint gives, its own limit before its model's."""
    if endpoint.max_output_tokens is not None:
        return endpoint.max_output_tokens
    return model.max_output_tokens


def _tools(look: _Look, seen: _Seen) -> str | None:
    if look.task.uses_tools and "tools" not in seen.capabilities:
        return "tools are attached"
    return None


def _parameter(look: _Look, seen: _Seen) -> str | None:
    if look.inputs.allow_drop or not look.task.parameters:
        return None
    refused = [
        name
        for name in look.task.parameters
        if name in seen.endpoint.unsupported_parameters and not is_left_out(name, seen.capabilities)
    ]
    ignored = look.inputs.uncarried.get(seen.endpoint.api, frozenset())
    lost = [name for name in look.task.parameters if name in ignored and name not in refused]
    said = [f"refuses {', '.join(refused)}"] if refused else []
    said += [f"its API has no {', '.join(lost)}"] if lost else []
    return "; ".join(said) or None


def is_left_out(parameter: str, capabilities: frozenset[str]) -> bool:
    """Tell whether a parameter is left out, and said so, rather than a reason against a model.

    Reasoning models refuse a temperature; whoever sets one still wants their answers.
    """
    return parameter == "temperature" and "reasoning" in capabilities


def _role(look: _Look, seen: _Seen) -> str | None:
    # Naming an endpoint forces it past its role's list, past nothing else.
    if look.assignments and seen.assignment is None and not look.inputs.selection:
        assert look.role is not None
        return f"{NOT_ASSIGNED} {look.role.id}"
    return look.wrong_role


def _task(look: _Look, _seen: _Seen) -> str | None:
    return look.wrong_task


def _binding_inactive(_look: _Look, seen: _Seen) -> str | None:
    return _binding_status(seen, "inactive")


def _binding_disabled(_look: _Look, seen: _Seen) -> str | None:
    return _binding_status(seen, "disabled")


def _binding_status(seen: _Seen, status: str) -> str | None:
    if seen.assignment is not None and seen.assignment.status == status:
        return f"its assignment is {status}"
    return None


def _binding_task(look: _Look, seen: _Seen) -> str | None:
    allowed = seen.assignment.tasks if seen.assignment is not None else ()
    if not allowed or most_specific(allowed, look.task.kind) is not None:
        return None
    return f"assigned only for {', '.join(allowed)}"


def _binding_capability(look: _Look, seen: _Seen) -> str | None:
    granted = seen.assignment.capabilities if seen.assignment is not None else ()
    if not granted:
        return None
    met = capabilities_of(Model("", capabilities=granted, modalities=()))
    missing = [capability for capability, _ in look.task.needs if capability not in met]
    return f"its assignment does not grant {', '.join(missing)}" if missing else None


def _denied(look: _Look, seen: _Seen) -> str | None:
    endpoint, strategy = seen.endpoint.id, look.strategy
    found: list[str] = []
    if look.inputs.selection and not matches(endpoint, look.inputs.selection):
        found.append(NOT_SELECTED)
    if strategy.allow and not matches(endpoint, strategy.allow):
        found.append(f"{strategy.id} allows only {', '.join(strategy.allow)}")
    denying = [glob for glob in strategy.deny if matches(endpoint, (glob,))]
    if denying:
        found.append(f"{strategy.id} denies {', '.join(denying)}")
    return "; ".join(found) or None


def _remote(look: _Look, seen: _Seen) -> str | None:
    if look.strategy.local_only and seen.endpoint.locality != "local":
        return "only local is allowed"
    return None


def _region(look: _Look, seen: _Seen) -> str | None:
    allowed, endpoint = look.strategy.regions, seen.endpoint
    if not allowed or endpoint.locality == "local" or endpoint.region in allowed:
        return None
    where = "its region is unknown" if endpoint.region is None else f"in {endpoint.region}"
    return f"{where}, allowed: {', '.join(allowed)}"


def _data_policy(look: _Look, seen: _Seen) -> str | None:
    wanted, given = look.strategy.data_policy, seen.endpoint.data_policy
    if wanted is None or seen.endpoint.locality == "local":
        return None
    found: list[str] = []
    if wanted.trains_on_data is False and given.trains_on_data is not False:
        unknown = given.trains_on_data is None
        found.append("may train on data" if unknown else "trains on data")
    most = wanted.retention_days
    if most is not None and given.retention_days is None:
        found.append(f"keeps data for an unknown time, at most {most} days")
    elif most is not None and given.retention_days is not None and given.retention_days > most:
        found.append(f"keeps data {given.retention_days} days, at most {most}")
    return "; ".join(found) or None


def _auth(look: _Look, seen: _Seen) -> str | None:
    key = seen.endpoint.key_env
    if not key or seen.endpoint.key_command or key in look.inputs.available_env:
        return None
    return f"{key} is not set"


def _quota(look: _Look, seen: _Seen) -> str | None:
    return look.inputs.exhausted.get(seen.endpoint.id)


def _offline(look: _Look, seen: _Seen) -> str | None:
    if seen.endpoint.id in look.inputs.offline:
        return look.inputs.offline[seen.endpoint.id]
    profile = seen.endpoint.profile
    if profile is not None and profile.failure_rate is not None and profile.failure_rate >= 1:
        return f"every call fails ({profile.source})"
    return None


def _disabled(_look: _Look, seen: _Seen) -> str | None:
    return "is disabled" if seen.endpoint.status == "disabled" else None


_CHECKS: tuple[tuple[str, Callable[[_Look, _Seen], str | None]], ...] = (
    ("CAPABILITY_MISSING", _capability_missing),
    ("FORBIDDEN_CAPABILITY_PRESENT", _forbidden),
    ("MODALITY_UNSUPPORTED", _modality),
    ("CONTEXT_TOO_SMALL", _context),
    ("TOOLS_UNSUPPORTED", _tools),
    ("PARAMETER_UNSUPPORTED", _parameter),
    ("ROLE_NOT_ALLOWED", _role),
    ("TASK_NOT_SUPPORTED_BY_ROLE", _task),
    ("ROLE_BINDING_INACTIVE", _binding_inactive),
    ("ROLE_BINDING_DISABLED", _binding_disabled),
    ("ROLE_BINDING_TASK_NOT_ALLOWED", _binding_task),
    ("ROLE_BINDING_CAPABILITY_MISSING", _binding_capability),
    ("POLICY_DENY_ENDPOINT", _denied),
    ("POLICY_DENY_REMOTE", _remote),
    ("REGION_DISALLOWED", _region),
    ("DATA_POLICY", _data_policy),
    ("AUTH_UNAVAILABLE", _auth),
    ("QUOTA_EXHAUSTED", _quota),
    ("PROVIDER_OFFLINE", _offline),
    ("ENDPOINT_DISABLED", _disabled),
)
