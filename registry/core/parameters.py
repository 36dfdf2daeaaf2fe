"""Request parameters that leave an answer as it would be without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# How a server is to keep, price, place or count a request, not what it is to answer. An API that
# has no place for one of these excludes nobody: it is left out, and that is said.
HINTS = frozenset(
    {
        *("user", "metadata", "store", "safety_identifier", "session_id", "request_id", "trace"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_isolation_key"),
        *("cache_control", "prediction", "usage"),
        *("cache_prompt", "cache_salt", "id_slot", "priority", "timings_per_token"),
        *("return_progress", "include_reasoning", "keep_alive", "num_ctx", "num_keep"),
        *("num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock", "low_vram"),
        *("numa", "f16_kv"),
    }
)
# What each parameter does not change when it is set to it, in every server that has it.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(("n", "best_of", "temperature", "top_p", "length_penalty"), (1,)),
    **dict.fromkeys(("repetition_penalty", "repeat_penalty", "typical_p"), (1,)),
    **dict.fromkeys(("presence_penalty", "frequency_penalty", "min_p", "min_tokens"), (0,)),
    **dict.fromkeys(("top_logprobs", "prompt_logprobs", "mirostat", "top_a"), (0,)),
    **dict.fromkeys(("logprobs", "echo", "ignore_eos", "use_beam_search", "store"), (False,)),
    **dict.fromkeys(("include_stop_str_in_output", "continue_final_message"), (False,)),
    **dict.fromkeys(("parallel_tool_calls", "skip_special_tokens"), (True,)),
    **dict.fromkeys(("add_generation_prompt", "spaces_between_special_tokens"), (True,)),
    "top_k": (0, -1),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "tool_choice": ("auto",),
    "verbosity": ("medium",),
}
_EMPTY: tuple[Any, ...] = ("", [], {})


def is_neutral(name: str, value: Any) -> bool:
    """Tell whether a parameter set to this value asks for nothing, so that no API loses it."""
    return value is None or value in _EMPTY or value in _NEUTRAL.get(name, ())
