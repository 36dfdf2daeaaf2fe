"""Calls, and what they add up to, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from rolecall.cli.render.output import Column, one_line, print_table, print_text
from rolecall.registry.core.clock import stamp
from rolecall.registry.core.formatting import seconds, tokens, usd
from rolecall.registry.core.telemetry import Call, EndpointStatistics, Outcome
from rolecall.registry.telemetry import circuit
from rolecall.registry.telemetry.export import call_to_plain
from rolecall.registry.telemetry.query import Story, TaskStatistics

_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"))
# What the head of an attempt says already.
_IN_HEAD = ("endpoint", "attempt", "decision_id", "error_type")


def print_calls(calls: Sequence[Call], now: datetime) -> None:
    """Print calls as a table, in the order given."""
    columns = [
        Column("when", is_number=True),
        Column("endpoint"),
        Column("result"),
        Column("first token", drop=4, is_number=True),
        Column("total", drop=3, is_number=True),
        Column("tokens", drop=5, is_number=True),
        Column("cost", drop=2, is_number=True),
        Column("decision", drop=1),
        Column("call", drop=6),
        Column("source", drop=7),
    ]
    print_table(columns, [_call_row(call, now) for call in calls])


def _call_row(call: Call, now: datetime) -> list[str]:
    return [
        age(call.created_at, now),
        call.endpoint,
        ending(call),
        seconds(call.time_to_first_chunk_s),
        seconds(call.duration_s),
        _pair(tokens(call.input_tokens), tokens(call.output_tokens)),
        paid(call),
        call.decision_id or "–",
        call.id,
        call.sample_source,
    ]


def paid(call: Call) -> str:
    """Return what a call cost; where that is unknown, the most that it may have cost."""
    if call.cost_usd is None and call.reserved_usd is not None:
        return f"≤{usd(call.reserved_usd, 'up')}"
    return usd(call.cost_usd)


def ending(call: Call) -> str:
    """Return how a call ended, in a word."""
    if call.error_type is not None:
        return call.error_type
    return "ok" if call.finished_at is not None else "unfinished"


def print_story(story: Story, now: datetime) -> None:
    """Print a decision's attempts, or one call, with everything that is known of them."""
    for line in _story_lines(story, now):
        print_text(line)


def _story_lines(story: Story, now: datetime) -> Iterator[str]:
    decision = story.decision
    if decision is not None:
        parts = [decision.task.kind, decision.role or "no role", decision.strategy.id]
        when = _ago(decision.created_at, now)
        yield f"decision {decision.id} · {' · '.join(parts)} · {when}"
    for call in story.calls:
        yield f"attempt {call.attempt} · {call.endpoint} · {ending(call)}"
        yield from _facts(call)
    if not story.calls:
        yield "no call was made"
    for outcome in story.outcomes:
        yield f"outcome · {_outcome(outcome)} · {_ago(outcome.created_at, now)}"


def _facts(call: Call) -> Iterator[str]:
    facts = {name: value for name, value in call_to_plain(call).items() if name not in _IN_HEAD}
    known = {name: value for name, value in facts.items() if value not in (None, [])}
    width = max(map(len, known))
    for name, value in known.items():
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        yield f"  {name:<{width}}  {one_line(shown)}"


def _outcome(outcome: Outcome) -> str:
    parts = [outcome.endpoint, outcome.source, f"{outcome.score:g}"]
    if outcome.predicted is not None:
        parts.append(f"predicted {outcome.predicted:.2f}")
    if outcome.note:
        parts.append(one_line(outcome.note))
    return " · ".join(parts)


def story_to_plain(story: Story) -> dict[str, Any]:
    """Return the documented object of `telemetry show --json`."""
    decision = story.decision
    return {
        "decision": None
        if decision is None
        else {
            "decision_id": decision.id,
            "created_at": decision.created_at,
            "task": decision.task.kind,
            "role": decision.role,
            "strategy": decision.strategy.id,
            "app": decision.app,
            "user": decision.user,
            "conversation_id": decision.conversation_id,
            "chosen": decision.chosen,
            "fallbacks": list(decision.fallbacks),
        },
        "calls": [call_to_plain(call) for call in story.calls],
        "outcomes": [asdict(outcome) for outcome in story.outcomes],
    }


def print_statistics(statistics: Sequence[EndpointStatistics], now: datetime) -> None:
    """Print what each endpoint's calls add up to."""
    columns = [
        Column("endpoint"),
        Column("calls", is_number=True),
        Column("failed", is_number=True),
        Column("first token", is_number=True),
        Column("per token", drop=2, is_number=True),
        Column("tokens", drop=4, is_number=True),
        Column("spent", drop=1, is_number=True),
        Column("sampled", drop=3, is_number=True),
        Column("circuit"),
        Column("because", drop=6),
        Column("errors", drop=5),
    ]
    print_table(columns, [_statistics_row(one, now) for one in statistics])


def _statistics_row(one: EndpointStatistics, now: datetime) -> list[str]:
    one = circuit.believed(one, now)
    return [
        one.endpoint,
        str(one.calls),
        f"{one.failed / one.calls:.1%}" if one.calls else "?",
        _pair(seconds(one.ttft_p50_s), seconds(one.ttft_p95_s)),
        _pair(seconds(one.itl_p50_s), seconds(one.itl_p95_s)),
        _pair(tokens(one.input_tokens), tokens(one.output_tokens)),
        _spent(one),
        "?" if one.sampled_at is None else age(one.sampled_at, now),
        circuit.state(one, stamp(now)),
        one.opened_because or "–",
        ", ".join(f"{name} {count}" for name, count in one.errors) or "–",
    ]


def _spent(one: EndpointStatistics) -> str:
    """Return what is known to have been spent; calls without a known cost make it a lower bound."""
    if one.unpriced == one.calls:
        return "?"
    return f"≥{usd(one.cost_usd)}" if one.unpriced else usd(one.cost_usd)


def statistics_to_plain(one: EndpointStatistics, now: datetime) -> dict[str, Any]:
    """Return one endpoint of `telemetry stats --json`: its statistics and its circuit's state."""
    one = circuit.believed(one, now)
    plain = asdict(one)
    plain["errors"] = dict(one.errors)
    plain["circuit"] = circuit.state(one, stamp(now))
    return plain


def print_task_statistics(statistics: Sequence[TaskStatistics]) -> None:
    """Print what outcomes say of each endpoint on each kind of task."""
    columns = [
        Column("endpoint"),
        Column("task"),
        Column("outcomes", is_number=True),
        Column("mean score", is_number=True),
        Column("offset", is_number=True),
        Column("uncertainty", drop=1, is_number=True),
    ]
    print_table(columns, [_task_row(one) for one in statistics])


def _task_row(one: TaskStatistics) -> list[str]:
    return [
        one.statistics.endpoint,
        one.statistics.task or "–",
        str(one.statistics.outcomes),
        f"{one.statistics.mean_score:.2f}",
        f"{one.offset:+.2f}",
        f"{one.uncertainty:.2f}",
    ]


def task_statistics_to_plain(one: TaskStatistics) -> dict[str, Any]:
    """Return one row of `telemetry stats --by-task --json`."""
    names = [field.name for field in fields(one.statistics)]
    plain = {name: getattr(one.statistics, name) for name in names}
    return {**plain, "offset": one.offset, "uncertainty": one.uncertainty}


def age(moment: str, now: datetime) -> str:
    """Return how long ago an ISO time was, in one unit: 45 s, 3 min, 5 h, 12 d."""
    passed = max((now - datetime.fromisoformat(moment)).total_seconds(), 0.0)
    for length, unit in _AGES:
        if passed >= length:
            return f"{passed // length:.0f} {unit}"
    return f"{passed // 1:.0f} s"


def _ago(moment: str, now: datetime) -> str:
    return f"{age(moment, now)} ago"


def _pair(first: str, second: str) -> str:
    """Join two figures; what they share, a unit or that they are unknown, is said once."""
    if first == second == "?":
        return "?"
    number, _, unit = first.partition(" ")
    return f"{number}/{second}" if unit and second.endswith(f" {unit}") else f"{first}/{second}"
