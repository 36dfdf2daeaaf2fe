"""Which endpoints are not eligible for a request, with every reason that applies to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rolecall.registry.core.credentials import holds_no_key
from rolecall.registry.core.decisions import PRICE_UNKNOWN, Candidate, Exclusion
from rolecall.registry.core.entities import Assignment, Endpoint, Model, Role, Strategy
from rolecall.registry.core.formatting import distinct_tokens, rounded, seconds, usd
from rolecall.registry.core.requests import Task
from rolecall.registry.core.text_models import made_instead
from rolecall.registry.policy.strategies import matches
from rolecall.registry.routing.rules.inputs import NO_GAPS, DecisionInputs, Eligible
from rolecall.registry.routing.rules.tasks import covering_kinds, most_specific
from rolecall.registry.routing.rules.token_estimate import context_needed, most_input_tokens

NOT_SET = "is not set"

MOST_NAMED = 20  # of what stands in the way; all of it is in the registry


class _Look(NamedTuple):
    """What holds for every endpoint, worked out once."""

    inputs: DecisionInputs
    task: Task
    strategy: Strategy
    role: Role | None
    assignments: dict[str, Assignment]
    wrong_role: str | None
    wrong_task: str | None


class _Seen(NamedTuple):
    """One endpoint with its model, its role's assignment, and what speaks `against` it."""

    endpoint: Endpoint
    model: Model
    assignment: Assignment | None
    against: list[Exclusion]

    @property
    def capabilities(self) -> frozenset[str]:
        return capabilities_of(self.model)

    def exclude(self, code: str, detail: str, *, is_outside: bool = False) -> None:
        self.against.append(Exclusion(self.endpoint.id, code, detail, is_outside=is_outside))


_Rule = Callable[[_Look, _Seen], None]


def find_eligible(inputs: DecisionInputs) -> Eligible:
    """Filter endpoints by all that is known before scoring.

    Exclusions come in the order of the endpoints and, for each, in that of the reason codes.
    """
    look = _look(inputs)
    rules = _rules(look)
    is_limited = has_limits(inputs.strategy)
    able: list[tuple[Endpoint, Model]] = []
    excluded: list[Exclusion] = []
    to_score: set[str] = set()
    for endpoint in inputs.endpoints:
        model = inputs.models[endpoint.model]
        against: list[Exclusion] = []
        seen = _Seen(endpoint, model, look.assignments.get(endpoint.id), against)
        for rule in rules:
            rule(look, seen)
        excluded += against
        if not against:
            able.append((endpoint, model))
        if not against or is_only_remote(against) or (is_limited and not outside(against)):
            to_score.add(endpoint.variant)
    return Eligible(tuple(able), tuple(excluded), tuple(sorted(to_score)))


def capabilities_of(model: Model) -> frozenset[str]:
    """Return every capability name that `model` meets.

    A need is met by a capability of that name or by a more specific one: `tools.parallel` also
    meets `tools`, while `code` does not meet `code.edit`. The modality `image` is `vision`.
    """
    return _met(model.capabilities, model.modalities)


@lru_cache(maxsize=4096)
def _met(capabilities: tuple[str, ...], modalities: tuple[str, ...]) -> frozenset[str]:
    met = {"vision"} if "image" in modalities else set()
    for capability in capabilities:
        met.add(capability)
        while "." in capability:
            capability = capability.rpartition(".")[0]
            met.add(capability)
    return frozenset(met)


def made_by(endpoint: Endpoint, model: Model) -> str | None:
    """Return what an endpoint makes instead of text, by its names; null where it may well chat."""
    return made_instead((model.id, model.family or "", endpoint.remote_model), model.capabilities)


def max_output_tokens(endpoint: Endpoint, model: Model) -> int | None:
    """Return the longest answer an endpoint gives, its own limit before its model's."""
    if endpoint.max_output_tokens is not None:
        return endpoint.max_output_tokens
    return model.max_output_tokens


def has_limits(strategy: Strategy) -> bool:
    """Tell whether `strategy` limits what is only known after scoring: cost, success or time."""
    limits = (strategy.min_success, strategy.max_cost_usd, strategy.max_ttft_s)
    return any(limit is not None for limit in (*limits, strategy.max_duration_s))


def exclusions_after_scoring(candidate: Candidate, strategy: Strategy) -> tuple[Exclusion, ...]:
    """Return which of the strategy's limits on cost, success and time `candidate` breaks.

    An advisory budget excludes nobody. Figures are rounded apart from the limits that they break.
    What an unpriced endpoint may cost is known to nobody: no limit on cost lets it in.
    """
    against: list[tuple[str, str]] = []
    floor = strategy.min_success
    cost = strategy.max_cost_usd if strategy.budget_mode == "hard" else None
    if cost is not None and (candidate.is_unpriced or candidate.cost_usd > cost):
        paid = f"costs {usd(candidate.cost_usd, 'up')}"
        detail = f"{PRICE_UNKNOWN if candidate.is_unpriced else paid}, at most {usd(cost, 'down')}"
        against.append(("BUDGET_EXCEEDED", detail))
    if floor is not None and candidate.success < floor:
        detail = f"success {rounded(candidate.success, 2, 'down')}, at least {floor:g}"
        against.append(("QUALITY_TOO_LOW", detail))
    slow = [
        f"{what} {seconds(taken, 'up')}, at most {seconds(most, 'down')}"
        for what, taken, most in (
            ("first token after", candidate.ttft_s, strategy.max_ttft_s),
            ("takes", candidate.duration_s, strategy.max_duration_s),
        )
        if most is not None and taken > most
    ]
    if slow:
        against.append(("TOO_SLOW", "; ".join(slow)))
    weighed = None if cost is not None and candidate.is_unpriced else candidate
    return tuple(
        Exclusion(candidate.endpoint, code, detail, weighed=weighed) for code, detail in against
    )


def outside(excluded: Sequence[Exclusion]) -> dict[str, str]:
    """Return the endpoints that nobody asked for, with why: not the role's, or not selected.

    Whatever else speaks against them is of no interest to the person who left them out.
    """
    found: dict[str, str] = {}
    for each in excluded:
        if each.is_outside:
            found.setdefault(each.endpoint, each.detail)
    return found


def is_only_remote(against: Sequence[Exclusion]) -> bool:
    """Tell whether nothing but being remote speaks against an endpoint."""
    return len(against) == 1 and against[0].code == "POLICY_DENY_REMOTE"


def _look(inputs: DecisionInputs) -> _Look:
    role, task = inputs.role, inputs.task
    wrong_role = wrong_task = None
    for row in covering_kinds(inputs.kinds, task.kind):
        if row.roles and (role is None or role.id not in row.roles):
            wrong_role = f"{row.id} is only for {_listed(row.roles)}"
            break
    if role is not None and role.tasks and most_specific(role.tasks, task.kind) is None:
        wrong_task = f"{role.id} does not take {task.kind}"
    assignments = {} if role is None else {each.endpoint: each for each in role.assignments}
    return _Look(inputs, task, inputs.strategy, role, assignments, wrong_role, wrong_task)


def _rules(look: _Look) -> list[_Rule]:
    """Return what can speak against an endpoint, in the order of the codes.

    A rule that no endpoint can break, such as the role's where it names no endpoint, is left out.
    """
    task, role, strategy = look.task, look.role, look.strategy
    has_role = bool(look.assignments or look.wrong_role or look.wrong_task)
    has_policy = bool(
        look.inputs.selection
        or (strategy.allow or strategy.deny or strategy.local_only)
        or (strategy.regions or strategy.data_policy)
    )
    found: list[_Rule] = []
    found += [_by_capability] if task.needs or (role is not None and role.forbid) else []
    found += [_by_form]
    found += [_by_options] if task.uses_tools or task.parameters else []
    found += [_by_role] if has_role else []
    found += [_by_policy] if has_policy else []
    return [*found, _by_state]


def _by_capability(look: _Look, seen: _Seen) -> None:
    task, held = look.task, seen.capabilities
    # Tools that are merely attached have a code of their own.
    passed = "tools" if task.uses_tools and not task.tools_required else None
    missing = [f"{one} ({why})" for one, why in task.needs if one not in held and one != passed]
    if missing:
        seen.exclude("CAPABILITY_MISSING", f"lacks {_listed(missing)}")
    present = [] if look.role is None else [name for name in look.role.forbid if name in held]
    if present:
        assert look.role is not None
        detail = f"has {_listed(present)}, which {look.role.id} forbids"
        seen.exclude("FORBIDDEN_CAPABILITY_PRESENT", detail)


def _by_form(look: _Look, seen: _Seen) -> None:
    task = look.task
    lossy = look.inputs.api_gaps.get(seen.endpoint.api, NO_GAPS).modalities
    untaken = [name for name in task.modalities if name not in seen.model.modalities]
    lost = [n for n in task.modalities if n in lossy and n not in untaken] if lossy else []
    forms = list(look.inputs.untaken_forms.get(seen.endpoint.id, ()))
    made = made_by(seen.endpoint, seen.model)
    if made is not None:
        seen.exclude("MODALITY_UNSUPPORTED", f"makes {made}, no text")
    elif untaken or lost or forms:
        detail = _joined("takes no ", untaken + forms, "its API takes no ", lost)
        seen.exclude("MODALITY_UNSUPPORTED", detail)
    too_small = _too_small(look, seen)
    if too_small:
        seen.exclude("CONTEXT_TOO_SMALL", "; ".join(too_small))


def _by_options(look: _Look, seen: _Seen) -> None:
    task, held = look.task, seen.capabilities
    if task.uses_tools and "tools" not in held:
        seen.exclude("TOOLS_UNSUPPORTED", "tools are attached")
    if task.parameters and not look.inputs.allow_drop:
        # Reasoning models refuse a temperature: it is left out, with a note, so they stay eligible.
        passed = "temperature" if "reasoning" in held else None
        unsupported = frozenset(seen.endpoint.unsupported_parameters)
        gaps = look.inputs.api_gaps.get(seen.endpoint.api, NO_GAPS)
        refused = [n for n in task.parameters if n in unsupported and n != passed]
        lost = [n for n in task.parameters if n in gaps.parameters and n not in refused]
        if refused or lost:
            detail = _joined("refuses ", refused, "its API has no ", lost)
            seen.exclude("PARAMETER_UNSUPPORTED", detail)


def _joined(first: str, names: list[str], second: str, others: list[str]) -> str:
    said = ((first, names), (second, others))
    return "; ".join(start + _listed(found) for start, found in said if found)


def _listed(names: Sequence[str]) -> str:
    """Return the names as a person can read them: of thousands only the first."""
    more = len(names) - MOST_NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return ", ".join(names[:MOST_NAMED]) + rest


def _too_small(look: _Look, seen: _Seen) -> list[str]:
    endpoint, model, asked = seen.endpoint, seen.model, look.task.max_tokens
    expected = look.task.input_tokens
    is_text_alone = look.task.modalities == ("text",)
    if is_text_alone and (endpoint.locality == "local" or endpoint.api == "ollama"):
        # Such servers may cut off what does not fit, and not say so.
        expected = max(most_input_tokens(look.task, endpoint) or 0, expected)
    found = _over_window(look.task, expected, endpoint, model)
    most = max_output_tokens(endpoint, model)
    if asked is not None and most is not None and asked > most:
        wanted, gives = distinct_tokens(asked, most)
        found.append(f"asks for {wanted} output tokens, gives {gives}")
    return found


def _over_window(task: Task, input_tokens: int, endpoint: Endpoint, model: Model) -> list[str]:
    """Return which limits on its input an endpoint would break with so many tokens."""
    held = model.context_tokens if endpoint.context_tokens is None else endpoint.context_tokens
    needed, most_input = context_needed(task, input_tokens), model.max_input_tokens
    found: list[str] = []
    if held is not None and needed > held:
        said, takes = distinct_tokens(needed, held)
        found.append(f"needs {said} tokens, takes {takes}")
    if most_input is not None and input_tokens > most_input:
        said, takes = distinct_tokens(input_tokens, most_input)
        found.append(f"is {said} tokens of input, takes {takes}")
    return found


def may_not_fit(task: Task, endpoint: Endpoint, model: Model) -> str | None:
    """Say that an endpoint may not hold an input that is expected to fit, where that is so."""
    most = most_input_tokens(task, endpoint)
    if most is None:
        return f"the size of an attachment is unknown: {endpoint.id} may not hold it"
    over = _over_window(task, most, endpoint, model)
    return f"{endpoint.id} may not hold the prompt: at most it {'; '.join(over)}" if over else None


def _by_role(look: _Look, seen: _Seen) -> None:
    assignment = seen.assignment
    # Naming an endpoint forces it past its role's list, past nothing else.
    if look.role is not None and look.assignments and not (assignment or look.inputs.selection):
        detail = f"not assigned to {look.role.id}"
        seen.exclude("ROLE_NOT_ALLOWED", detail, is_outside=True)
    elif look.wrong_role is not None:
        seen.exclude("ROLE_NOT_ALLOWED", look.wrong_role)
    if look.wrong_task is not None:
        seen.exclude("TASK_NOT_SUPPORTED_BY_ROLE", look.wrong_task)
    if assignment is None:
        return
    if assignment.status != "active":
        code = f"ROLE_BINDING_{assignment.status.upper()}"
        seen.exclude(code, f"its assignment is {assignment.status}")
    if assignment.tasks and most_specific(assignment.tasks, look.task.kind) is None:
        detail = f"assigned only for {_listed(assignment.tasks)}"
        seen.exclude("ROLE_BINDING_TASK_NOT_ALLOWED", detail)
    if assignment.capabilities:
        met = _met(assignment.capabilities, ())
        missing = [capability for capability, _ in look.task.needs if capability not in met]
        if missing:
            detail = f"its assignment does not grant {_listed(missing)}"
            seen.exclude("ROLE_BINDING_CAPABILITY_MISSING", detail)


def _by_policy(look: _Look, seen: _Seen) -> None:
    endpoint, strategy, selection = seen.endpoint, look.strategy, look.inputs.selection
    if selection and not matches(endpoint.id, selection):
        seen.exclude("POLICY_DENY_ENDPOINT", "not named by --endpoint", is_outside=True)
    for code, detail in against_policy(endpoint, strategy):
        seen.exclude(code, detail)


def against_policy(endpoint: Endpoint, strategy: Strategy) -> Iterator[tuple[str, str]]:
    """Yield why a strategy lets no prompt go to an endpoint: a code, and the reason in words."""
    denying = [glob for glob in strategy.deny if matches(endpoint.id, (glob,))]
    refused = strategy.allow and not matches(endpoint.id, strategy.allow)
    if denying or refused:
        allowed = strategy.allow if refused else ()
        only, denies = f"{strategy.id} allows only ", f"{strategy.id} denies "
        yield "POLICY_DENY_ENDPOINT", _joined(only, list(allowed), denies, denying)
    if endpoint.is_local:
        return
    if strategy.local_only:
        stated = ", and its address is not" if endpoint.locality == "local" else ""
        yield "POLICY_DENY_REMOTE", f"only local is allowed{stated}"
    if strategy.regions and endpoint.region not in strategy.regions:
        where = "its region is unknown" if endpoint.region is None else f"in {endpoint.region}"
        yield "REGION_DISALLOWED", f"{where}, allowed: {_listed(strategy.regions)}"
    breaches = _breaches(strategy, endpoint)
    if breaches:
        yield "DATA_POLICY", "; ".join(breaches)


def _breaches(strategy: Strategy, endpoint: Endpoint) -> list[str]:
    """Return what the endpoint does with prompts that the strategy's data policy forbids."""
    wanted, given = strategy.data_policy, endpoint.data_policy
    if wanted is None:
        return []
    found: list[str] = []
    if wanted.trains_on_data is False and given.trains_on_data is not False:
        unknown = given.trains_on_data is None
        found.append("may train on data" if unknown else "trains on data")
    most = wanted.retention_days
    if most is not None and given.retention_days is None:
        found.append(f"keeps data for an unknown time, at most {most} days")
    elif most is not None and given.retention_days is not None and given.retention_days > most:
        found.append(f"keeps data {given.retention_days} days, at most {most}")
    return found


def _by_state(look: _Look, seen: _Seen) -> None:
    endpoint, inputs, profile = seen.endpoint, look.inputs, seen.endpoint.profile
    key = endpoint.key_env
    if key and holds_no_key(key):
        seen.exclude("AUTH_UNAVAILABLE", f"{key} holds no key")
    elif key and not endpoint.key_command and key not in inputs.available_env:
        seen.exclude("AUTH_UNAVAILABLE", f"{key} {NOT_SET}")
    elif endpoint.id in inputs.refused:
        seen.exclude("AUTH_UNAVAILABLE", inputs.refused[endpoint.id])
    if endpoint.id in inputs.exhausted:
        seen.exclude("QUOTA_EXHAUSTED", inputs.exhausted[endpoint.id])
    if endpoint.id in inputs.offline:
        seen.exclude("PROVIDER_OFFLINE", inputs.offline[endpoint.id])
    elif profile is not None and profile.failure_rate is not None and profile.failure_rate >= 1:
        seen.exclude("PROVIDER_OFFLINE", f"every call fails ({profile.source})")
    if endpoint.status == "disabled":
        seen.exclude("ENDPOINT_DISABLED", "is disabled")
