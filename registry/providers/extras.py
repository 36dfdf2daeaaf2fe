"""What turns and tools say beside their content, and which endpoints have a place for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.registry.core.chat import Chat, Extra, Text, ToolCall, ToolResult
from rolecall.registry.providers.generations import generation_of
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.protocol import Target

_OF_ANTHROPIC = frozenset({"cache_control", "citations", "context", "title"})
_QUIET = frozenset({"file_id"})  # of such a file nothing can be sent at all


def taken_extras(target: Target) -> frozenset[str]:
    """Return the names that the endpoint's API, host and model have a place for.

    `cache_control`, a document's `citations`, `context` and `title`, an image's
    `detail`, a tool's `strict`, a message's `name`.
    """
    endpoint = target.endpoint
    if endpoint.api == "anthropic":
        claude = generation_of(target, "anthropic")
        is_strict = claude is not None and claude.has("strict_tools")
        return _OF_ANTHROPIC | ({"strict"} if is_strict else set())
    if endpoint.api != "openai":
        return frozenset()
    found = {"detail", "strict"}
    if not has_habit(endpoint, "takes_no_names"):
        found.add("name")
    if has_habit(endpoint, "takes_cache_control"):
        found.add("cache_control")
    return frozenset(found)


def lost_extras(target: Target, chat: Chat) -> tuple[str, ...]:
    """Name what a chat says that the endpoint has no place for, sorted."""
    return tuple(sorted(set(_names(chat)) - taken_extras(target) - _QUIET))


def kept_extra(extra: Extra | None, names: Iterable[str]) -> dict[str, object]:
    """Return what of an extra goes by one of these names."""
    return {name: extra[name] for name in names if extra and name in extra}


def _names(chat: Chat) -> Iterator[str]:
    for turn in chat.turns:
        if turn.name is not None:
            yield "name"
        for part in turn.parts:
            if isinstance(part, Text | ToolCall | ToolResult):
                yield from part.extra or ()
            if isinstance(part, ToolResult):
                yield from (name for inner in part.content for name in inner.extra or ())
    for media in chat.media:
        yield from media.extra or ()
    for tool in chat.tools:
        yield from tool.extra or ()
