import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.entities import Role, TaskKind
from rolecall.registry.core.requests import Message, Request
from rolecall.registry.routing.rules.request_structure import Detected
from rolecall.registry.routing.rules.tasks import build_task, covers, most_specific, resolve_role


@pytest.mark.parametrize(
    ("pattern", "kind", "expected"),
    [
        ("code", "code", True),
        ("code", "code.edit", True),
        ("code.edit", "code", False),
        ("code", "codex", False),
        ("code", "", False),
    ],
)
def test_a_task_covers_itself_and_all_below_it(pattern: str, kind: str, expected: bool) -> None:
    assert covers(pattern, kind) is expected


def test_the_longest_covering_name_is_the_most_specific() -> None:
    assert most_specific(["code", "code.edit", "math"], "code.edit.rename") == "code.edit"
    assert most_specific(["math"], "code") is None


def test_a_role_is_found_by_its_most_specific_task_and_ties_go_by_id() -> None:
    roles = [
        Role("writer", tasks=("code",)),
        Role("coder", tasks=("code",)),
        Role("editor", tasks=("code.edit",)),
        Role("general"),
    ]
    assert [
        role.id for kind in ("code", "code.edit.x", "math") if (role := resolve_role(roles, kind))
    ] == [
        "coder",
        "editor",
        "general",
    ]


def test_without_a_fitting_role_there_is_none() -> None:
    assert resolve_role([Role("coder", tasks=("code",))], "math") is None
    assert resolve_role([], "math") is None


def test_a_general_role_with_tasks_of_its_own_takes_no_others() -> None:
    assert resolve_role([Role("general", tasks=("chat",))], "math") is None


def test_a_role_that_a_task_row_does_not_admit_is_passed_over() -> None:
    roles = [Role("coder", tasks=("code",)), Role("editor", tasks=("code",)), Role("general")]
    kinds = [TaskKind("code", roles=("editor",)), TaskKind("code.edit")]
    found = resolve_role(roles, "code.edit", kinds)
    assert found is not None
    assert found.id == "editor"


def test_needs_of_request_role_and_every_covering_row_add_up() -> None:
    request = Request(
        (Message("user", "1234"),),
        tool_names=("search",),
        needs=("vision",),
        prefers=("fast",),
        parameters=("temperature",),
        max_tokens=9,
    )
    role = Role("coder", require=("tools",), prefer=("reasoning", "fast"))
    kinds = [
        TaskKind("code", require=("code",), prefer=("cheap",)),
        TaskKind("code.edit", require=("code.edit",)),
        TaskKind("math", require=("math",)),
    ]
    task = build_task(request, Detected("code.edit", 0.8, "x"), role, kinds, cached_tokens=3)
    assert task.needs == (
        ("tools", "1 tool attached, coder requires it"),
        ("vision", "asked for"),
        ("code.edit", "task code.edit requires it"),
        ("code", "task code requires it"),
    )
    assert task.prefers == ("fast", "reasoning", "cheap")
    assert (task.kind, task.source, task.confidence) == ("code.edit", "detected", 0.8)
    assert (task.input_tokens, task.input_tokens_declared) == (5, False)
    assert (task.cached_tokens, task.max_tokens, task.uses_tools) == (3, 9, True)
    assert task.parameters == ("temperature",)


worths = st.none() | st.sampled_from([0.2, 1.0, 4.0])


@given(asked=worths, edit=worths, code=worths, role=worths)
def test_the_narrowest_that_says_what_is_at_stake_wins(
    asked: float | None, edit: float | None, code: float | None, role: float | None
) -> None:
    kinds = [
        TaskKind("code", worth=code),
        TaskKind("code.edit", worth=edit),
        TaskKind("math", worth=99.0),
    ]
    request = Request((Message("user", "x"),))
    detected = Detected("code.edit.rename", 0.8, "x")
    task = build_task(request, detected, Role("coder", worth=role), kinds, worth=asked)
    said = [
        (asked, "asked for"),
        (edit, "task code.edit"),
        (code, "task code"),
        (role, "role coder"),
        (1.0, "default"),
    ]
    assert (task.worth, task.worth_source) == next(one for one in said if one[0] is not None)


def test_a_declared_size_and_kind_are_taken_as_they_are() -> None:
    request = Request((Message("user", "1234"),), input_tokens=70)
    task = build_task(request, Detected("math", 1.0, "asked for"), None, source="declared")
    assert (task.input_tokens, task.input_tokens_declared, task.source) == (70, True, "declared")
