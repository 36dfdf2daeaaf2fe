"""A chat as an endpoint is sent it: with the endpoint's effort, without what is not taken there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rolecall.registry.core.chat import Chat
from rolecall.registry.providers.anthropic.thinking import left_out
from rolecall.registry.providers.endpoint_effort import effort_of
from rolecall.registry.providers.gemini.thinking import thinking_config
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.support import uncarried

_THINKING = ("reasoning_effort", "thinking_budget")


@dataclass(frozen=True, slots=True)
class SentChat:
    """A chat as it is sent, the parameters `dropped` from it (sorted), and a note on its effort."""

    chat: Chat
    dropped: tuple[str, ...] = ()
    note: str | None = None


def sent_chat(target: Target, chat: Chat) -> SentChat:
    """Return a chat as it is sent to a target.

    Where it says nothing of thinking, it is sent with the effort of its endpoint. Dropped are
    what the API has no place for, what the endpoint does not take, what Anthropic refuses beside
    its thinking, and how to think for a Gemini that is not told.
    """
    effort, note = effort_of(target, chat)
    if effort is not None:
        option = _THINKING[isinstance(effort, int)]
        chat = replace(chat, options={**chat.options, option: effort})
    endpoint = target.endpoint
    named = chat.parameters
    lost = set(uncarried(endpoint.api, named))
    if endpoint.api == "ollama" and chat.options.get("thinking_budget") == 0:
        lost.discard("thinking_budget")  # no budget is no thinking, which it can be told
    taken = {*named, "response_format"} if chat.schema is not None else set(named)
    lost |= taken & set(endpoint.unsupported_parameters)
    if endpoint.api == "gemini" and thinking_config(target, chat.options) is None:
        lost |= set(named) & set(_THINKING)
    # How much to think cannot be told Ollama, but that it shall think can.
    sent = _without(chat, lost - {"thinking_budget"} if endpoint.api == "ollama" else lost)
    if endpoint.api == "anthropic":
        refused = left_out(target, sent)
        lost |= refused
        sent = _without(sent, refused)
    return SentChat(sent, tuple(sorted(lost)), note)


def _without(chat: Chat, names: Iterable[str]) -> Chat:
    gone = set(names)
    return replace(
        chat,
        options={name: value for name, value in chat.options.items() if name not in gone},
        schema=None if "response_format" in gone else chat.schema,
        tools=tuple(
            tool for tool in chat.tools if tool.native is None or "provider_tools" not in gone
        ),
    )
