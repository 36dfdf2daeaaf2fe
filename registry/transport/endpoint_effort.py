"""The effort that an endpoint asks for, as an option of a chat that says nothing of thinking."""

from __future__ import annotations

from dataclasses import replace

from rolecall.registry.chat import Chat
from rolecall.registry.effort import Effort, level_of
from rolecall.registry.transport.anthropic_thinking import claude_of, is_forced
from rolecall.registry.transport.formats import Target
from rolecall.registry.transport.gemini_thinking import gemini_of

_OPTIONS = ("reasoning_effort", "thinking_budget")


def with_effort(target: Target, chat: Chat) -> Chat:
    """Return the chat with its endpoint's effort as an option, unless it sets its own.

    A budget becomes the nearest level where only levels are taken. Anthropic refuses to force a
    tool while it thinks: there a tool that must be called goes before the endpoint's effort.
    """
    effort = _effort(target, chat)
    if effort is None:
        return chat
    option = _OPTIONS[isinstance(effort, int)]
    return replace(chat, options={**chat.options, option: effort})


def effort_note(target: Target, chat: Chat) -> str | None:
    """Say where the endpoint's effort is not asked for as it stands; null where it is."""
    wanted, sent = target.endpoint.reasoning_effort, _effort(target, chat)
    if wanted == sent or _sets_its_own(chat):
        return None
    if sent is None:
        return f"{target.endpoint.id} is not asked to think: a tool must be called"
    return f"{target.endpoint.id} takes no budget for thinking: {wanted:,} tokens sent as {sent}"


def _effort(target: Target, chat: Chat) -> Effort | None:
    effort = target.endpoint.reasoning_effort
    if effort is None or _sets_its_own(chat):
        return None
    must_call = bool(chat.tools) and is_forced(chat.options.get("tool_choice"))
    if must_call and effort != "none" and target.endpoint.api == "anthropic":
        return None
    return effort if isinstance(effort, str) or _takes_budget(target) else level_of(effort)


def _sets_its_own(chat: Chat) -> bool:
    return any(option in chat.options for option in _OPTIONS)


def _takes_budget(target: Target) -> bool:
    """Tell whether what serves a target can be told how many tokens to think."""
    match target.endpoint.api:
        case "anthropic":
            claude = claude_of(target)
            return claude is None or claude.takes_budget
        case "gemini":
            gemini = gemini_of(target)
            return gemini is not None and not gemini.has_levels
        case _:
            return False
