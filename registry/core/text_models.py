"""Which models do not answer a chat with text, told by the words of their names.

Catalogs list embedding, speech and image models beside those that chat, and many claim that these
give text. Their kind stands in the name or in the family.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

# A model that has this capability answers a chat, whatever it is called.
CHAT = "chat"
CHATS_HINT = "if it does chat: rolecall models add NAME --bare --capability chat, and --model NAME"
# What a model makes instead, and the words by which it is known; `*` stands for any letters.
_OTHER_KINDS: dict[str, tuple[str, ...]] = {
    "embeddings": (
        *("embed*", "*embedding", "*embeddings", "*retriever", "bge", "gte", "e5", "voyage"),
        *("minilm", "mpnet", "sbert", "jina-colbert", "colbert"),
    ),
    "rankings of documents": ("rerank*", "*reranker", "*ranker"),
    "speech or music": (
        *(
            "tts",
            "*tts",
            "*speech",
            "text-to-speech",
            "aura",
            "elevenlabs",
            "kokoro",
            "lyria",
            "orpheus",
        ),
        *("*voice", "voicechat", "*music", "suno"),
    ),
    "transcripts of speech": ("whisper", "*whisper", "asr", "stt", "transcrib*", "transcript*"),
    "live speech, over another protocol": ("realtime", "live", "livetranslate", "audio"),
    "images": (
        *("image", "images", "imagine", "imagen", "dall", "dalle", "flux", "ideogram", "recraft"),
        *("diffusion", "sd3", "sdxl", "seedream", "hidream", "nano-banana", "inpainting"),
    ),
    "videos": ("video", "veo", "sora", "kling", "runway", "seedance", "t2v", "i2v"),
    "verdicts on other texts": ("moderation", "*guard", "safety", "safeguard", "*detector"),
    "copies of the text in images": ("ocr", "*ocr"),
    "translations alone": ("indictrans*", "m2m100", "nllb", "riva-translate", "qwen-mt"),
    "labels of texts": ("gliner", "distilbert", "*detect", "detection", "smart-turn", "bart"),
    "structures of proteins": ("esm2", "esmfold", "alphafold*"),
}
_WORD = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=4096)
def made_instead(names: tuple[str, ...], capabilities: tuple[str, ...] = ()) -> str | None:
    """Return what a model of these names makes instead of text; null where it may well chat.

    The names are its id, its family, what a server calls it: as far as each is known. Of an id
    with slashes only the last part counts.
    """
    if CHAT in capabilities:
        return None
    words = [_words(name.rsplit("/", 1)[-1]) for name in names]
    for kind, patterns in _OTHER_KINDS.items():
        if any(_has(found, pattern) for found in words for pattern in patterns):
            return kind
    return None


def _words(name: str) -> str:
    """Return the words of a name, each between two hyphens."""
    return f"-{'-'.join(_WORD.findall(name.lower()))}-"


def _has(words: str, pattern: str) -> bool:
    if "*" not in pattern:
        return f"-{pattern}-" in words
    return any(fnmatchcase(word, pattern) for word in _each(words))


def _each(words: str) -> Iterable[str]:
    return words.strip("-").split("-")
