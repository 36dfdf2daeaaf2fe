"""The effort that an endpoint asks for, as an option of a chat that says nothing of thinking."""

from __future__ import annotations

import re
from dataclasses import replace

from rolecall.registry.core.chat import Chat
from rolecall.registry.core.effort import Effort, level_of
from rolecall.registry.providers.anthropic.thinking import claude_of, is_forced
from rolecall.registry.providers.gemini.thinking import gemini_of
from rolecall.registry.providers.http.url import is_host_of
from rolecall.registry.providers.openai.request import OWN_HOSTS
from rolecall.registry.providers.protocol import Target

_OPTIONS = ("reasoning_effort", "thinking_budget")
_GPT = re.compile(r"gpt-(\d{1,2})\.(\d{1,2})(?!\d)")
# From here on OpenAI's chat completions refuse tools beside any effort but `none`.
_FIRST_WITHOUT_TOOLS = (5, 2)


def with_effort(target: Target, chat: Chat) -> Chat:
    """Return the chat with its endpoint's effort as an option, unless it sets its own.

    A budget becomes the nearest level where only levels are taken. Where tools are refused
    beside thinking, they go before the endpoint's effort, which then is `none`.
    """
    effort = _effort(target, chat)
    if effort is None:
        return chat
    option = _OPTIONS[isinstance(effort, int)]
    return replace(chat, options={**chat.options, option: effort})


def effort_note(target: Target, chat: Chat) -> str | None:
    """Say where the endpoint's effort is not asked for as it stands; null where it is."""
    wanted, sent = target.endpoint.reasoning_effort, _effort(target, chat)
    if sent is None or sent == wanted:
        return None
    if sent == "none":
        return f"{target.endpoint.id} is asked not to think: it could not be given these tools"
    return f"{target.endpoint.id} takes no budget for thinking: {wanted:,} tokens sent as {sent}"


def _effort(target: Target, chat: Chat) -> Effort | None:
    """Return the effort to send; null where the endpoint has none, or the chat sets its own."""
    effort = target.endpoint.reasoning_effort
    if effort is None or any(option in chat.options for option in _OPTIONS):
        return None
    if _has_tools_against_thinking(target, chat):
        return "none"
    return effort if isinstance(effort, str) or _takes_budget(target) else level_of(effort)


def _has_tools_against_thinking(target: Target, chat: Chat) -> bool:
    """Tell whether tools are attached in a way that is refused by a model that thinks."""
    if not chat.tools:
        return False
    if target.endpoint.api == "anthropic":
        return is_forced(chat.options.get("tool_choice"))
    found = _GPT.search(target.endpoint.remote_model) or _GPT.search(target.model.id)
    if found is None or not is_host_of(target.endpoint.base_url, OWN_HOSTS):
        return False
    return (int(found[1]), int(found[2])) >= _FIRST_WITHOUT_TOOLS


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
