"""How a Claude is asked to think, and what its generation refuses beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rolecall.registry.core.chat import Chat, Thinking, ToolCall
from rolecall.registry.core.effort import level_of
from rolecall.registry.providers.anthropic.messages import loop_start, may_return
from rolecall.registry.providers.generations import Generation, generation_of
from rolecall.registry.providers.protocol import Target

SAMPLING = ("temperature", "top_p", "top_k")
_NO_THINKING = ("none", "minimal")
_LEAST_BUDGET = 1024
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_MOST_HIGH = 24_576
_UNKNOWN_MOST = 8_192
# The API wants a limit where others need none. Asking for all that a model can give holds that
# much of the output rate limit and of the context window, and lets a runaway answer cost it.
_USUAL_MOST = 32_000


@dataclass(frozen=True, slots=True)
class ThinkingPlan:
    """How a request is to be thought about: as the API says it, and the output it needs."""

    max_tokens: int
    thinking: Mapping[str, Any] | None = None
    effort: str | None = None
    is_on: bool = False


def claude_of(target: Target) -> Generation | None:
    """Return which Claude a target serves; null for the models of others behind this API."""
    return generation_of(target, "anthropic")


def planned(target: Target, chat: Chat) -> ThinkingPlan:
    """Return how to think, by what the chat's options ask and the model knows."""
    claude, options = claude_of(target), chat.options
    budget, effort = options.get("thinking_budget"), options.get("reasoning_effort")
    if budget is None and effort is None:
        return ThinkingPlan(_max_tokens(target, chat), **_unasked(claude, chat))
    if budget == 0 or (budget is None and effort in _NO_THINKING):
        return ThinkingPlan(_max_tokens(target, chat), **_off(claude))
    takes_budget = claude is None or claude.has("budget")
    if claude is not None and claude.has("adaptive") and (budget is None or not takes_budget):
        thinking = {"type": "adaptive"}
        if not takes_budget:
            thinking["display"] = "summarized"  # else the stream is silent while it thinks
        word = _effort(effort, budget, claude)
        return ThinkingPlan(_max_tokens(target, chat, thinks=True), thinking, word, is_on=True)
    wanted = budget if budget is not None else _BUDGETS.get(str(effort), _BUDGETS["medium"])
    return _with_budget(target, chat, wanted)


def left_out(target: Target, chat: Chat) -> frozenset[str]:
    """Name the options that the model refuses beside its thinking, and so are not sent."""
    claude, plan, options = claude_of(target), planned(target, chat), chat.options
    lost = set[str]()
    if plan.is_on or (claude is not None and not claude.has("sampling")):
        lost |= set(SAMPLING)
    elif claude is not None and claude.has("either_sampling") and "temperature" in options:
        lost.add("top_p")
    may_force = not plan.is_on and (claude is None or claude.has("forced_tools"))
    if is_forced(options.get("tool_choice")) and not may_force:
        lost.add("tool_choice")
    if not plan.is_on and _asks_to_think(options) and _lacks_thinking(chat):
        lost |= {"reasoning_effort", "thinking_budget"}
    return frozenset(lost & set(options))


def _asks_to_think(options: Mapping[str, Any]) -> bool:
    """Tell whether thinking is asked for, and not that there be none."""
    if options.get("thinking_budget"):
        return True
    return options.get("reasoning_effort") not in (None, *_NO_THINKING)


def is_forced(choice: Any) -> bool:
    """Tell whether a tool choice makes the model call a tool."""
    return choice == "required" or isinstance(choice, dict)


def _unasked(claude: Generation | None, chat: Chat) -> dict[str, Any]:
    """Say nothing of thinking, unless it is on and would refuse a tool that must be called."""
    forces = bool(chat.tools) and is_forced(chat.options.get("tool_choice"))
    if forces and claude is not None and claude.has("stops_thinking", "thinks_unasked"):
        return {"thinking": {"type": "disabled"}}
    return {}


def _off(claude: Generation | None) -> dict[str, Any]:
    """Say not to think, or as little as can be.

    Before Claude 5 nothing is said: they do not think unasked, and some refuse to be told.
    """
    if claude is None or claude.has("stops_thinking", "thinks_unasked"):
        return {"thinking": {"type": "disabled"}}
    if not claude.has("thinks_unasked"):
        return {}
    least = claude.takes.get("least_thinking")
    return {"effort": "low"} if least is None else {"thinking": {"type": least}}


def _effort(effort: str | None, budget: int | None, claude: Generation) -> str:
    """Return the word for an effort, or for a budget that can no longer be given as one."""
    if effort is None or effort in _NO_THINKING:
        effort = "xhigh" if (budget or 0) > _MOST_HIGH else level_of(budget or 0)
    return "high" if effort == "xhigh" and claude.has("budget") else effort


def _with_budget(target: Target, chat: Chat, budget: int) -> ThinkingPlan:
    """Return a plan with a budget of tokens, which must stay below the limit of the output."""
    most = _max_tokens(target, chat, budget=max(budget, _LEAST_BUDGET))
    if budget >= most:
        budget = most // 2  # the other half is for the answer
    budget = max(budget, _LEAST_BUDGET)
    if budget >= most or _lacks_thinking(chat):
        return ThinkingPlan(_max_tokens(target, chat))
    return ThinkingPlan(most, {"type": "enabled", "budget_tokens": budget}, is_on=True)


def _lacks_thinking(chat: Chat) -> bool:
    """Whether a tool loop going on, or the answer, was begun without thinking: it cannot set in."""
    if chat.prefill is not None and not isinstance(chat.prefill.parts[0], Thinking):
        return True
    for turn in chat.turns[loop_start(chat.turns) :]:
        first = turn.parts[0] if turn.parts else None
        is_thought = isinstance(first, Thinking) and may_return(first, True)
        if any(isinstance(part, ToolCall) for part in turn.parts) and not is_thought:
            return True
    return False


def _max_tokens(target: Target, chat: Chat, *, budget: int = 0, thinks: bool = False) -> int:
    """Return the limit of the output: as asked, else a usual one with room for thinking."""
    most = target.endpoint.max_output_tokens
    most = target.model.max_output_tokens if most is None else most
    if chat.max_tokens is not None:
        return chat.max_tokens
    unknown = _USUAL_MOST if thinks else _UNKNOWN_MOST
    usual = min(unknown if most is None else most, _USUAL_MOST) + budget
    return usual if most is None else min(usual, most)
