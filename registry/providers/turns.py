"""A conversation as an API takes it: begun by the user, no result without its call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rolecall.registry.core.chat import Media, Part, Text, Thinking, ToolCall, ToolResult, Turn
from rolecall.registry.core.entities import Api, Endpoint
from rolecall.registry.providers.hosts import has_habit

# These have one place for system prompts, and want a user's message first.
_WITHOUT_SYSTEM_MESSAGES: tuple[Api, ...] = ("anthropic", "gemini")
_ONLY_TEXT_OF_ASSISTANTS: tuple[Api, ...] = ("anthropic", "openai")
_SOLID = (Media, ToolCall, ToolResult)
_BEGINNING = Turn("user", (Text("(the conversation so far begins with your answer)"),))


def taken_turns(
    endpoint: Endpoint, turns: Sequence[Turn]
) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Return the turns as an endpoint takes them, and a note on each thing that was changed."""
    notes: list[str] = []
    if endpoint.api in _ONLY_TEXT_OF_ASSISTANTS:
        turns = tuple(_without_media(turns, notes))
    found = tuple(_linked(turns, notes)) if endpoint.api != "ollama" else tuple(turns)
    has_place = endpoint.api not in _WITHOUT_SYSTEM_MESSAGES
    if has_place and not has_habit(endpoint, "wants_a_users_message"):
        return found, tuple(notes)
    said = [turn for turn in found if turn.role != "system" and _says_something(turn)]
    if not said:
        notes.append("the system prompt is all there is: sent as the user's message")
        instructions = [turn for turn in found if turn.role == "system"]
        return tuple(replace(turn, role="user") for turn in instructions), tuple(notes)
    if has_place:
        return found, tuple(notes)
    if said[0].role == "assistant":
        notes.append("the first message is the assistant's: a user's message is put before it")
        place = found.index(said[0])
        found = (*found[:place], _BEGINNING, *found[place:])
    if any(turn.role == "system" for turn in found[found.index(said[0]) :]):
        notes.append("system messages among the others are sent with the system prompt")
    return found, tuple(notes)


def _without_media(turns: Sequence[Turn], notes: list[str]) -> Iterator[Turn]:
    """Yield the turns without what an assistant attached, for which its messages have no place."""
    for turn in turns:
        rest = tuple(part for part in turn.parts if not isinstance(part, Media))
        if turn.role == "assistant" and len(rest) < len(turn.parts):
            note = "attachments in the assistant's messages are left out: only text is taken there"
            notes += [] if note in notes else [note]
            turn = replace(turn, parts=rest)
        yield turn


def _linked(turns: Sequence[Turn], notes: list[str]) -> Iterator[Turn]:
    """Yield the turns with results that no call asked for as text, since APIs refuse them."""
    called: set[str] = set()
    for turn in turns:
        called |= {part.id for part in turn.parts if isinstance(part, ToolCall)}
        answering = tuple(_answering(turn.parts, called))
        if len(answering) == len(turn.parts):
            yield turn
            continue
        notes.append("a tool's result has no call in the conversation: sent as text")
        if answering:
            yield replace(turn, parts=answering)
        yield Turn("user", tuple(_as_text(turn.parts, called)), turn.name)


def _answering(parts: Sequence[Part], called: set[str]) -> Iterator[Part]:
    for part in parts:
        if not isinstance(part, ToolResult) or part.call_id in called:
            yield part


def _as_text(parts: Sequence[Part], called: set[str]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, ToolResult) and part.call_id not in called:
            yield Text(f"(result of the tool {part.name or part.call_id})")
            yield from part.content


def _says_something(turn: Turn) -> bool:
    return any(
        part.text.strip() if isinstance(part, Text | Thinking) else isinstance(part, _SOLID)
        for part in turn.parts
    )
