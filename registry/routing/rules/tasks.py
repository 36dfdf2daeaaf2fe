"""What a request is and needs: its kind, its role, its capabilities, and what is at stake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rolecall.registry.core.entities import Role, TaskKind
from rolecall.registry.core.requests import Request, Task
from rolecall.registry.routing.rules.token_estimate import estimate_tokens, most_tokens

GENERAL = "general"
LONG_CONTEXT_TOKENS = 60_000

Need = tuple[str, str]  # a capability, and why it is needed


class Detected(NamedTuple):
    """A task's kind, how sure that is (0–1), and what decided it in a few words."""

    kind: str
    confidence: float
    detected_by: str


def task_by_structure(request: Request) -> Detected | None:
    """Tell the kind of task from tools, images or length; None when these say nothing."""
    if request.tool_names:
        return Detected("agent", 0.9, _attached("tool", len(request.tool_names)))
    images = _attachments(request)["image"]
    if images:
        return Detected("vision", 0.9, _attached("image", images))
    size = _input_tokens(request)
    if size > LONG_CONTEXT_TOKENS:
        return Detected("long_context", 0.8, f"about {round(size / 1_000)}k tokens")
    return None


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
    rows = covering_kinds(kinds, detected.kind)
    required = [(capability, "asked for") for capability in request.needs]
    prefers = list(request.prefers)
    if role is not None:
        required += [(capability, f"{role.id} requires it") for capability in role.require]
        prefers += role.prefer
    for row in rows:
        required += [(capability, f"task {row.id} requires it") for capability in row.require]
        prefers += row.prefer
    factor, worth_source = resolve_worth(worth, rows, role)
    others = sorted(kind for kind in _attachments(request) if kind != "text")
    return Task(
        kind=detected.kind,
        source=source,
        confidence=detected.confidence,
        detected_by=detected.detected_by,
        needs=_merged([*_attached_needs(request), *required]),
        prefers=tuple(dict.fromkeys(prefers)),
        modalities=("text", *others),
        parameters=request.parameters,
        input_tokens=_input_tokens(request),
        input_tokens_declared=request.input_tokens is not None,
        most_input_tokens=() if request.input_tokens is not None else most_tokens(request),
        cached_tokens=cached_tokens,
        max_tokens=request.max_tokens,
        uses_tools=bool(request.tool_names),
        tools_required=any(capability == "tools" for capability, _ in required),
        worth=factor,
        worth_source=worth_source,
        forms=request.forms,
        cache_ttl=request.cache_ttl,
    )


def _attached_needs(request: Request) -> list[Need]:
    """Return what images, tools and an answer schema need."""
    needs = []
    images = _attachments(request)["image"]
    if images:
        needs.append(("vision", _attached("image", images)))
    if request.tool_names:
        needs.append(("tools", _attached("tool", len(request.tool_names))))
    if request.schema_text:
        needs.append(("json_schema", "an answer schema is given"))
    return needs


def _merged(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Name each capability once, in first order, its reasons joined by commas."""
    reasons: dict[str, dict[str, None]] = {}
    for capability, why in needs:
        reasons.setdefault(capability, {})[why] = None
    return tuple((capability, ", ".join(why)) for capability, why in reasons.items())


def _attachments(request: Request) -> Counter[str]:
    return Counter(kind for message in request.messages for kind in message.attachments)


def _attached(noun: str, count: int) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'} attached"


def _input_tokens(request: Request) -> int:
    return estimate_tokens(request) if request.input_tokens is None else request.input_tokens
