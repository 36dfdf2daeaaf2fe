"""How many tokens an attachment costs: what is expected, and the most that an API bills.

The rules are those that the providers document, the largest where models of one provider differ:
- Claude: a token per patch of 28 x 28 pixels, 4,784 at most; a page of a PDF is its text and an
  image of 1,600 tokens.
- Gemini: 258 tokens per tile (of at least 256 pixels, 24 tiles at most), or 1,120 for an image or
  a page as of Gemini 3; 32 tokens per second of sound, 300 per second of video.
- OpenAI: 85 tokens and 170 per tile of 512 pixels, 8 tiles at most; or patches of 32 x 32 pixels:
  1,536 at most and up to 2.46 tokens each, or 10,000 at most and 1.2 each; 10 tokens per second of
  sound. GPT-4o mini bills 2,833 tokens and 5,667 per tile.
- Others that are served behind OpenAI's API or Ollama's: patches of 28 pixels, 16,384 at most
  (Qwen), or of 16 pixels, 4,160 at most (Pixtral).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from rolecall.registry.core.requests import MediaSize
from rolecall.registry.core.text_tokens import TextTokens

Family = Literal["claude", "gemini", "openai", "gpt-4o-mini", "other"]
FAMILIES: tuple[Family, ...] = ("claude", "gemini", "openai", "gpt-4o-mini", "other")

_PAGE_TOKENS = 1_600
_MOST_PER_PAGE = {"claude": 1_700, "gemini": 1_120, "openai": 3_779, "gpt-4o-mini": 36_835}
_SOUND_TOKENS_PER_S = 32
_VIDEO_TOKENS_PER_S = 300
# The slowest speech codecs that are in use take 500 bytes a second.
_LEAST_BYTES_PER_S = 500
# What is expected where a size is not known.
_UNKNOWN_IMAGE, _UNKNOWN_PDF, _UNKNOWN_SOUND, _UNKNOWN_OTHER = 1_200, 3_000, 1_500, 3_000
_BYTES_PER_PAGE = 50_000
# Stands for an image of unknown size: each rule gives the most that it can for it.
_LARGEST = (20_000, 7_500)


def expected_media_tokens(size: MediaSize) -> float:
    """Return the tokens to expect of one attachment, whoever bills it."""
    if size.modality == "image":
        if size.width is None or size.height is None:
            return _UNKNOWN_IMAGE
        return min(_patches(size.width, size.height, 28), _PAGE_TOKENS)
    if size.modality == "pdf":
        if size.pages is None or size.text is None:
            pages = math.ceil((size.data_bytes or 0) / _BYTES_PER_PAGE)
            return max(pages * (_PAGE_TOKENS + 500), _UNKNOWN_PDF)
        return size.pages * _PAGE_TOKENS + size.text.expected
    if size.seconds is not None:
        return size.seconds * _tokens_per_second(size)
    return _UNKNOWN_SOUND if size.modality == "audio" else _UNKNOWN_OTHER


def most_media_tokens(size: MediaSize, family: Family) -> float | None:
    """Return the most tokens that a family of models is billed for; null where it is unknown."""
    if size.modality == "image":
        known = size.width is not None and size.height is not None
        width, height = (size.width or 0, size.height or 0) if known else _LARGEST
        rules = _OTHER_IMAGE_RULES if family == "other" else (_IMAGE_RULES[family],)
        return max(rule(width, height) for rule in rules)
    if size.modality == "pdf":
        if size.pages is None or size.text is None:
            return None
        most = _MOST_PER_PAGE.get(family, max(_MOST_PER_PAGE["claude"], _MOST_PER_PAGE["openai"]))
        return size.pages * most + text_of_family(size.text, family)
    seconds = size.seconds
    if seconds is None and size.modality == "audio" and size.data_bytes is not None:
        seconds = size.data_bytes / _LEAST_BYTES_PER_S
    if seconds is None or (size.modality == "video" and family != "gemini"):
        return None
    return (seconds + 1) * _tokens_per_second(size)


def text_of_family(text: TextTokens, family: Family) -> float:
    """Return the most tokens that a family's tokenizers make of a text."""
    return text.most_of_claude if family == "claude" else text.most


def _tokens_per_second(size: MediaSize) -> int:
    return _SOUND_TOKENS_PER_S if size.modality == "audio" else _VIDEO_TOKENS_PER_S


def _patches(width: int, height: int, side: int) -> int:
    return math.ceil(width / side) * math.ceil(height / side)


def _claude_image(width: int, height: int) -> float:
    return min(_patches(width, height, 28), 4_784) + 8


def _gemini_image(width: int, height: int) -> float:
    side = min(max(min(width, height) / 1.5, 256.0), 768.0)
    tiles = math.ceil(width / side) * math.ceil(height / side)
    return max(258 * (min(tiles, 24) + 1), 1_120)


def _openai_image(width: int, height: int) -> float:
    patches = _patches(width, height, 32)
    by_patch = max(min(patches, 1_536) * 2.46, min(patches, 10_000) * 1.2)
    return max(85 + 170 * _openai_tiles(width, height), by_patch)


def _gpt_4o_mini_image(width: int, height: int) -> float:
    return 2_833 + 5_667 * _openai_tiles(width, height)


def _openai_tiles(width: int, height: int) -> int:
    """Return the tiles of an image fit into 2,048 pixels, and its short side into 768."""
    scale = min(1.0, 2_048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _open_image(width: int, height: int) -> float:
    scale = min(1.0, 1_024 / max(width, height))
    pixtral = (math.ceil(width * scale / 16) + 1) * math.ceil(height * scale / 16)
    return max(min(_patches(width, height, 28), 16_384) + 2, pixtral)


_IMAGE_RULES: dict[Family, Callable[[int, int], float]] = {
    "claude": _claude_image,
    "gemini": _gemini_image,
    "openai": _openai_image,
    "gpt-4o-mini": _gpt_4o_mini_image,
}
_OTHER_IMAGE_RULES = (_claude_image, _gemini_image, _openai_image, _open_image)
