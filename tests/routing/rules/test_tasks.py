import pytest

from rolecall.registry.core.entities import Role, TaskKind
from rolecall.registry.core.requests import Message, Request
from rolecall.registry.routing.rules.tasks import (
    Detected,
    build_task,
    covers,
    most_specific,
    resolve_role,
    task_by_structure,
)
from rolecall.registry.routing.rules.token_estimate import estimate_tokens

CODE = Detected("code", 0.8, "x")


def asking(*attachments: str, **more: object) -> Request:
    return Request((Message("user", "1234", attachments),), **more)  # type: ignore[arg-type]


def test_tools_come_before_images_and_images_before_length() -> None:
    message = Message("user", "word " * 90_000, ("image",))
    long = Request((Message("user", "word " * 90_000),))
    with_tools = Request((message,), tool_names=("a", "b"))
    assert task_by_structure(with_tools) == ("agent", 0.9, "2 tools attached")
    assert task_by_structure(Request((message,))) == ("vision", 0.9, "1 image attached")
    assert task_by_structure(long) == ("long_context", 0.8, "about 104k tokens")
    assert task_by_structure(Request(long.messages, input_tokens=100)) is None


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


@pytest.mark.parametrize(
    ("kind", "role"), [("code", "coder"), ("code.edit.x", "editor"), ("math", "general")]
)
def test_a_role_is_found_by_its_most_specific_task_and_ties_go_by_id(kind: str, role: str) -> None:
    roles = [
        Role("writer", tasks=("code",)),
        Role("coder", tasks=("code",)),
        Role("editor", tasks=("code.edit",)),
        Role("general"),
    ]
    found = resolve_role(roles, kind)
    assert found is not None
    assert found.id == role


def test_without_a_fitting_role_there_is_none() -> None:
    assert resolve_role([Role("coder", tasks=("code",))], "math") is None
    assert resolve_role([Role("general", tasks=("chat",))], "math") is None


def test_a_role_that_a_task_row_does_not_admit_is_passed_over() -> None:
    roles = [Role("coder", tasks=("code",)), Role("editor", tasks=("code",)), Role("general")]
    kinds = [TaskKind("code", roles=("editor",)), TaskKind("code.edit")]
    assert resolve_role(roles, "code.edit", kinds) == roles[1]


def test_a_plain_request_needs_nothing_but_text() -> None:
    task = build_task(asking(), CODE, None)
    assert (task.needs, task.modalities, task.tools_required) == ((), ("text",), False)


def test_what_is_attached_is_needed_and_says_why() -> None:
    request = Request(
        (Message("user", "a", ("image", "pdf")), Message("user", "b", ("image",))),
        tool_names=("search",),
        schema_text='{"type":"object"}',
    )
    task = build_task(request, CODE, None)
    assert task.needs == (
        ("vision", "2 images attached"),
        ("tools", "1 tool attached"),
        ("json_schema", "an answer schema is given"),
    )
    assert task.modalities == ("text", "image", "pdf")
    assert (task.uses_tools, task.tools_required) == (True, False)


@pytest.mark.parametrize(
    ("needs", "role", "kinds"),
    [
        (("tools",), None, []),
        ((), Role("coder", require=("tools",)), []),
        ((), None, [TaskKind("code", require=("tools",))]),
    ],
)
def test_tools_are_required_where_more_than_attached_tools_asks_for_them(
    needs: tuple[str, ...], role: Role | None, kinds: list[TaskKind]
) -> None:
    assert build_task(asking(tool_names=("a",), needs=needs), CODE, role, kinds).tools_required


def test_needs_of_request_role_and_every_covering_row_add_up() -> None:
    request = asking(
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
    assert (task.input_tokens, task.input_tokens_declared) == (estimate_tokens(request), False)
    assert (task.cached_tokens, task.max_tokens, task.uses_tools) == (3, 9, True)
    assert task.parameters == ("temperature",)


@pytest.mark.parametrize(
    ("asked", "edit", "code", "role", "expected"),
    [
        (0.2, 4.0, 4.0, 4.0, (0.2, "asked for")),
        (None, 0.2, 4.0, 4.0, (0.2, "task code.edit")),
        (None, None, 0.2, 4.0, (0.2, "task code")),
        (None, None, None, 4.0, (4.0, "role coder")),
        (None, None, None, None, (1.0, "default")),
    ],
)
def test_the_narrowest_that_says_what_is_at_stake_wins(
    asked: float | None,
    edit: float | None,
    code: float | None,
    role: float | None,
    expected: tuple[float, str],
) -> None:
    kinds = [
        TaskKind("code", worth=code),
        TaskKind("code.edit", worth=edit),
        TaskKind("math", worth=99.0),
    ]
    detected = Detected("code.edit.rename", 0.8, "x")
    task = build_task(asking(), detected, Role("coder", worth=role), kinds, worth=asked)
    assert (task.worth, task.worth_source) == expected


def test_a_declared_size_and_kind_are_taken_as_they_are() -> None:
    task = build_task(asking(input_tokens=70), CODE, None, source="declared")
    assert (task.input_tokens, task.input_tokens_declared, task.source) == (70, True, "declared")
