"""The effort that an endpoint asks for, as a chat that says nothing of thinking is sent it."""

from __future__ import annotations

from rolecall.registry.core.chat import Chat
from rolecall.registry.core.effort import Effort, level_of
from rolecall.registry.providers.anthropic.thinking import claude_of, is_forced
from rolecall.registry.providers.gemini.thinking import gemini_of
from rolecall.registry.providers.generations import generation_of
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.protocol import Target


def effort_of(target: Target, chat: Chat) -> tuple[Effort | None, str | None]:
    """Return the effort to send and, where the endpoint asks for another, a note that says why.

    Null where the endpoint has none, or the chat sets its own. A budget becomes the nearest level
    where only levels are taken. Where tools are refused beside thinking, they go before the
    endpoint's effort, which then is `none`.
    """
    endpoint, wanted = target.endpoint, target.endpoint.reasoning_effort
    if wanted is None or {"reasoning_effort", "thinking_budget"} & set(chat.options):
        return None, None
    if wanted != "none" and _has_tools_against_thinking(target, chat):
        return "none", f"{endpoint.id} is asked not to think: it could not be given these tools"
    if isinstance(wanted, str) or _takes_budget(target):
        return wanted, None
    level = level_of(wanted)
    note = f"{endpoint.id} takes no budget for thinking: {wanted:,} tokens sent as {level}"
    return level, note


def _has_tools_against_thinking(target: Target, chat: Chat) -> bool:
    """Tell whether tools are attached in a way that is refused by a model that thinks."""
    if not chat.tools:
        return False
    if target.endpoint.api == "anthropic":
        return is_forced(chat.options.get("tool_choice"))
    gpt = generation_of(target, "openai")
    refuses = gpt is not None and gpt.has("refuses_tools_while_thinking")
    return refuses and has_habit(target.endpoint, "openai_itself")


def _takes_budget(target: Target) -> bool:
    """Tell whether what serves a target can be told how many tokens to think."""
    match target.endpoint.api:
        case "anthropic":
            claude = claude_of(target)
            return claude is None or claude.has("budget")
        case "gemini":
            gemini = gemini_of(target)
            return gemini is not None and not gemini.has("levels")
        case _:
            return False
