"""Which fields of a request are request parameters, and what becomes of all others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rolecall.registry.core.errors import InvalidPrompt
from rolecall.registry.core.parameters import HINTS

# Fields that other files of this room read: what is asked, and in which form.
_READ = frozenset(
    {
        *("messages", "prompt", "system", "tools", "functions", "model", "stream"),
        *("stream_options", "response_format", "output_format", "output_config", "format"),
        *("response_schema", "response_json_schema", "response_mime_type", "json_schema"),
        *("guided_json", "max_tokens", "max_completion_tokens", "max_output_tokens"),
        *("num_predict", "n_predict", "max_new_tokens", "stop", "stop_sequences", "tool_choice"),
        *("function_call", "thinking", "reasoning", "thinking_budget", "reasoning_effort"),
        *("think", "thinking_config"),
    }
)
# Parameters by the server that has them, as its documentation names them.
_OPENAI = (
    *("temperature", "top_p", "n", "seed", "logprobs", "top_logprobs", "logit_bias"),
    *("presence_penalty", "frequency_penalty", "parallel_tool_calls", "verbosity"),
    *("modalities", "audio", "moderation", "top_k"),
)
_VLLM_AND_SGLANG = (
    *("best_of", "use_beam_search", "min_p", "repetition_penalty", "length_penalty"),
    *("stop_token_ids", "include_stop_str_in_output", "ignore_eos", "min_tokens"),
    *("skip_special_tokens", "spaces_between_special_tokens", "truncate_prompt_tokens"),
    *("prompt_logprobs", "allowed_token_ids", "bad_words", "echo", "add_generation_prompt"),
    *("continue_final_message", "add_special_tokens", "documents", "chat_template"),
    *("chat_template_kwargs", "mm_processor_kwargs", "media_io_kwargs", "guided_regex"),
    *("guided_choice", "guided_grammar", "guided_decoding_backend", "structured_outputs"),
    *("guided_whitespace_pattern", "structural_tag", "logits_processors", "thinking_token_budget"),
    *("return_tokens_as_token_ids", "return_token_ids", "vllm_xargs", "regex", "ebnf"),
    *("separate_reasoning", "stream_reasoning", "enable_thinking", "no_stop_trim"),
)
_LLAMA_CPP_AND_OLLAMA = (
    *("dynatemp_range", "dynatemp_exponent", "typical_p", "repeat_penalty", "repeat_last_n"),
    *("dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n", "tfs_z"),
    *("dry_sequence_breakers", "xtc_probability", "xtc_threshold", "mirostat", "mirostat_tau"),
    *("mirostat_eta", "grammar", "n_probs", "min_keep", "n_keep", "samplers", "top_n_sigma"),
    *("post_sampling_probs", "reasoning_format", "thinking_forced_open", "parse_tool_calls"),
    *("reasoning_budget", "penalize_newline", "t_max_predict_ms"),
)
_HOSTED = (
    *("top_a", "safety_model", "context_length_exceeded_behavior", "prompt_truncate_len"),
    *("safe_prompt", "random_seed", "prompt_mode", "citation_options", "image_config"),
    *("disable_tool_validation", "search_domain_filter", "search_recency_filter"),
    *("return_images", "return_related_questions", "result_format"),
    *("vl_high_resolution_images", "mirostat_lr", "mirostat_target"),
)
KNOWN = HINTS | {*_OPENAI, *_VLLM_AND_SGLANG, *_LLAMA_CPP_AND_OLLAMA, *_HOSTED}
# What chooses who serves a request behind the endpoint, or what else it may cost there.
ROUTING = frozenset(
    {
        *("models", "provider", "providers", "route", "router", "plugins", "transforms"),
        *("service_tier", "fallbacks", "fallback_models", "preset", "web_search_options"),
        *("web_search", "search_parameters", "search_settings", "enable_search"),
        *("search_options", "provider_options", "providerOptions", "gateway", "speed"),
        *("inference_geo", "context_fallback_dict", "mcp_servers", "compound_custom"),
    }
)
# Names that stand for something else in rows of data: who asked, about what.
_LABELS_IN_ROWS = HINTS | {"documents", "modalities", "audio", "image_config"}
# Parameters that are numbers, or true or false: of a row, a word under such a name is a label.
_NO_WORDS = frozenset(
    {
        *("temperature", "top_p", "n", "seed", "logprobs", "top_logprobs", "logit_bias", "top_k"),
        *("presence_penalty", "frequency_penalty", "parallel_tool_calls", "best_of", "min_p"),
        *("repetition_penalty", "length_penalty", "min_tokens", "echo", "random_seed"),
    }
)
# How the names of secrets end.
_SECRETS = frozenset(
    {
        *("key", "keys", "apikey", "token", "secret", "secrets", "password", "passwd", "jwt"),
        *("credential", "credentials", "bearer", "authorization", "auth", "cookie", "cookies"),
        *("headers", "passphrase"),
    }
)
_CAMEL = frozenset({"responseSchema", "responseJsonSchema", "responseMimeType", "thinkingConfig"})
_NESTED = ("options", "generationConfig", "generation_config")
_RENAMED = {
    "candidate_count": "n",
    "response_logprobs": "logprobs",
    "logprobs": "top_logprobs",
}
_OBJECTS = frozenset({"reasoning", "thinking", "output_config", "response_format", "format"})
_MOST_NAMES = 8


class Sifted(NamedTuple):
    """The fields of a request that are kept, and notes on those that are not."""

    kept: Mapping[str, Any]
    notes: tuple[str, ...]


def flattened(body: Mapping[str, Any], name: str, *, is_row: bool = False) -> dict[str, Any]:
    """Return a request with its nested settings in their own place. Raises InvalidPrompt.

    These are `extra_body`, Ollama's `options`, Gemini's `generationConfig`, and `text` of OpenAI's
    Responses. A text of a row under the name of an object, such as `reasoning`, is a label.
    """
    found = {
        _snake(key) if key in _CAMEL else key: value
        for key, value in body.items()
        if not (is_row and isinstance(value, str) and key in _OBJECTS and value != "json")
    }
    extra = found.pop("extra_body", None)
    if extra is not None and not isinstance(extra, dict):
        raise InvalidPrompt(f"{name}: extra_body: expected an object")
    found |= extra or {}
    for key in _NESTED:
        inner = found.get(key)
        if isinstance(inner, dict):
            del found[key]
            is_gemini = key != "options"
            for inside, value in inner.items():
                plain = _snake(inside) if is_gemini else inside
                found.setdefault(_RENAMED.get(plain, plain) if is_gemini else plain, value)
    structured = found.get("structured_outputs")
    if isinstance(structured, dict) and structured.get("json") is not None:
        found["guided_json"] = found.pop("structured_outputs")["json"]
    text = found.get("text")
    if isinstance(text, dict):
        del found["text"]
        found.setdefault("response_format", text.get("format"))
        found.setdefault("verbosity", text.get("verbosity"))
    return found


def sifted(
    body: Mapping[str, Any], *, is_row: bool, allow_pass: bool, on_purpose: Iterable[str] = ()
) -> Sifted:
    """Keep the fields of a flattened request that are parameters.

    Of a row of data, what is no parameter is a label, and nothing is said of it. `allow_pass`
    keeps those of a whole request that are not known, or choose who serves it; the names
    `on_purpose` (those of `extra_body`) need not be known. A secret is never kept.
    """
    kept: dict[str, Any] = {}
    secrets: list[str] = []
    routing: list[str] = []
    unknown: list[str] = []
    for key, value in body.items():
        is_twice = key == "prompt" and not is_row  # beside messages, which then are the request
        if (key in _READ and not is_twice) or value is None or value in ("", [], {}):
            continue
        if key in KNOWN and not holds_secret(value):
            if not (is_row and _is_label(key, value)):
                kept[key] = value
        elif is_secret(key) or holds_secret(value):
            secrets.append(key)
        elif is_row:
            continue
        elif allow_pass or (key in on_purpose and key not in ROUTING):
            kept[key] = value
        else:
            (routing if key in ROUTING else unknown).append(key)
    notes = (
        _note(secrets, "may be secret; keys come from where the endpoint says"),
        _note(routing, "chosen at the provider; --allow-pass sends it"),
        _note(unknown, "no known request parameter; --allow-pass sends it"),
    )
    return Sifted(kept, tuple(note for note in notes if note is not None))


def _is_label(key: str, value: Any) -> bool:
    """Tell whether a field of a row that has a parameter's name is none."""
    is_word = isinstance(value, str) and not any(map(str.isdecimal, value))
    return key in _LABELS_IN_ROWS or (is_word and key in _NO_WORDS)


def is_secret(key: str) -> bool:
    """Tell whether a field's name says that it holds a key or the like; parameters are none."""
    plain = _snake(key).replace("-", "_")
    is_named_so = plain.rpartition("_")[2] in _SECRETS or plain.endswith("access_key_id")
    return is_named_so and key not in KNOWN


def holds_secret(value: Any) -> bool:
    """Tell whether an object, or one in it, has a field that holds a key or the like."""
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, dict) and any(
        (isinstance(inner, str) and is_secret(key)) or holds_secret(inner)
        for key, inner in value.items()
    )


def names_listed(names: Iterable[str]) -> str:
    """Return names from outside as a message shows them: printable, and not too many."""
    found = list(dict.fromkeys(names))
    shown = ["".join(one if one.isprintable() else "?" for one in each) for each in found]
    rest = len(shown) - _MOST_NAMES
    listed = ", ".join(each[:60] for each in shown[:_MOST_NAMES])
    return f"{listed} and {rest} more" if rest > 0 else listed


def _note(names: list[str], why: str) -> str | None:
    return f"left out of the request: {names_listed(names)} ({why})" if names else None


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
