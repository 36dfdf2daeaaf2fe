"""Why an answer ended, in OpenAI's words where there is one for what the server said."""

from __future__ import annotations

import re

_FILTER_WORDS = re.compile(
    r"content.?filter|safety|recitation|block(?:list|ed)|prohibit|sensitive|refus|spii|moderat"
    r"|guardrail|violat|flagged|content.?policy|model.?armor|inspection|toxic|unsafe|censor"
    r"|inappropriate",
    re.IGNORECASE,
)
_LENGTH_WORDS = re.compile(r"length|max_?(?:output_?|completion_?)?tokens|context_?window", re.I)
_STOPS = {
    *("stop", "stop_sequence", "stop_token", "end", "end_turn", "end_of_turn", "eos", "eos_token"),
    *("complete", "completed", "finished", "done", "normal", "pause_turn", "stop_criteria"),
}
_CALLS = {"tool_calls", "function_call", "tool_use", "tool_call"}


def finish_word(reason: str) -> str:
    """Return `stop`, `length`, `tool_calls` or `content_filter`; what is none of them as it is."""
    plain = reason.strip().lower()
    if plain in _STOPS:
        return "stop"
    if plain in _CALLS:
        return "tool_calls"
    if _FILTER_WORDS.search(plain):
        return "content_filter"
    return "length" if _LENGTH_WORDS.search(plain) else reason
