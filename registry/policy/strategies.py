"""One strategy out of several layers, none of which can loosen another's limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal

from rolecall.registry.core.entities import BudgetMode, DataPolicy, Endpoint, Strategy
from rolecall.registry.core.suggestions import unknown

# Stands where limits leave nothing: an empty list would mean "no restriction".
NOTHING = "(none)"
_AND = " & "


def resolve_strategy(layers: Sequence[tuple[str, Strategy]], *limits: Strategy) -> Strategy:
    """Combine `layers`, widest first, and the request's own `limits` into one strategy.

    Id, description, weights, `prefer_locality` and the `default_*` figures are those of the last
    layer; of `limits`, such as the flags of one request, only the limits count. Limits add up: the
    strictest floor and upper limits, every `deny`, and only what each `allow` and `regions` admits.
    Where two globs are both to match, `allow` holds them as "a & b"; where nothing is left it
    holds "(none)", and so does `regions`. A budget is hard if any layer with a cost limit is, and
    so is the floor if any layer with one has no `else`.
    """
    narrowest = layers[-1][1]
    every = [*(strategy for _, strategy in layers), *limits]
    return replace(
        narrowest,
        min_success=_strictest(max, (s.min_success for s in every)),
        else_=_else(every, narrowest.else_),
        max_cost_usd=_strictest(min, (s.max_cost_usd for s in every)),
        max_ttft_s=_strictest(min, (s.max_ttft_s for s in every)),
        max_duration_s=_strictest(min, (s.max_duration_s for s in every)),
        local_only=any(s.local_only for s in every),
        regions=_shared_regions([s.regions for s in every if s.regions]),
        data_policy=_strictest_policy([s.data_policy for s in every if s.data_policy]),
        allow=_shared_globs([s.allow for s in every if s.allow]),
        deny=tuple(dict.fromkeys(glob for s in every for glob in s.deny)),
        budget_mode=_budget_mode(every, narrowest.budget_mode),
        log_prompts=all(s.log_prompts for s in every),
    )


def matches(endpoint: str, globs: Iterable[str]) -> bool:
    """Tell whether an endpoint id matches any glob; "a & b" asks for both."""
    for glob in globs:
        if _AND in glob:
            if endpoint == glob or all(_fits(endpoint, part) for part in glob.split(_AND)):
                return True
        elif endpoint == glob or _fits(endpoint, glob):
            return True
    return False


def _fits(name: str, glob: str) -> bool:
    """Tell whether a name matches a glob, as fnmatchcase does.

    That compiles each pattern, which takes a hundred times longer than looking for its pieces.
    """
    if "?" in glob or "[" in glob:
        return fnmatchcase(name, glob)
    start, *middle = glob.split("*")
    if not middle:
        return name == glob
    end = middle.pop()
    if len(name) < len(start) + len(end) or not (name.startswith(start) and name.endswith(end)):
        return False
    place, last = len(start), len(name) - len(end)
    for piece in middle:
        place = name.find(piece, place, last)
        if place < 0:
            return False
        place += len(piece)
    return True


def selected(endpoints: Sequence[str], globs: Iterable[str]) -> tuple[str, ...]:
    """Return the endpoint ids that any glob matches; no glob means all.

    Raises UnknownRecord for a glob that matches nothing: a mistyped name.
    """
    globs = tuple(globs)
    for glob in globs:
        if not any(matches(one, (glob,)) for one in endpoints):
            raise unknown("endpoint", glob, endpoints)
    return tuple(one for one in endpoints if not globs or matches(one, globs))


def selected_for(
    endpoints: Sequence[Endpoint], globs: tuple[str, ...], models: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the globs that name what `globs` match and `models` serve; none where neither limits.

    A model is named by its id, or by that of an endpoint. Raises UnknownRecord for what names
    nothing.
    """
    ids = selected([one.id for one in endpoints], globs)
    if not models:
        return globs
    served = [one for one in endpoints if one.model in models or one.id in models]
    for name in models:
        if all(name not in (one.model, one.id) for one in served):
            known = {known for one in endpoints for known in (one.model, one.id)}
            raise unknown("model or endpoint", name, sorted(known))
    return tuple(one.id for one in served if one.id in ids) or (NOTHING,)


def _strictest(
    pick: Callable[[Iterable[float]], float], limits: Iterable[float | None]
) -> float | None:
    given = [limit for limit in limits if limit is not None]
    return pick(given) if given else None


def _shared_regions(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if not lists:
        return ()
    shared = set(lists[0]).intersection(*lists[1:])
    return tuple(dict.fromkeys(one for one in lists[0] if one in shared)) or (NOTHING,)


def _strictest_policy(policies: Sequence[DataPolicy]) -> DataPolicy | None:
    if not policies:
        return None
    given = [policy.trains_on_data for policy in policies if policy.trains_on_data is not None]
    days = [policy.retention_days for policy in policies if policy.retention_days is not None]
    return DataPolicy(
        trains_on_data=all(given) if given else None, retention_days=min(days, default=None)
    )


def _else(
    strategies: Sequence[Strategy], otherwise: Literal["best"] | None
) -> Literal["best"] | None:
    with_floor = [s.else_ for s in strategies if s.min_success is not None]
    if not with_floor:
        return otherwise
    return "best" if all(with_floor) else None


def _budget_mode(strategies: Sequence[Strategy], otherwise: BudgetMode) -> BudgetMode:
    modes = [s.budget_mode for s in strategies if s.max_cost_usd is not None]
    if not modes:
        return otherwise
    return "hard" if "hard" in modes else "advisory"


def _shared_globs(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if not lists:
        return ()
    shared = tuple(dict.fromkeys(lists[0]))
    for globs in lists[1:]:
        if set(globs) == set(shared):
            continue
        pairs = (_both(wide, narrow) for wide in shared for narrow in globs)
        shared = _widest([pair for pair in pairs if pair is not None]) or (NOTHING,)
    return shared


def _widest(globs: Iterable[str]) -> tuple[str, ...]:
    """Return the globs without those that ask for what another asks for, and more."""
    parts = {glob: frozenset(glob.split(_AND)) for glob in globs}
    first = {part: glob for glob, part in reversed(parts.items())}
    return tuple(
        glob
        for glob, part in parts.items()
        if first[part] == glob and not any(other < part for other in first)
    )


def _both(wide: str, narrow: str) -> str | None:
    """Return the glob that matches what both do, or None where nothing can."""
    parts = list(dict.fromkeys([*wide.split(_AND), *narrow.split(_AND)]))
    for part in parts:
        if not any(mark in part for mark in "*?["):
            return part if all(_fits(part, other) for other in parts) else None
    if len(parts) > 1 and "*" in parts:
        parts.remove("*")
    return _AND.join(parts)
