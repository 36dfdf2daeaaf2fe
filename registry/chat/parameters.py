"""How an answer is asked for, in OpenAI's, Anthropic's and OpenRouter's words, in one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from rolecall.registry.chat.content import object_at
from rolecall.registry.chat.tools import tool_choice
from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.json_text import is_whole, kind_of

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
USUAL_EFFORT = "medium"
NO_EFFORT = "none"
# Two ways to say how much to think: setting one replaces the other.
THINKING_OPTIONS = ("thinking_budget", "reasoning_effort")


class Values(NamedTuple):
    """What a parameter may be set to on the command line; null where there is no bound."""

    kind: Literal["number", "whole", "word", "truth", "any"] = "any"
    lowest: float | None = None
    highest: float | None = None
    words: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        """Say what is wrong with a value; null where nothing is."""
        if self.kind == "word":
            return None if value in self.words else f"is none of {', '.join(self.words)}"
        if self.kind == "truth":
            return None if isinstance(value, bool) else "is neither true nor false"
        if self.kind == "any":
            return None
        if not is_whole(value) and not (self.kind == "number" and isinstance(value, float)):
            return "is not a number" if self.kind == "number" else "is not a whole number"
        if self.lowest is not None and value < self.lowest:
            return f"is below {self.lowest}"
        is_above = self.highest is not None and value > self.highest
        return f"is above {self.highest}" if is_above else None


# The parameters that are known by name; a server may have others of its own. Requests in a file
# are passed on as they are: what a server makes of a value is its own affair.
PARAMETERS: Mapping[str, Values] = {
    "temperature": Values("number", 0, 2),
    "top_p": Values("number", 0, 1),
    "min_p": Values("number", 0, 1),
    "frequency_penalty": Values("number", -2, 2),
    "presence_penalty": Values("number", -2, 2),
    "repetition_penalty": Values("number", 0),
    "top_k": Values("whole", 0),
    "seed": Values("whole"),
    "top_logprobs": Values("whole", 0, 20),
    "thinking_budget": Values("whole", 0),
    "reasoning_effort": Values("word", words=EFFORTS),
    "verbosity": Values("word", words=("low", "medium", "high")),
    "parallel_tool_calls": Values("truth"),
    "logprobs": Values("truth"),
    "n": Values("whole"),
    **dict.fromkeys(("stop", "tool_choice", "thinking", "logit_bias"), Values()),
    **dict.fromkeys(("service_tier", "min_tokens"), Values()),
}
# Ollama's and llama.cpp's names, where a number below 0 means no limit.
_ENDLESS = ("num_predict", "n_predict")
_LIMITS = (
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"),
    *_ENDLESS,
)


def options_of(body: Mapping[str, Any], kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters that a flattened request sets, under their canonical names.

    `kept` holds those that need no translation. Raises InvalidPrompt.
    """
    translated = dict(_stop(body, name)) | dict(_tool_choice(body, name)) | _thinking(body, name)
    return dict(_plain(kept)) | translated


def max_tokens_of(body: Mapping[str, Any], name: str) -> int | None:
    """Return the most output tokens asked for, under any of its names. Raises InvalidPrompt."""
    for key in _LIMITS:
        limit = body.get(key)
        if limit is None or (key in _ENDLESS and is_whole(limit) and limit < 0):
            continue
        if not is_whole(limit) or limit < 1:
            raise InvalidPrompt(f"{name}: {key}: expected a whole number above 0")
        return int(limit)
    return None


def stop_list(value: Any, place: str) -> list[str]:
    """Return the texts that end an answer, given as one text or a list. Raises InvalidPrompt."""
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
        raise InvalidPrompt(f"{place}: expected a text or a list of texts")
    return stops


def _plain(kept: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield parameters as they are; the caller's name as Anthropic gives it is the `user`."""
    metadata = kept.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    if user is not None and "user" not in kept:
        yield "user", user
    for key, value in kept.items():
        if key != "metadata" or user is None or set(metadata or ()) != {"user_id"}:
            yield key, value


def _stop(body: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for key in ("stop", "stop_sequences"):
        stops = stop_list(body.get(key) or [], f"{name}: {key}")
        if stops:
            yield "stop", stops
            return


def _tool_choice(body: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for key in ("tool_choice", "function_call"):
        choice = body.get(key)
        if choice is None:
            continue
        chosen = tool_choice(choice, f"{name}: {key}")
        if chosen != "auto":  # which is what every API does by itself
            yield "tool_choice", chosen
        if isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True:
            yield "parallel_tool_calls", False
        return


def _thinking(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the budget for thinking, or the effort put into it, or both where both are said."""
    thinking = object_at(body, "thinking", name)
    reasoning = object_at(body, "reasoning", name)
    gemini = object_at(body, "thinking_config", name)
    gemini = {key.replace("thinking", "").lower().strip("_"): gemini[key] for key in gemini}
    if is_whole(gemini.get("budget")) and gemini["budget"] < 0:
        del gemini["budget"]  # -1: as the model sees fit
    budget = _first(
        (f"{name}: thinking_budget", body.get("thinking_budget")),
        (f"{name}: thinking.budget_tokens", thinking.get("budget_tokens")),
        (f"{name}: reasoning.max_tokens", reasoning.get("max_tokens")),
        (f"{name}: thinkingConfig.thinkingBudget", gemini.get("budget")),
    )
    effort = _first(
        (f"{name}: reasoning_effort", body.get("reasoning_effort")),
        (f"{name}: reasoning.effort", reasoning.get("effort")),
        (f"{name}: output_config.effort", object_at(body, "output_config", name).get("effort")),
        (f"{name}: think", _effort_word(body.get("think"))),
        (f"{name}: thinkingConfig.thinkingLevel", _effort_word(gemini.get("level"))),
    )
    if budget and (not is_whole(budget[1]) or budget[1] < 0):
        raise InvalidPrompt(f"{budget[0]}: expected a whole number of tokens")
    if effort and not isinstance(effort[1], str):
        raise InvalidPrompt(f"{effort[0]}: expected a word, found {kind_of(effort[1])}")
    is_off = thinking.get("type") == "disabled" or reasoning.get("enabled") is False
    if is_off or (budget and budget[1] == 0):
        budget, effort = None, (name, NO_EFFORT)  # which every API can be told
    is_on = thinking.get("type") in ("enabled", "adaptive") or reasoning.get("enabled") is True
    if is_on and not budget and not effort:
        effort = (name, USUAL_EFFORT)
    said = zip(THINKING_OPTIONS, (budget, effort), strict=True)
    return {option: found[1] for option, found in said if found}


def _effort_word(value: Any) -> Any:
    """Return the effort that Ollama's `think` or Gemini's level stands for."""
    if isinstance(value, bool):
        return USUAL_EFFORT if value else NO_EFFORT
    return value.lower() if isinstance(value, str) else value


def _first(*places: tuple[str, Any]) -> tuple[str, Any] | None:
    """Return the first place at which something is said, with what is said there."""
    return next((found for found in places if found[1] is not None), None)
