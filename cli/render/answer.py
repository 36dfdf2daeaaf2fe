"""Show an answer as it comes, and say on stderr which endpoint gave it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolecall.cli.render.output import dim, harmless, json_text, note, one_line, print_text, say
from rolecall.registry.calls.answer_json import describe_answer, describe_failure, tool_call
from rolecall.registry.calls.events import (
    Answered,
    Asking,
    Checking,
    Decided,
    Failed,
    Progress,
    Unrecorded,
    Waiting,
)
from rolecall.registry.core.chat import TextDelta, ThinkingDelta
from rolecall.registry.core.errors import CallFailed, CheckFailed, RegistryError
from rolecall.registry.core.formatting import seconds, tokens, usd

if TYPE_CHECKING:
    from rich.status import Status

    from rolecall.registry.core.telemetry import Call


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is shown: as it comes, or whole; as JSON; with its thinking; in silence."""

    is_live: bool
    as_json: bool = False
    show_thinking: bool = False
    is_quiet: bool = False


def manner_of(*, as_json: bool, show_thinking: bool, is_quiet: bool, is_final: bool) -> Manner:
    """Return how to show an answer here: only a person at a terminal sees it come.

    `is_final` tells that what comes is the answer that will be printed, and not one that may be
    put aside or cut down to its JSON.
    """
    is_live = sys.stdout.isatty() and not as_json and is_final
    return Manner(is_live, as_json, show_thinking, is_quiet)


def show_answer(progress: Iterator[Progress], manner: Manner) -> None:
    """Print an answer to stdout and all else to stderr.

    Raises what asking raises; with --json after one object that has no answer.
    """
    screen = _Screen(manner)
    try:
        with ExitStack() as ending:
            ending.callback(screen.rest)
            for event in progress:
                screen.show(event)
    except KeyboardInterrupt:
        screen.end_line()
        screen.print_unchecked()
        raise
    except RegistryError:
        screen.print_unchecked()
        if manner.as_json and screen.decided is not None and not screen.is_printed:
            decision = screen.decided.decision
            print_text(json_text(describe_failure(decision, screen.failures, screen.told)))
        lost, is_known = screen.lost_usd()
        if lost and not screen.is_answered:  # else the summary says it
            spent = "was spent" if is_known else "may have been spent"
            screen.notes((f"{_at_most(lost, is_known=is_known)} {spent} on what failed",))
        raise


@dataclass(slots=True)
class _Screen:
    """What has been shown so far."""

    manner: Manner
    decided: Decided | None = None
    failures: list[Failed] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    is_mid_line: bool = False
    is_thinking: bool = False
    is_answered: bool = False
    is_printed: bool = False
    unchecked: Answered | None = None
    spinner: Status | None = None

    def show(self, event: Progress) -> None:
        match event:
            case Decided():
                self.decided = event
                self.notes(event.decision.notes)
            case Asking():
                self.told += event.notes
                self.notes(event.notes)
                self.spin(f"asking {event.endpoint}")
            case ThinkingDelta():
                self.think(event.text)
            case TextDelta():
                self.text(event.text)
            case Failed():
                self.failed(event)
            case Waiting():
                if event.is_asked:
                    wait = seconds(event.seconds)
                    self.notes((f"waiting {wait}: {event.endpoint} asked for it",))
                self.spin(f"waiting {seconds(event.seconds)} to ask {event.endpoint} again")
            case Checking():
                self.checking(event)
            case Answered():
                self.answered(event)
            case Unrecorded():
                self.notes((event.why,))

    def notes(self, notes: tuple[str, ...]) -> None:
        self.rest()
        if not self.manner.is_quiet:
            for text in notes:
                note(f"note: {one_line(text)}")

    def spin(self, text: str) -> None:
        """Turn a spinner on stderr until something comes; nothing turns in a pipe."""
        if self.manner.is_quiet or not sys.stderr.isatty():
            return
        from rich.console import Console

        self.spinner = Console(file=sys.stderr, markup=False).status(text, spinner_style="")
        self.spinner.start()

    def rest(self) -> None:
        if self.spinner is not None:
            self.spinner.stop()
            self.spinner = None

    def think(self, text: str) -> None:
        if not self.manner.show_thinking:
            return
        self.rest()
        self.is_thinking = True
        say(dim(harmless(text)))

    def text(self, text: str) -> None:
        if not self.manner.is_live:
            return
        self.rest()
        self.end_thinking()
        shown = harmless(text)
        sys.stdout.write(shown)
        sys.stdout.flush()
        if shown:
            self.is_mid_line = not shown.endswith("\n")

    def end_thinking(self) -> None:
        if self.is_thinking:
            say("\n\n")
            self.is_thinking = False

    def failed(self, failure: Failed) -> None:
        self.rest()
        self.failures.append(failure)
        self.end_thinking()
        if isinstance(failure.error, CheckFailed):
            self.notes((failure.error.message,))
        elif failure.was_shown and self.manner.is_live:
            self.end_line()
            note(f"note: {failure.endpoint} broke off: {one_line(failure.error.message)}")

    def end_line(self) -> None:
        if self.is_mid_line:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self.is_mid_line = False

    def checking(self, event: Checking) -> None:
        self.rest()
        self.end_thinking()
        self.unchecked = event.answered
        if event.is_final and not self.manner.as_json:
            self.print_answer(event.answered)
        self.spin("checking the answer")

    def print_unchecked(self) -> None:
        """Print an answer that is paid for, though its checks, or what was to follow, broke off."""
        if self.unchecked is not None and not self.is_printed:
            self.print_answer(self.unchecked)

    def answered(self, result: Answered) -> None:
        self.rest()
        self.end_thinking()
        self.is_answered = True
        if not self.is_printed:
            self.print_answer(result)
        self.notes(result.notes)
        if not self.manner.is_quiet:
            note(self.summary(result), is_dim=True)

    def print_answer(self, result: Answered) -> None:
        self.is_printed = True
        if self.manner.as_json:
            print_text(json_text(describe_answer(result, self.failures)))
        else:
            self.print_rest(result)
        sys.stdout.flush()

    def print_rest(self, result: Answered) -> None:
        if self.manner.is_live:
            self.end_line()
        elif result.answer.text:
            print_text(result.answer.text)
        for call in result.answer.tool_calls:
            print_text(json_text(tool_call(call), indent=None))

    def lost_usd(self, given: Call | None = None) -> tuple[float, bool]:
        """Return what the failed tries may have cost at most, and whether that is what they did.

        The call whose answer is `given` all the same is none of them.
        """
        found = [one.call for one in self.failures]
        calls = [one for one in found if one is not None and one != given]
        costs = (one.reserved_usd if one.cost_usd is None else one.cost_usd for one in calls)
        is_known = all(one.cost_usd is not None for one in calls)
        return sum(cost for cost in costs if cost is not None), is_known

    def summary(self, result: Answered) -> str:
        """Say in a line which endpoint answered, how fast, for how much, and under which id."""
        call = result.call
        took = "" if call.duration_s is None else seconds(call.duration_s)
        if call.time_to_first_chunk_s is not None:
            took += f" (first {seconds(call.time_to_first_chunk_s)})"
        size = f"{tokens(call.input_tokens)} in, {tokens(call.output_tokens)} out"
        cost = usd(call.cost_usd)
        if call.cost_usd is None:
            most = call.reserved_usd
            cost = "cost unknown" + ("" if most is None else f", at most {usd(most, 'up')}")
        lost, is_known = self.lost_usd(call)
        if lost:
            cost += f" and {_at_most(lost, is_known=is_known)} for what failed"
        parts = [call.endpoint, took, size, cost, result.decision.id]
        failed = [
            _in_words(one) for one in self.failures if one.call is None or one.call.id != call.id
        ]
        if failed:
            parts.insert(1, "after " + ", ".join(dict.fromkeys(failed)))
        return " · ".join(part for part in parts if part)


def _at_most(cost_usd: float, *, is_known: bool) -> str:
    return usd(cost_usd) if is_known else f"at most {usd(cost_usd, 'up')}"


def _in_words(failure: Failed) -> str:
    error = failure.error
    if not isinstance(error, CallFailed | CheckFailed):
        return one_line(error.message)  # these words begin with the endpoint
    wait_s = error.retry_after_s if isinstance(error, CallFailed) else None
    asked = f" (asks to wait {seconds(wait_s)})" if wait_s else ""
    return f"{failure.endpoint} {error.error_type}{asked}"
