"""The screen that says why: candidates, exclusions, reasons, and what would change the choice."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import islice

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rolecall.cli.render.output import console, one_line, print_json, print_text
from rolecall.registry.core.decisions import Candidate, Decision, Flip
from rolecall.registry.core.formatting import seconds, success, tokens, usd
from rolecall.registry.routing.decision_json import (
    decision_flips,
    describe_decision,
    grouped_exclusions,
    why_chosen,
    worth_in_words,
)

MOST_ROWS = 15
MOST_FLIPS = 3
NARROWEST_TEXT = 24
_SHORT_SOURCE = {"measured": "meas.", "declared": "decl.", "default": "def.", "scored": "scored"}
_BASES = ("scores", "facts")  # what is not known from judged answers of the model itself
_FAMILIAR = 0.5
_FACTS_MARK = "*"
_OUTCOMES_MARK = "†"
_UNTIMED_MARK = "+"
_TIER_MARK = "↑"
_DEFAULT_MARK = "?"


def print_explained(decision: Decision, *, show_all: bool, as_json: bool) -> None:
    """Print why the decision came out as it did, as a screen or as one JSON object."""
    if as_json:
        print_json(describe_decision(decision))
    else:
        print_explanation(decision, show_all=show_all)


def print_explanation(decision: Decision, *, show_all: bool = False) -> None:
    """Print a decision for a person: header, candidates, exclusions, reasons, changes.

    Long lists are cut with a count of the rest unless `show_all`.
    """
    screen = console()
    most = len(decision.candidates) if show_all else MOST_ROWS
    for line in _wrapped(_header(decision), screen.width):
        screen.print(Text(line, style="bold"), soft_wrap=True)
    if decision.candidates:
        with screen.capture() as drawn:
            screen.print(_candidates(decision.candidates[:most], decision.chosen))
        for line in drawn.get().splitlines():
            print_text(line.rstrip())
    _rest(screen, len(decision.candidates) - most, "ranked below")
    if decision.excluded:
        _exclusions(screen, decision, show_all=show_all)
    _remarks(screen, decision)


def _header(decision: Decision) -> str:
    parts = [decision.role or "no role", decision.strategy.id]
    parts.append(f"decided in {seconds(decision.elapsed_ms / 1000)}")
    if decision.margin_usd is not None:
        near = " (near-tie)" if decision.margin_usd < 0 else ""
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


def _exclusions(screen: Console, decision: Decision, *, show_all: bool) -> None:
    groups, others = grouped_exclusions(decision)
    screen.print(Text("excluded", style="dim"))
    shown = dict(islice(groups.items(), None if show_all else MOST_ROWS))
    endpoint_width = max((len(endpoint) for endpoint in shown), default=0)
    code_width = max((len(one.code) for found in shown.values() for one in found), default=0)
    for endpoint, found in shown.items():
        for number, one in enumerate(found):
            name = endpoint if number == 0 else ""
            start = f"  {name:<{endpoint_width}}  {one.code:<{code_width}}"
            _print_wrapped(screen, start, one.detail)
    _rest(screen, len(groups) - len(shown), "excluded as well")
    for why, count in others.items():
        screen.print(Text(f"  {count} more {why}", style="dim"))


def _rest(screen: Console, count: int, what: str) -> None:
    if count > 0:
        screen.print(Text(f"  … {count} more {what} (--all shows them)", style="dim"))


def _print_wrapped(screen: Console, start: str, text: str) -> None:
    """Print `text` after `start`, its further lines indented to where it began, if room is left."""
    indent = len(start) + 2
    if screen.width - indent < NARROWEST_TEXT:
        screen.print(Text(start), soft_wrap=True)
        start, indent = "", 4
    lines = _wrapped(text, screen.width - indent) or [""]
    for number, line in enumerate(lines):
        lead = start if number == 0 else ""
        screen.print(Text(f"{lead:<{indent}}{line}".rstrip()), soft_wrap=True)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _remarks(screen: Console, decision: Decision) -> None:
    for what, remark in _remark_lines(decision):
        _print_wrapped(screen, f"{what:<7}", one_line(remark))


def _remark_lines(decision: Decision) -> Iterator[tuple[str, str]]:
    yield "task", _task(decision)
    yield "worth", worth_in_words(decision)
    for number, text in enumerate(_success_parts(decision.candidates[:2])):
        yield ("success" if number == 0 else ""), text
    if any(_is_unfamiliar(one) for one in decision.candidates):
        yield "", "nothing like it in the data: predicted as an average prompt of its kind, unsure"
    yield "why", "; ".join(why_chosen(decision))
    flips = decision_flips(decision)[:MOST_FLIPS]
    for number, flip in enumerate(flips):
        yield ("would change" if number == 0 else " " * 12), _flip(flip)
    if any(one.outcomes for one in decision.candidates):
        yield _OUTCOMES_MARK, "moved by outcomes of its answers: " + _moved(decision.candidates)
    if any(one.success_basis in _BASES for one in decision.candidates):
        yield _FACTS_MARK, "no outcomes seen: estimated from public scores, size, date and price"
    if any(_source(one, "price") == "def." for one in decision.candidates):
        yield _DEFAULT_MARK, "price unknown: the strategy's default used, a local endpoint's is $0"
    tiers = {one.endpoint: one.price_above_tokens for one in decision.candidates}
    dearer = [f"{name} above {tokens(above)}" for name, above in tiers.items() if above is not None]
    if dearer:
        yield _TIER_MARK, "the price of long input, in tokens: " + ", ".join(dearer)
    if any(one.untimed_tokens for one in decision.candidates):
        yield _UNTIMED_MARK, "hidden reasoning may take longer: speed and tokens are not known"
    for remark in decision.notes:
        yield "note", remark


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
