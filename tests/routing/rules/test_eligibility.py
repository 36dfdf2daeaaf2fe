from dataclasses import replace

import pytest

from rolecall.registry.core.decisions import Exclusion
from rolecall.registry.core.entities import (
    Assignment,
    DataPolicy,
    Endpoint,
    Model,
    Profile,
    Role,
    Strategy,
    TaskKind,
)
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.eligibility import (
    capabilities_of,
    exclusions_after_scoring,
    find_eligible,
    outside,
)
from rolecall.registry.routing.rules.inputs import ApiGaps, DecisionInputs
from tests.routing.rules.candidates import candidate

TASK = Task("code.edit", "detected", 0.9, "x", input_tokens=1_000)
MODEL = Model("m", capabilities=("tools", "reasoning"))
ENDPOINT = Endpoint("p/m", "m")
PLAIN = Strategy("plain")
CODER = Role("coder", tasks=("code",))


def ask(
    *,
    task: Task = TASK,
    model: Model = MODEL,
    endpoint: Endpoint = ENDPOINT,
    strategy: Strategy = PLAIN,
    role: Role | None = None,
) -> DecisionInputs:
    return DecisionInputs((endpoint,), {"m": model}, task, strategy, role)


def against(inputs: DecisionInputs) -> list[tuple[str, str]]:
    return [(each.code, each.detail) for each in find_eligible(inputs).excluded]


def test_nothing_speaks_against_a_plain_endpoint() -> None:
    found = find_eligible(ask())
    assert (found.endpoints, found.excluded, found.variants) == (((ENDPOINT, MODEL),), (), ("m",))


def test_missing_capabilities_are_all_named_with_why() -> None:
    needs = (("vision", "asked for"), ("tools", "asked for"), ("code", "coder requires it"))
    assert against(ask(task=replace(TASK, needs=needs))) == [
        ("CAPABILITY_MISSING", "lacks vision (asked for), code (coder requires it)")
    ]


def test_a_forbidden_capability_excludes() -> None:
    role = Role("plainly", forbid=("reasoning", "vision"))
    assert against(ask(role=role)) == [
        ("FORBIDDEN_CAPABILITY_PRESENT", "has reasoning, which plainly forbids")
    ]


def test_a_modality_that_a_model_does_not_take_excludes() -> None:
    task = replace(TASK, modalities=("text", "image", "pdf"))
    model = replace(MODEL, modalities=("text", "pdf"))
    assert against(ask(task=task, model=model)) == [("MODALITY_UNSUPPORTED", "takes no image")]


def test_a_modality_that_an_api_has_no_place_for_excludes_whatever_may_be_dropped() -> None:
    task = replace(TASK, modalities=("text", "audio", "pdf"))
    model = replace(MODEL, modalities=("text", "pdf"))
    asked = ask(task=task, model=model, endpoint=replace(ENDPOINT, api="ollama"))
    gaps = ApiGaps(frozenset(), frozenset({"audio", "pdf"}))
    asked = replace(asked, api_gaps={"ollama": gaps}, allow_drop=True)
    said = "takes no audio; its API takes no pdf"
    assert against(asked) == [("MODALITY_UNSUPPORTED", said)]
    elsewhere = replace(asked, endpoints=(replace(ENDPOINT, api="openai"),))
    assert against(elsewhere) == [("MODALITY_UNSUPPORTED", "takes no audio")]


def test_tools_of_the_request_alone_have_a_code_of_their_own() -> None:
    model = Model("m")
    attached = replace(TASK, uses_tools=True, needs=(("tools", "1 tool attached"),))
    assert against(ask(task=attached, model=model)) == [("TOOLS_UNSUPPORTED", "tools are attached")]
    required = replace(attached, tools_required=True)
    assert [code for code, _ in against(ask(task=required, model=model))] == [
        "CAPABILITY_MISSING",
        "TOOLS_UNSUPPORTED",
    ]


def test_a_refused_parameter_excludes() -> None:
    task = replace(TASK, parameters=("temperature", "seed"))
    endpoint = replace(ENDPOINT, unsupported_parameters=("seed", "logprobs"))
    assert against(ask(task=task, endpoint=endpoint)) == [("PARAMETER_UNSUPPORTED", "refuses seed")]


def test_a_role_with_assignments_admits_only_those_even_if_none_is_active() -> None:
    role = replace(CODER, assignments=(Assignment("other", status="inactive"),))
    assert against(ask(role=role)) == [("ROLE_NOT_ALLOWED", "not assigned to coder")]


def test_naming_an_endpoint_waives_its_assignment_and_nothing_else() -> None:
    role = replace(CODER, tasks=("math",), assignments=(Assignment("other"),))
    inputs = replace(ask(role=role), selection=("p/*",))
    assert against(inputs) == [("TASK_NOT_SUPPORTED_BY_ROLE", "coder does not take code.edit")]
    inactive = replace(CODER, assignments=(Assignment("p/m", status="inactive"),))
    assert against(replace(ask(role=inactive), selection=("p/*",))) == [
        ("ROLE_BINDING_INACTIVE", "its assignment is inactive")
    ]


def test_only_what_nobody_asked_for_is_outside() -> None:
    role = replace(CODER, assignments=(Assignment("other"),))
    denying = Strategy("s", deny=("p/*",))
    found = find_eligible(ask(role=role, strategy=denying)).excluded
    assert [(one.code, one.is_outside) for one in found] == [
        ("ROLE_NOT_ALLOWED", True),
        ("POLICY_DENY_ENDPOINT", False),
    ]
    chosen = replace(ask(strategy=denying), selection=("q/*",))
    assert outside(find_eligible(chosen).excluded) == {"p/m": "not named by --endpoint"}


def test_a_task_row_with_roles_admits_only_those() -> None:
    rows = (TaskKind("code", roles=("editor", "fixer")), TaskKind("math", roles=("nobody",)))
    detail = "code is only for editor, fixer"
    for role in (CODER, None):
        inputs = replace(ask(role=role), kinds=rows)
        assert against(inputs) == [("ROLE_NOT_ALLOWED", detail)]
    assert against(replace(ask(role=Role("fixer")), kinds=rows)) == []


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        (Assignment("p/m"), []),
        (
            Assignment("p/m", status="disabled"),
            [("ROLE_BINDING_DISABLED", "its assignment is disabled")],
        ),
        (Assignment("p/m", tasks=("code",)), []),
        (
            Assignment("p/m", tasks=("code.review", "math")),
            [("ROLE_BINDING_TASK_NOT_ALLOWED", "assigned only for code.review, math")],
        ),
        (Assignment("p/m", capabilities=("tools.parallel",)), []),
        (
            Assignment("p/m", capabilities=("reasoning",)),
            [("ROLE_BINDING_CAPABILITY_MISSING", "its assignment does not grant tools")],
        ),
    ],
)
def test_an_assignment_restricts(assignment: Assignment, expected: list[tuple[str, str]]) -> None:
    task = replace(TASK, needs=(("tools", "asked for"),))
    assert against(ask(task=task, role=replace(CODER, assignments=(assignment,)))) == expected


@pytest.mark.parametrize(
    ("strategy", "selection", "detail"),
    [
        (Strategy("s", allow=("p/*", "q/*"), deny=("q/*",)), ("*/m",), None),
        (Strategy("s", allow=("q/*", "r")), (), "s allows only q/*, r"),
        (Strategy("s", deny=("x", "p/*", "*m")), (), "s denies p/*, *m"),
        (PLAIN, ("q/*",), "not named by --endpoint"),
        (Strategy("s", allow=("p/* & *n",)), (), "s allows only p/* & *n"),
    ],
)
def test_globs_allow_deny_and_select(
    strategy: Strategy, selection: tuple[str, ...], detail: str | None
) -> None:
    expected = [] if detail is None else [("POLICY_DENY_ENDPOINT", detail)]
    assert against(replace(ask(strategy=strategy), selection=selection)) == expected


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        (DataPolicy(trains_on_data=False, retention_days=7), None),
        (DataPolicy(trains_on_data=False, retention_days=0), None),
        (
            DataPolicy(trains_on_data=True, retention_days=30),
            "trains on data; keeps data 30 days, at most 7",
        ),
        (DataPolicy(), "may train on data; keeps data for an unknown time, at most 7 days"),
    ],
)
def test_data_rules_hold_for_remote_endpoints_and_the_unknown_fails(
    given: DataPolicy, detail: str | None
) -> None:
    strategy = Strategy("s", data_policy=DataPolicy(trains_on_data=False, retention_days=7))
    endpoint = replace(ENDPOINT, data_policy=given)
    expected = [] if detail is None else [("DATA_POLICY", detail)]
    assert against(ask(strategy=strategy, endpoint=endpoint)) == expected
    assert against(ask(strategy=strategy, endpoint=replace(endpoint, locality="local"))) == []


def test_a_policy_that_permits_training_asks_for_nothing() -> None:
    strategy = Strategy("s", data_policy=DataPolicy(trains_on_data=True))
    assert against(ask(strategy=strategy)) == []


def test_regions_hold_for_remote_endpoints_and_the_unknown_fails() -> None:
    strategy = Strategy("s", regions=("eu", "ch"))
    american = replace(ENDPOINT, region="us")
    assert against(ask(strategy=strategy)) == [
        ("REGION_DISALLOWED", "its region is unknown, allowed: eu, ch")
    ]
    assert against(ask(strategy=strategy, endpoint=american)) == [
        ("REGION_DISALLOWED", "in us, allowed: eu, ch")
    ]
    assert against(ask(strategy=strategy, endpoint=replace(ENDPOINT, region="eu"))) == []
    assert against(ask(strategy=strategy, endpoint=replace(american, locality="local"))) == []
    many = Strategy("many", regions=tuple(f"r{number}" for number in range(1_000)))
    assert against(ask(strategy=many))[0][1].endswith("r18, r19 and 980 more")


def test_local_only_excludes_the_remote_and_still_has_it_scored() -> None:
    found = find_eligible(ask(strategy=Strategy("s", local_only=True)))
    assert [each.code for each in found.excluded] == ["POLICY_DENY_REMOTE"]
    assert (found.endpoints, found.variants) == ((), ("m",))
    disabled = replace(ENDPOINT, status="disabled")
    both = find_eligible(ask(strategy=Strategy("s", local_only=True), endpoint=disabled))
    assert both.variants == ()


def test_a_key_that_is_not_set_is_named() -> None:
    inputs = ask(endpoint=replace(ENDPOINT, key_env="ACME_KEY"))
    assert against(inputs) == [("AUTH_UNAVAILABLE", "ACME_KEY is not set")]
    assert against(replace(inputs, available_env=frozenset({"ACME_KEY"}))) == []


def test_every_reason_applies_at_once_in_the_order_of_the_codes() -> None:
    task = Task(
        "math",
        "declared",
        1.0,
        "declared",
        needs=(("tools", "1 tool attached"), ("vision", "asked for")),
        modalities=("text", "image"),
        parameters=("seed",),
        input_tokens=50_000,
        uses_tools=True,
    )
    endpoint = Endpoint(
        "p/m",
        "m",
        key_env="ACME_KEY",
        context_tokens=1_000,
        unsupported_parameters=("seed",),
        status="disabled",
    )
    role = Role(
        "coder",
        tasks=("code",),
        forbid=("reasoning",),
        assignments=(Assignment("p/m", "inactive", tasks=("code",), capabilities=("code",)),),
    )
    strategy = Strategy(
        "s",
        local_only=True,
        regions=("eu",),
        data_policy=DataPolicy(trains_on_data=False),
        deny=("*",),
    )
    inputs = replace(
        ask(
            task=task,
            model=Model("m", capabilities=("reasoning",)),
            endpoint=endpoint,
            strategy=strategy,
            role=role,
        ),
        kinds=(TaskKind("math", roles=("mathematician",)),),
        selection=("q/*",),
        offline={"p/m": "does not answer"},
        exhausted={"p/m": "its quota is used up"},
    )
    codes = [code for code, _ in against(inputs)]
    assert codes == [
        "CAPABILITY_MISSING",
        "FORBIDDEN_CAPABILITY_PRESENT",
        "MODALITY_UNSUPPORTED",
        "CONTEXT_TOO_SMALL",
        "TOOLS_UNSUPPORTED",
        "PARAMETER_UNSUPPORTED",
        "ROLE_NOT_ALLOWED",
        "TASK_NOT_SUPPORTED_BY_ROLE",
        "ROLE_BINDING_INACTIVE",
        "ROLE_BINDING_TASK_NOT_ALLOWED",
        "ROLE_BINDING_CAPABILITY_MISSING",
        "POLICY_DENY_ENDPOINT",
        "POLICY_DENY_ENDPOINT",
        "POLICY_DENY_REMOTE",
        "REGION_DISALLOWED",
        "DATA_POLICY",
        "AUTH_UNAVAILABLE",
        "QUOTA_EXHAUSTED",
        "PROVIDER_OFFLINE",
        "ENDPOINT_DISABLED",
    ]


CANDIDATE = candidate("p/m", 0.5, 0.02, 1.0, 0.01)._replace(output_tokens=100)


def test_every_broken_limit_is_told_with_the_numbers() -> None:
    strategy = Strategy("s", min_success=0.7, max_cost_usd=0.01, max_ttft_s=0.5, max_duration_s=1.5)
    assert exclusions_after_scoring(CANDIDATE, strategy) == (
        Exclusion("p/m", "BUDGET_EXCEEDED", "costs $0.02, at most $0.01", CANDIDATE),
        Exclusion("p/m", "QUALITY_TOO_LOW", "success 0.5, at least 0.7", CANDIDATE),
        Exclusion(
            "p/m",
            "TOO_SLOW",
            "first token after 1 s, at most 0.5 s; takes 2 s, at most 1.5 s",
            CANDIDATE,
        ),
    )
    near = CANDIDATE._replace(cost_usd=0.01002, success=0.6999, ttft_s=0.5004)
    details = [one.detail for one in exclusions_after_scoring(near, strategy)]
    assert details[:2] == ["costs $0.0101, at most $0.01", "success 0.69, at least 0.7"]
    assert details[2].startswith("first token after 0.51 s, at most 0.5 s")


def test_a_limit_that_is_just_met_excludes_nobody() -> None:
    strategy = Strategy("s", min_success=0.5, max_cost_usd=0.02, max_ttft_s=1.0, max_duration_s=2.0)
    assert exclusions_after_scoring(CANDIDATE, strategy) == ()


def test_an_endpoint_whose_every_call_fails_is_offline_however_cheap() -> None:
    dead = replace(ENDPOINT, profile=Profile(failure_rate=1.0, samples=9))
    assert against(ask(endpoint=dead)) == [("PROVIDER_OFFLINE", "every call fails (measured)")]
    shaky = replace(ENDPOINT, profile=Profile(failure_rate=0.99))
    assert against(ask(endpoint=shaky)) == []


def test_a_more_specific_capability_meets_a_need_and_a_wider_one_does_not() -> None:
    met = capabilities_of(Model("m", capabilities=("tools.parallel.strict", "code", "codex")))
    assert met == {"tools.parallel.strict", "tools.parallel", "tools", "code", "codex"}


def test_a_model_that_takes_images_has_vision() -> None:
    assert "vision" in capabilities_of(Model("m", modalities=("text", "image")))
    assert "vision" not in capabilities_of(Model("m", modalities=("text", "pdf")))
