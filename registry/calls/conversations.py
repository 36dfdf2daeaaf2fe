"""Conversations whose history the registry keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from rolecall.registry.chat.parse import request_of
from rolecall.registry.core.chat import Chat, Text, ToolCall, ToolResult, Turn
from rolecall.registry.core.clock import utc_now
from rolecall.registry.core.errors import UsageError
from rolecall.registry.core.ids import new_id
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.conversations import last_conversation, read_terms
from rolecall.registry.storage.turns import read_turns


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation and what was said in it so far."""

    id: str
    turns: tuple[Turn, ...] = ()

    def with_turns(self, chat: Chat) -> tuple[Chat, int]:
        """Return the chat led by this history, and how many messages of it are history.

        A system prompt given anew takes the place of the old one. A tool call of the history
        that has no result, there or first in `chat`, gets one that tells it was not run: APIs
        refuse a call left open.
        """
        if not self.turns:
            return chat, 0
        new_system = tuple(turn for turn in chat.turns if turn.role == "system")
        old_system = _latest_system(self.turns)
        history = tuple(turn for turn in self.turns if turn.role != "system")
        after = tuple(turn for turn in chat.turns if turn.role != "system")
        results = tuple(takewhile(lambda turn: turn.role == "tool", after))
        rest = after[len(results) :]
        history, results = _without_open_calls(history, results)
        before = (*(new_system or old_system), *history)
        held = len(request_of(Chat(before)).messages)
        return replace(chat, turns=(*before, *results, *rest)), held


def _without_open_calls(
    history: Sequence[Turn], results: Sequence[Turn]
) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Return both with a result for each call that has none before another turn than a tool's.

    What is added stands behind the results given: where calls share an id, as those of some
    servers do, the first ones are taken for answered.
    """
    closed: list[Turn] = []
    calls: list[ToolCall] = []
    for turn in history:
        if turn.role != "tool":
            closed += _not_run(calls)
            calls = []
        closed.append(turn)
        calls = _still_open(calls, turn)
    if not results:
        return (*closed, *_not_run(calls)), ()
    for turn in results:
        calls = _still_open(calls, turn)
    return tuple(closed), (*results, *_not_run(calls))


def _still_open(calls: Sequence[ToolCall], turn: Turn) -> list[ToolCall]:
    """Return the calls that wait for a result after this turn, which may add and answer some."""
    waiting = list(calls)
    for part in turn.parts:
        if isinstance(part, ToolCall):
            waiting.append(part)
        elif isinstance(part, ToolResult):
            answered = next((call for call in waiting if call.id == part.call_id), None)
            if answered is not None:
                waiting.remove(answered)
    return waiting


def _not_run(calls: Sequence[ToolCall]) -> tuple[Turn, ...]:
    """Return the turn that answers these calls; without any, none."""
    results = tuple(
        ToolResult(call.id, (Text("not run"),), name=call.name, is_error=True) for call in calls
    )
    return (Turn("tool", results),) if results else ()


def _latest_system(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the last run of system turns: what was given later replaced what was before."""
    latest: list[Turn] = []
    previous = None
    for turn in turns:
        if turn.role == "system":
            latest = [*latest, turn] if previous == "system" else [turn]
        previous = turn.role
    return tuple(latest)


def open_conversation(
    db: Database,
    named: str | None,
    *,
    continue_last: bool,
    app: str | None = None,
    user: str | None = None,
) -> Conversation:
    """Return the named conversation, the last one of this app and user, or a new one.

    Raises UsageError where there is none to continue, both were asked for, or the named one is
    another app's or user's.
    """
    if continue_last and named is not None:
        raise UsageError(
            "either --continue or --conversation", hint=f"rolecall ask --conversation {named}"
        )
    if continue_last:
        named = last_conversation(db, app, user)
        if named is None:
            whose = "" if app is None and user is None else f" of {_owner(app, user)}"
            raise UsageError(
                f"there is no conversation{whose} to continue",
                hint="prompts asked with --no-log, or by a private strategy, are not kept",
            )
    if named is None:
        return Conversation(new_id(utc_now()))
    terms = read_terms(db, named)
    if terms is not None and (terms.app, terms.user) != (app, user):
        raise UsageError(
            f"conversation {named} is one of {_owner(terms.app, terms.user)}",
            hint=f"continue it with {_flags(terms.app, terms.user)}, or choose another id",
        )
    return Conversation(named, read_turns(db, named))


def _owner(app: str | None, user: str | None) -> str:
    named = (f"{kind} {name}" for kind, name in (("app", app), ("user", user)) if name is not None)
    return " and ".join(named) or "no app and no user"


def _flags(app: str | None, user: str | None) -> str:
    named = (("--app", app), ("--user", user))
    given = " ".join(f"{flag} {name}" for flag, name in named if name is not None)
    left_out = " and ".join(f"without {flag}" for flag, name in named if name is None)
    return " ".join(filter(None, (given, left_out)))
