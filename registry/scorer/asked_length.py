"""The length that a prompt's own words ask for, in tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from rolecall.registry.scorer.asked_dense import YES_OR_NO, dense_asks
from rolecall.registry.scorer.asked_spaced import TOKEN, languages, spaced_asks
from rolecall.registry.scorer.asked_units import EXACT, Ask, AskedLength
from rolecall.registry.scorer.text import clip

_FENCE = "```"
_OPENING = re.compile(rf"{_FENCE}|<(\w+)\b[^<>]*>")
_CLOSING = re.compile(r"</\w+>")
_QUOTED = re.compile(r"“[^”]{30,}+”|\"[^\"]{30,}+\"|«[^»]{30,}+»|„[^“”]{30,}+[“”]|「[^」]{20,}+」")
_FIRST_DENSE = "\u3040"  # kana, Chinese characters and Hangul come from here on
_TOKENS = attrgetter("tokens")
_HEAD_CHARS, _TAIL_CHARS, _LAST_LINE_CHARS = 400, 160, 240
_EDGE_CHARS = 8_000  # of a long text, searched for quotes
_REASON_CUE = re.compile(
    "explain|why|reason|justif|erklär|begründ|warum|expliqu|pourquoi|explica|spiega|perché|waarom|"
    "wyjaśnij|dlaczego|объясни|почему|поясни|чому|açıkla|neden|giải|解释|为什么|理由|なぜ|설명|이유|"
    "اشرح|لماذا|समझा|क्यों"
)


def asked_tokens(text: str) -> AskedLength | None:
    """Return the length that a prompt asks for; null where it asks for none.

    Only its own words count: the beginning and the end, without fenced, quoted or pasted text.
    """
    own = unicodedata.normalize("NFKC", _instruction(text)).lower()
    if _asks_yes_or_no(own):
        return AskedLength(2.0, 1.0, 6.0, 0.9)
    asks = list(spaced_asks(own))
    if max(own, default="") >= _FIRST_DENSE:
        asks += dense_asks(own)
    return _together(asks) if asks else None


def _together(asks: Sequence[Ask]) -> AskedLength | None:
    """Return the length of all that is asked: words say more than sentences.

    A length for each of an unknown number of parts is ignored.
    """
    parts = [one for one in asks if one.each]
    wholes = [one for one in asks if not one.each]
    if parts and not wholes:
        return None
    if parts:
        times = max(one.count for one in wholes)
        exact = [one for one in wholes if one.unit in EXACT]
        return exact[0].length() if exact else max(parts, key=_TOKENS).length(times)
    exact = [one for one in wholes if one.unit in EXACT]
    return max(exact or wholes, key=_TOKENS).length()


def _instruction(text: str) -> str:
    """Return the prompt's own words: what stands before, after and outside of a paste."""
    unfenced = clip(_without_pastes(text), _EDGE_CHARS, _EDGE_CHARS)
    bare = _QUOTED.sub(" … ", unfenced).strip()
    blocks = [block.strip() for block in re.split(r"\n\s*\n", bare) if block.strip()]
    if not blocks:
        return ""
    first, last = _before_paste(blocks[0]), blocks[-1]
    if len(blocks) == 1 and len(last) <= _HEAD_CHARS + _TAIL_CHARS and first == last:
        return last
    end = last.splitlines()[-1] if len(last) > _LAST_LINE_CHARS else last
    if len(blocks) == 1 and "\n" not in last:
        end = last[-_TAIL_CHARS:] if first == last else ""
    return f"{first[:_HEAD_CHARS]}\n{end if len(end) <= _LAST_LINE_CHARS else ''}"


def _without_pastes(text: str) -> str:
    """Return a text without fenced blocks, of which the last may be open, and closed elements."""
    last = {found[0]: found.start() for found in _CLOSING.finditer(text)}
    kept, at = [], 0
    for found in _OPENING.finditer(text):
        closing = f"</{found[1]}>" if found[1] else _FENCE
        is_closed = closing == _FENCE or last.get(closing, 0) > found.start()
        if found.start() >= at and is_closed:
            kept.append(text[at : found.start()])
            end = text.find(closing, found.end())
            at = len(text) if end < 0 else end + len(closing)
    return "\n\n".join([*kept, text[at:]])


def _before_paste(block: str) -> str:
    """Return a block up to the colon after which another's text stands."""
    before, colon, after = block.partition(":")
    if not colon or after[:1] not in ("", " ", "\n"):
        return block
    words = frozenset(TOKEN.findall(before.lower()))
    handled = any(not words.isdisjoint(one.reductions) for one in languages())
    return before if handled or len(after) > max(_HEAD_CHARS, 3 * len(before)) else block


def _asks_yes_or_no(own: str) -> bool:
    phrases = chain(YES_OR_NO, *(one.yes_or_no for one in languages()))
    return any(phrase in own for phrase in phrases) and not _REASON_CUE.search(own)
