"""Which request parameters and attachments each API has a place for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall.registry.core.entities import Api

_SAMPLING = frozenset({"temperature", "top_p", "top_k", "stop"})
_PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
# OpenAI's own names: whatever is not listed here is passed on as it is, and refused there if
# the server does not know it.
_OLLAMAS_OWN = frozenset(
    {
        *("num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"),
        *("use_mlock", "low_vram", "numa", "f16_kv", "keep_alive"),
    }
)
_NOT_IN_OPENAI = _OLLAMAS_OWN | {"thinking_budget", "provider_tools", "cache_control"}
_CARRIED: Mapping[Api, frozenset[str]] = {
    "anthropic": _SAMPLING
    | {"reasoning_effort", "thinking_budget", "tool_choice", "parallel_tool_calls"}
    | {"user", "service_tier", "provider_tools", "cache_control"},
    "gemini": _SAMPLING
    | _PENALTIES
    | {"seed", "logprobs", "top_logprobs", "reasoning_effort", "thinking_budget"}
    | {"tool_choice", "response_format"},
    "ollama": _SAMPLING
    | _PENALTIES
    | {"min_p", "seed", "repeat_penalty", "repeat_last_n", "typical_p", "tfs_z"}
    | {"mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline"}
    | {"reasoning_effort", "response_format"}
    | _OLLAMAS_OWN,
}


def uncarried(api: Api, parameters: Iterable[str]) -> tuple[str, ...]:
    """Name the parameters that an API has no place for, so that sending would lose them.

    Parameters go by the names of `Chat.options`, `response_format` (any JSON object) and
    `provider_tools` (tools that the provider itself runs). Sorted.
    """
    return tuple(sorted({name for name in parameters if not _is_carried(api, name)}))


# What besides text has a place in each API's messages. OpenAI's own servers take no film, others
# behind the same API do (as `video_url`): there the model's modalities tell.
_MODALITIES: Mapping[Api, frozenset[str]] = {
    "openai": frozenset({"image", "pdf", "audio", "video"}),
    "anthropic": frozenset({"image", "pdf"}),
    "gemini": frozenset({"image", "pdf", "audio", "video"}),
    "ollama": frozenset({"image"}),
}


def lost_modalities(api: Api, modalities: Iterable[str]) -> tuple[str, ...]:
    """Name the modalities that an API has no place for; text has one in each. Sorted."""
    return tuple(sorted(set(modalities) - _MODALITIES[api] - {"text"}))


def _is_carried(api: Api, name: str) -> bool:
    return name not in _NOT_IN_OPENAI if api == "openai" else name in _CARRIED[api]
