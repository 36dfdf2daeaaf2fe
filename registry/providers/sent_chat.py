"""A chat as an endpoint is sent it: with the endpoint's effort, without what is not taken there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rolecall.registry.core.chat import NEED_TOOLS, Chat
from rolecall.registry.core.effort import Effort, level_of
from rolecall.registry.core.parameters import is_neutral
from rolecall.registry.providers.anthropic.thinking import claude_of, is_forced, left_out
from rolecall.registry.providers.extras import lost_extras
from rolecall.registry.providers.gemini.thinking import gemini_of, thinking_config
from rolecall.registry.providers.generations import generation_of
from rolecall.registry.providers.hosts import has_habit
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.support import uncarried
from rolecall.registry.providers.turns import taken_turns

_THINKING = ("reasoning_effort", "thinking_budget")
# What OpenAI's own server knows by name for each of its models.
_ITS_OWN = ("n", "store", "modalities", "verbosity")
# Not the same as to say nothing: who pays what, and what an endpoint's own default may replace.
_NEVER_NEEDLESS = ("temperature", "top_p", "tool_choice", "service_tier")


@dataclass(frozen=True, slots=True)
class SentChat:
    """A chat as it is sent.

    `dropped` names the parameters and extras that it lost, sorted; neutral values lose nothing.
    `note` is on its effort, `notes` on turns that are sent otherwise than they were given.
    """

    chat: Chat
    dropped: tuple[str, ...] = ()
    note: str | None = None
    notes: tuple[str, ...] = ()


def sent_chat(target: Target, chat: Chat) -> SentChat:
    """Return a chat as it is sent to a target.

    Where it says nothing of thinking, it is sent with the effort of its endpoint. Dropped are
    what the API has no place for, what the endpoint does not take, what Anthropic refuses beside
    its thinking, and how to think for a Gemini that is not told.
    """
    effort, note = _effort(target, chat)
    if effort is not None:
        option = _THINKING[isinstance(effort, int)]
        chat = replace(chat, options={**chat.options, option: effort})
    endpoint = target.endpoint
    turns, notes = taken_turns(endpoint, chat.turns)
    chat = replace(chat, turns=turns)
    named = {*chat.parameters, *chat.options}
    lost = set(uncarried(endpoint.api, named)) | _lost_metadata(target, chat)
    lost |= _needless(target, chat)
    if endpoint.api == "ollama" and chat.options.get("thinking_budget") == 0:
        lost.discard("thinking_budget")  # no budget is no thinking, which it can be told
    taken = {*named, "response_format"} if chat.schema is not None else named
    lost |= taken & set(endpoint.unsupported_parameters)
    if endpoint.api == "gemini" and thinking_config(target, chat.options) is None:
        lost |= named & set(_THINKING)
    # How much to think cannot be told Ollama, but that it shall think can.
    sent = _without(chat, lost - {"thinking_budget"} if endpoint.api == "ollama" else lost)
    if endpoint.api == "anthropic":
        refused = left_out(target, sent)
        lost |= refused
        sent = _without(sent, refused)
    said = {name for name in lost if not is_neutral(name, chat.options.get(name, True))}
    if not chat.tools:
        said -= NEED_TOOLS
        notes = (*notes, *_without_tools(chat))
    return SentChat(sent, tuple(sorted({*said, *lost_extras(target, chat)})), note, notes)


def _needless(target: Target, chat: Chat) -> set[str]:
    """Return neutral values that change nothing at their makers' servers, but may be refused.

    These refuse the mere name where a model has not the parameter, or a value such as `top_k` -1
    that other servers have for none. Elsewhere a neutral value may replace a model's own default.
    """
    is_openai = target.endpoint.api == "openai"
    if target.endpoint.api == "ollama" or (
        is_openai and not has_habit(target.endpoint, "openai_itself")
    ):
        return set()
    kept = (*_NEVER_NEEDLESS, *(_ITS_OWN if is_openai else ()))
    return {
        name for name, value in chat.options.items() if name not in kept and is_neutral(name, value)
    }


def _lost_metadata(target: Target, chat: Chat) -> set[str]:
    """Return `metadata` where OpenAI itself refuses it: of an answer that it does not store."""
    is_openai = target.endpoint.api == "openai" and has_habit(target.endpoint, "openai_itself")
    is_stored = chat.options.get("store") is True
    return {"metadata"} & set(chat.options) if is_openai and not is_stored else set()


def _without_tools(chat: Chat) -> Iterator[str]:
    """Say in a note that how to call tools is left out, where there are none to call."""
    asked = {name: chat.options[name] for name in sorted(NEED_TOOLS & set(chat.options))}
    named = [one for one, value in asked.items() if value != "none" and not is_neutral(one, value)]
    if named:
        yield f"no tools are attached: {', '.join(named)} left out"


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


def _effort(target: Target, chat: Chat) -> tuple[Effort | None, str | None]:
    """Return the effort to send and, where the endpoint asks for another, a note that says why.

    Null where the endpoint has none, or the chat sets its own. A budget becomes the nearest level
    where only levels are taken. Where tools are refused beside thinking, they go before the
    endpoint's effort, which then is `none`.
    """
    endpoint, wanted = target.endpoint, target.endpoint.reasoning_effort
    if wanted is None or any(option in chat.options for option in _THINKING):
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
