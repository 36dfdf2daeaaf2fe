"""Which role a task falls to, and everything that the task then needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rolecall.registry.core.entities import Role, TaskKind
from rolecall.registry.core.requests import Request, Task
from rolecall.registry.routing.rules.request_structure import Detected
from rolecall.registry.routing.rules.requirements import merge_needs, requirements
from rolecall.registry.routing.rules.token_estimate import estimate_tokens

GENERAL = "general"


def covers(pattern: str, kind: str) -> bool:
    """Tell whether a task name covers `kind`: itself and all below it (`code`, `code.edit`)."""
    return kind == pattern or kind.startswith(pattern + ".")


def most_specific(patterns: Iterable[str], kind: str) -> str | None:
    """Return the longest of `patterns` that covers `kind`, or None."""
    return max((pattern for pattern in patterns if covers(pattern, kind)), key=len, default=None)


def covering_kinds(kinds: Sequence[TaskKind], kind: str) -> tuple[TaskKind, ...]:
    """Return the rows that cover `kind`, the most specific first."""
    rows = [row for row in kinds if covers(row.id, kind)]
    return tuple(sorted(rows, key=lambda row: (-len(row.id), row.id)))


def resolve_role(roles: Sequence[Role], kind: str, kinds: Sequence[TaskKind] = ()) -> Role | None:
    """Return the role whose tasks cover `kind` most specifically, ties by id.

    Else the role `general`, provided that it takes any task or this one; else None. Roles that a
    covering row of `kinds` does not admit are passed over.
    """
    rows = covering_kinds(kinds, kind)
    admitted = [
        role for role in roles if all(not row.roles or role.id in row.roles for row in rows)
    ]
    fits = [(most_specific(role.tasks, kind), role) for role in admitted]
    able = [(-len(pattern), role.id, role) for pattern, role in fits if pattern is not None]
    if able:
        return min(able, key=lambda entry: entry[:2])[2]
    return next((role for role in admitted if role.id == GENERAL and not role.tasks), None)


def resolve_worth(
    asked: float | None, rows: Sequence[TaskKind], role: Role | None
) -> tuple[float, str]:
    """Return what is at stake and what says so, the narrowest that says anything.

    What is asked for goes before the first of `rows` (the most specific first) that sets a worth,
    that before the role; where none does it is 1.
    """
    if asked is not None:
        return asked, "asked for"
    for row in rows:
        if row.worth is not None:
            return row.worth, f"task {row.id}"
    if role is not None and role.worth is not None:
        return role.worth, f"role {role.id}"
    return 1.0, "default"


def build_task(
    request: Request,
    detected: Detected,
    role: Role | None,
    kinds: Sequence[TaskKind] = (),
    *,
    source: Literal["declared", "detected"] = "detected",
    cached_tokens: int = 0,
    worth: float | None = None,
) -> Task:
    """Merge what the request, its role and the rows covering its kind need and prefer.

    Every covering row adds its needs. `cached_tokens` is how much of the input the endpoint of
    this conversation is expected to have in its cache, `worth` the one that was asked for.
    """
    own = requirements(request)
    rows = covering_kinds(kinds, detected.kind)
    needs = list(own.needs)
    prefers = list(request.prefers)
    if role is not None:
        needs += [(capability, f"{role.id} requires it") for capability in role.require]
        prefers += role.prefer
    for row in rows:
        needs += [(capability, f"task {row.id} requires it") for capability in row.require]
        prefers += row.prefer
    declared = request.input_tokens
    factor, worth_source = resolve_worth(worth, rows, role)
    return Task(
        kind=detected.kind,
        source=source,
        confidence=detected.confidence,
        detected_by=detected.detected_by,
        needs=merge_needs(needs),
        prefers=tuple(dict.fromkeys(prefers)),
        modalities=own.modalities,
        parameters=request.parameters,
        input_tokens=estimate_tokens(request) if declared is None else declared,
        input_tokens_declared=declared is not None,
        cached_tokens=cached_tokens,
        max_tokens=request.max_tokens,
        uses_tools=bool(request.tool_names),
        worth=factor,
        worth_source=worth_source,
    )
