"""One spelling for every model and effort variant, and which variants to look for.

Judged sets, public score tables and users' registries spell one model in many ways. `canonical`
brings them to one spelling: lower case, no vendor, no release date where the date changes
nothing, an effort as suffix (`-thinking`, `-high`, none for the server's own default or none at
all). It never touches sizes or versions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any

# What the rules below cannot know of models' names. `*` stands for any text.
_TABLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("variant_names.json").read_text(encoding="utf-8")
)


def _lists(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(others.split()) for name, others in table.items()}


# Other spellings of one model, as the rules leave them: lower case, no vendor, no date.
SAME = _lists(_TABLES["same"])
# Families whose models go by more than one first word; any other family is called by it.
FAMILIES = _lists(_TABLES["families"])
# What the name alone means where the server reasons by default.
DEFAULT_EFFORT: Mapping[str, str] = _TABLES["default_effort"]
# Snapshots that differ from what the name without their date means: the date stays.
DATED = tuple[str, ...](_TABLES["dated"])
# Names whose end looks like an effort and is none.
WHOLE = tuple[str, ...](_TABLES["whole"])
# Models that always reason: `-thinking` adds nothing to their names.
ALWAYS_REASONS = tuple[str, ...](_TABLES["always_reasons"])
# Models of which each effort is a variant; for all others "high" and above is `-thinking`.
GRADED = tuple[str, ...](_TABLES["graded"])
# `-max` is an effort of these; elsewhere (qwen3-max) it is part of the name.
MAX_IS_AN_EFFORT = tuple[str, ...](_TABLES["max_is_an_effort"])

_NONE = ("no-thinking", "non-thinking", "nothinking", "no-think", "non-reasoning", "none")
_THINKING = ("thinking", "think", "reasoning", "reasoner", "enabled")
_LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")
_EFFORT = re.compile(rf"-({'|'.join((*_NONE, *_THINKING, *_LEVELS, 'default'))}|\d+k)$")
_HOST = re.compile(r"@(?!reasoning=)[a-z].*$")
_QUANTIZED = re.compile(r"-(fp8|fp16|bf16|int4|int8|awq|gptq|gguf|q\d(-\w+)*|qat)$")
_DATE = re.compile(r"[-@](20\d{2}-?[01]\d-?[0-3]\d)(?=-|$)")
_VENDORS = re.compile(
    r"^(?:(?:us|eu|apac|global)\.)?"
    r"(?:anthropic\.|amazon\.|meta\.|mistral\.|c4ai-|meta-|nvidia-|moonshot-)+"
)
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=\d)p(?=\d)", "."),
        (r"^llama-v(?=\d)", "llama-"),
        (r"^(gemma|llama|phi|grok|glm)(?=\d)", r"\1-"),
        (r"^qwen-(?=\d)", "qwen"),
        (r"^doubao-seed(?=\d)", "doubao-seed-"),
        (
            r"^(gpt|gemini|grok|glm|llama|doubao-seed|phi|mistral-small)-(\d)-(\d)(?=-|$)",
            r"\1-\2.\3",
        ),
        (r"^(qwen\d|kimi-k\d|minimax-m\d|mimo-v\d|deepseek-v\d)-(\d)(?=-|$)", r"\1.\2"),
        (r"-inst$", "-instruct"),
        (r"-chat-hf$", "-chat"),
        (r"^((?:[a-z]*gemma)-.*)-it$", r"\1"),
        (r"^([a-z]+stral-.*?)-instruct(-\d{4})$", r"\1\2"),
        (r"-latest$", ""),
        (r"^(grok-.*)-beta(?=-\d{4}$|$)", r"\1"),
        (r"^(llama-.*instruct)-turbo$", r"\1"),
    )
)
_CLAUDE_NUMBER_FIRST = re.compile(r"^claude-(\d)(?:-(\d))?-?(opus|sonnet|haiku)(.*)$")
_SIZED = re.compile(r"-\d+(\.\d+)?b(-a\d+b)?$")
_LOOSE = re.compile(r"-(preview|exp)(-\d\d-\d\d|-\d\d-20\d\d)?$|-00\d$")

_NAME_OF = {other: name for name, others in SAME.items() for other in others}

# Which efforts stand in for one, nearest first; "" is the name alone.
_NEAREST: Mapping[str, tuple[str, ...]] = {
    "": ("", "thinking", "medium", "high", "low", "minimal", "xhigh"),
    "none": ("none", "minimal", "low", "", "medium", "thinking", "high", "xhigh"),
    "minimal": ("minimal", "low", "", "medium", "thinking", "high", "xhigh"),
    "low": ("low", "minimal", "medium", "thinking", "high", "xhigh", ""),
    "medium": ("medium", "thinking", "high", "low", "xhigh", "minimal", ""),
    "thinking": ("thinking", "high", "medium", "xhigh", "low", "minimal", ""),
    "high": ("high", "thinking", "xhigh", "medium", "low", "minimal", ""),
    "xhigh": ("xhigh", "high", "thinking", "medium", "low", "minimal", ""),
}
# Budgets of hidden tokens below these are what the level means.
_BUDGETS = ((1, "none"), (4_096, "low"), (16_384, "medium"))


@dataclass(frozen=True, slots=True)
class Variant:
    """A model by its canonical name, and the effort that its name or its caller asked for.

    `effort` is empty for the name alone: what the server does by default.
    """

    base: str
    effort: str

    @property
    def name(self) -> str:
        """Return the canonical name of the variant."""
        return _named(self.base, self.effort)


def canonical(name: str) -> str:
    """Return the one spelling of a model's or variant's name; canonical names stay as they are."""
    return variant(name).name


def variant(name: str) -> Variant:
    """Return model and effort of a name, however it is spelled."""
    plain, effort = _split(_plain(name))
    base = _mapped(plain)
    own, again = _split(base)
    return Variant(own, effort or again)


def reasons(one: Variant) -> bool:
    """Return whether a variant writes hidden reasoning: asked to, or because it always does."""
    if one.effort in ("", "none"):
        return bool(_default_effort(one.base)) or _is(one.base, ALWAYS_REASONS)
    return True


@lru_cache(maxsize=4096)
def candidates(model: str, effort: str | int | None = None) -> tuple[str, ...]:
    """Return the canonical names to look for, best first, for a model asked with an effort.

    `model` is spelled as a registry has it; `effort` is a level, a budget of hidden tokens, or
    null for the server's own default. All are the same model: first as spelled, with its own
    effort, then with other efforts; then under the spellings that mean the same.
    """
    one = variant(model)
    level = one.effort if effort is None else _level(effort)
    if level == "none" and _default_effort(one.base):
        level = "minimal"
    nearest = _NEAREST["xhigh" if level == "max" else level]
    spelled = [_NAME_OF.get(base, base) for base in _spellings(one.base)]
    names = (_named(base, each) for base in spelled for each in nearest)
    return tuple(dict.fromkeys(names))


def _level(effort: str | int) -> str:
    if isinstance(effort, int):
        return next((level for below, level in _BUDGETS if effort < below), "high")
    return _effort_of(effort.lower())


def _plain(name: str) -> str:
    """Return the name in lower case, without vendor, host, brackets, quantisation and date."""
    text = name.strip().lower().rsplit("/", 1)[-1]
    text = text.replace("@reasoning=", "-").replace("#", "-").replace(":free", "")
    text = re.sub(r"-v\d+:\d+$", "", text) if "anthropic." in text else text
    text = re.sub(r":0$", "", text).replace(":latest", "")
    text = _HOST.sub("", text)
    text = re.sub(r"[()\s_,:+]+", "-", text).strip("-")
    text = re.sub(r"-(tokens|zero-shot|val)(?=-|$)", "", re.sub(r"-{2,}", "-", text))
    return _VENDORS.sub("", text)


def _split(text: str) -> tuple[str, str]:
    """Return the name without the efforts at its end, and the effort that they mean."""
    effort = ""
    while text not in WHOLE and (found := _EFFORT.search(text)):
        if found.group(1) == "max" and not _is(text, MAX_IS_AN_EFFORT):
            break
        text = text[: found.start()]
        meant = _effort_of(found.group(1))
        effort = meant if effort in ("", "thinking") else effort
        text = _undated(text)
    return _undated(text), effort


def _effort_of(word: str) -> str:
    if word in _NONE:
        return "none"
    if word in _THINKING or word[:1].isdigit():
        return "thinking"
    return word if word in _LEVELS else ""


def _undated(text: str) -> str:
    while (less := _QUANTIZED.sub("", text)) != text:
        text = less
    return text if text in DATED else _DATE.sub("", text)


def _mapped(base: str) -> str:
    base = _claude(base)
    for pattern, replacement in _REWRITES:
        base = pattern.sub(replacement, base)
    return _NAME_OF.get(base, base)


def _claude(base: str) -> str:
    if not base.startswith("claude"):
        return base
    base = base.replace(".", "-")
    found = _CLAUDE_NUMBER_FIRST.match(base)
    if found and int(found.group(1)) >= 4:
        major, minor, tier, rest = found.groups()
        base = f"claude-{tier}-{major}{'-' + minor if minor else ''}{rest}"
    return re.sub(r"^(claude-\w+-4)-0$", r"\1", base)


def _named(base: str, effort: str) -> str:
    """Return base and effort as one name, the effort said only where it says something."""
    if effort not in ("", "none", "thinking") and not _is(base, GRADED):
        effort = "thinking" if effort in ("high", "xhigh", "max") else effort
    default = _default_effort(base)
    if effort in ("", "none", default):
        return base
    if _is(base, ALWAYS_REASONS) and effort == "thinking":
        return base
    return f"{base}-{'xhigh' if effort == 'max' else effort}"


@lru_cache(maxsize=8192)
def _default_effort(base: str) -> str:
    found = (effort for like, effort in DEFAULT_EFFORT.items() if _is(base, (like,)))
    return next(found, "")


@lru_cache(maxsize=32768)
def _is(base: str, patterns: tuple[str, ...]) -> bool:
    return _any_of(patterns).match(base) is not None


@lru_cache(maxsize=256)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


def _spellings(base: str) -> Iterator[str]:
    """Yield the spellings that mean the same model, the given one first."""
    yield base
    looser = _LOOSE.sub("", _DATE.sub("", base))
    for one in dict.fromkeys((base, looser)):
        yield one
        if _SIZED.search(one):
            yield f"{one}-instruct"
            yield f"{one}-chat"
        yield re.sub(r"-(instruct|it|chat)$", "", one)
    if looser.startswith("gemini"):
        yield f"{looser}-preview"
