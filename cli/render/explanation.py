"""The screen that says why: candidates, exclusions, reasons, and what would change the choice."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rolecall.cli.render.output import console, one_line, print_json, print_text
from rolecall.registry.core.decisions import Candidate, Decision, Flip
from rolecall.registry.core.formatting import seconds, success, tokens, usd
from rolecall.registry.core.telemetry import Call
from rolecall.registry.routing.decision_json import (
    calls_in_words,
    decision_flips,
    describe_calls,
    describe_decision,
    grouped_exclusions,
    why_chosen,
    worth_in_words,
)
from rolecall.registry.routing.explain import Explained

MOST_ROWS = 5  # of the table
MOST_LINES = 23  # of it all, and one for the shell's prompt
FEW_EXCLUSIONS = 5
NARROWEST_TEXT = 24
_SHORT_SOURCE = {"measured": "meas.", "declared": "decl.", "default": "def.", "scored": "scored"}
_BASES = ("scores", "facts")  # what is not known from judged answers of the model itself
_FAMILIAR = 0.5
_FACTS_MARK = "*"
_OUTCOMES_MARK = "†"
_UNTIMED_MARK = "+"
_TIER_MARK = "↑"
_DEFAULT_MARK = "?"


class _Detail(NamedTuple):
    """How much is said beside the table."""

    has_parts: bool = True
    flips: int = 3
    has_worth: bool = True
    has_legend: bool = True


_ALL = _Detail()
# What is left out, step by step, until the rest fits.
_DETAILS = (
    _Detail(has_parts=False),
    _Detail(has_parts=False, flips=2),
    _Detail(has_parts=False, flips=1),
    _Detail(has_parts=False, flips=1, has_worth=False),
    _Detail(has_parts=False, flips=1, has_worth=False, has_legend=False),
)


def print_explained(explained: Explained, *, show_all: bool, as_json: bool) -> None:
    """Print why the decision came out as it did, as a screen or as one JSON object."""
    decision, calls = explained
    if as_json:
        print_json(describe_decision(decision) | describe_calls(calls))
    else:
        print_explanation(decision, show_all=show_all, calls=calls)


def print_explanation(
    decision: Decision, *, show_all: bool = False, calls: Sequence[Call] = ()
) -> None:
    """Print a decision for a person: header, candidates, exclusions, reasons, changes.

    Where it took several `calls`, or one that failed, a line says who answered. A screen of 24
    rows holds it: what is left out is counted, and `show_all` shows it.
    """
    screen = console()
    most = len(decision.candidates) if show_all else MOST_ROWS
    head = _head(screen, decision, most)
    asked = calls_in_words(calls)
    made = [] if asked is None else _hanging(screen.width, f"{'calls':<7}", asked)
    remarks = _remarks(screen.width, decision, _ALL, most)
    excluded = _exclusions(screen.width, decision, None)
    if not show_all:
        room = MOST_LINES - len(head) - len(made)
        for detail in _DETAILS:
            if len(remarks) + min(len(excluded), FEW_EXCLUSIONS) <= room:
                break
            remarks = _remarks(screen.width, decision, detail, most)
        if len(excluded) + len(remarks) > room:
            fewer = max(room - len(remarks), FEW_EXCLUSIONS)
            excluded = _exclusions(screen.width, decision, fewer)
    for line in head:
        sys.stdout.write(f"{line}\n")  # with rich's own colours
    for line in (*excluded, *made, *remarks):
        print_text(line)


def _head(screen: Console, decision: Decision, most: int) -> list[str]:
    """Return the header and the first candidates, in the terminal's colours."""
    with screen.capture() as drawn:
        for line in _wrapped(_header(decision), screen.width):
            screen.print(Text(line, style="bold"), soft_wrap=True)
        if decision.candidates:
            screen.print(_candidates(decision.candidates[:most], decision.chosen))
    found = [line.rstrip() for line in drawn.get().splitlines()]
    return found + _rest(len(decision.candidates) - most, "ranked below")


def _header(decision: Decision) -> str:
    parts = [decision.role or "no role", decision.strategy.id]
    parts.append(f"decided in {seconds(decision.elapsed_ms / 1000)}")
    if decision.margin_usd is not None:
        is_near = decision.margin_usd < 0 and "TIE_BREAK_APPLIED" in decision.reasons
        near = " (near-tie)" if is_near else ""
        parts.append(f"margin {usd(decision.margin_usd)} over {decision.runner_up}{near}")
    return " · ".join(parts)


def _candidates(candidates: tuple[Candidate, ...], chosen: str | None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", width=1)
    table.add_column("endpoint", overflow="fold", min_width=12)
    table.add_column("success", no_wrap=True)
    table.add_column("cost", no_wrap=True)
    table.add_column("1st token", no_wrap=True)
    table.add_column("total", no_wrap=True)
    table.add_column("value", no_wrap=True)
    for candidate in candidates:
        is_chosen = candidate.endpoint == chosen
        table.add_row(
            "▸" if is_chosen else "",
            candidate.endpoint,
            _success(candidate),
            usd(candidate.cost_usd) + _price_marks(candidate),
            f"{seconds(candidate.ttft_s)} {_source(candidate, 'ttft_s')}",
            seconds(candidate.duration_s) + (_UNTIMED_MARK if candidate.untimed_tokens else ""),
            usd(candidate.value_usd),
            style="bold" if is_chosen else "",
        )
    return table


def _exclusions(width: int, decision: Decision, most: int | None) -> list[str]:
    """Return who is excluded and why, in `most` lines: then the first reason of each, cut short."""
    groups, others = grouped_exclusions(decision)
    if not decision.excluded:
        return []
    lines = ["excluded"]
    tail = [f"  {count} more {why}" for why, count in others.items()]
    shown = groups
    if most is not None:
        left = most - len(lines) - len(tail)
        shown = dict(islice(groups.items(), left if left >= len(groups) else max(left - 1, 0)))
    endpoint_width = max((len(endpoint) for endpoint in shown), default=0)
    code_width = max((len(one.code) for found in shown.values() for one in found), default=0)
    for endpoint, found in shown.items():
        for number, one in enumerate(found if most is None else found[:1]):
            name = endpoint if number == 0 else ""
            start = f"  {name:<{endpoint_width}}  {one.code:<{code_width}}"
            if most is None:
                lines += _hanging(width, start, one.detail)
            else:
                lines.append(_cut(f"{start}  {one_line(one.detail)}", width))
    return lines + _rest(len(groups) - len(shown), "excluded as well") + tail


def _rest(count: int, what: str) -> list[str]:
    return [f"  … {count} more {what} (--all shows them)"] if count > 0 else []


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _hanging(width: int, start: str, text: str) -> list[str]:
    """Return `text` after `start`, further lines indented to where it began, if room is left."""
    indent, first = len(start) + 2, []
    if width - indent < NARROWEST_TEXT:
        first, start, indent = [start.rstrip()], "", 4
    lines = _wrapped(text, width - indent) or [""]
    leads = [start, *[""] * (len(lines) - 1)]
    return first + [
        f"{lead:<{indent}}{line}".rstrip() for lead, line in zip(leads, lines, strict=True)
    ]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(one_line(text), width, break_on_hyphens=False)


def _remarks(width: int, decision: Decision, detail: _Detail, most: int) -> list[str]:
    remarks = _remark_lines(decision, detail, most)
    return [line for what, text in remarks for line in _hanging(width, f"{what:<7}", text)]


def _remark_lines(decision: Decision, detail: _Detail, most: int) -> Iterator[tuple[str, str]]:
    yield "task", _task(decision)
    if detail.has_worth:
        yield "worth", worth_in_words(decision)
    if detail.has_parts:
        for number, text in enumerate(_success_parts(decision.candidates[:2])):
            yield ("success" if number == 0 else ""), text
    if any(_is_unfamiliar(one) for one in decision.candidates):
        yield "", "nothing like it in the data: predicted as an average prompt of its kind, unsure"
    yield "why", "; ".join(why_chosen(decision))
    flips = decision_flips(decision)[: detail.flips]
    for number, flip in enumerate(flips):
        yield ("would change" if number == 0 else " " * 12), _flip(flip)
    if detail.has_legend:
        yield from _legend(decision.candidates[:most])
    for remark in decision.notes:
        yield "note", remark


def _legend(candidates: tuple[Candidate, ...]) -> Iterator[tuple[str, str]]:
    """Say what the marks in the table mean."""
    if any(one.outcomes for one in candidates):
        yield _OUTCOMES_MARK, "moved by outcomes of its answers: " + _moved(candidates)
    if any(one.success_basis in _BASES for one in candidates):
        yield _FACTS_MARK, "no outcomes seen: estimated from public scores, size, date and price"
    if any(_source(one, "price") == "def." for one in candidates):
        yield _DEFAULT_MARK, "price unknown: the strategy's default used, a local endpoint's is $0"
    tiers = {one.endpoint: one.price_above_tokens for one in candidates}
    dearer = [f"{name} above {tokens(above)}" for name, above in tiers.items() if above is not None]
    if dearer:
        yield _TIER_MARK, "the price of long input, in tokens: " + ", ".join(dearer)
    if any(one.untimed_tokens for one in candidates):
        yield _UNTIMED_MARK, "hidden reasoning may take longer: speed and tokens are not known"


def _task(decision: Decision) -> str:
    task = decision.task
    parts = [task.kind]
    if task.source == "declared":
        parts.append("declared")
    else:
        parts.append(f"{task.detected_by} ({task.confidence:.2f})")
    if task.needs:
        parts.append("needs " + ", ".join(name for name, _ in task.needs))
    parts.append(
        f"{'' if task.input_tokens_declared else '≈'}{tokens(task.input_tokens)} tokens in"
    )
    if task.difficulty is not None:
        parts.append(f"difficulty {task.difficulty:.2f}")
    return " · ".join(parts)


def _success_parts(candidates: tuple[Candidate, ...]) -> Iterator[str]:
    """Say what the first successes rest on, where the scorer told it."""
    for one in candidates:
        if one.parts is None:
            continue
        parts, total = one.parts, one.scored_success
        text = (
            f"{one.endpoint} {parts.average:.2f} on average where prompts are like {parts.task} "
            f"({parts.task_probability:.2f}), {parts.prompt:+.2f} this prompt"
        )
        if parts.local:
            text += f", {parts.local:+.2f} judged prompts like it"
        if parts.world:
            text += f", {parts.world:+.2f} your own judged rows"
        yield f"{text} = {total:.2f}" if total is not None else text


def _price_marks(candidate: Candidate) -> str:
    marks = _TIER_MARK if candidate.price_above_tokens is not None else ""
    return marks + (_DEFAULT_MARK if _source(candidate, "price") == "def." else "")


def _flip(flip: Flip) -> str:
    return f"{flip.change} → {flip.chosen or 'nothing eligible'}"


def _success(candidate: Candidate) -> str:
    text = success(candidate.success, candidate.success_std)
    if candidate.outcomes:
        return text + _OUTCOMES_MARK
    return text + (_FACTS_MARK if candidate.success_basis in _BASES else "")


def _is_unfamiliar(candidate: Candidate) -> bool:
    return candidate.parts is not None and candidate.parts.familiar < _FAMILIAR


def _moved(candidates: tuple[Candidate, ...]) -> str:
    """Say by how much outcomes moved each success, and how many they were."""
    return ", ".join(
        f"{one.endpoint} {one.success - one.scored_success:+.2f} ({one.outcomes})"
        for one in candidates[:MOST_ROWS]
        if one.outcomes and one.scored_success is not None
    )


def _source(candidate: Candidate, name: str) -> str:
    return _SHORT_SOURCE[dict(candidate.sources)[name]]
