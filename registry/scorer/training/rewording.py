"""Each training prompt once more, in other words around it and with slips, to learn from too."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import yaml

_FRAMES = Path(__file__).with_name("frames.yaml")
_WORD = re.compile(r"(?<![\w\\/.@#$])[a-z]{5,14}(?![\w\\/.@])")
_SLIPS = (0, 0, 1, 2)  # how many, each as often
_LONGEST_SLIPPED = 2000


def frames() -> tuple[str, ...]:
    """Return the frames, each with `{}` where the prompt stands."""
    return tuple(yaml.safe_load(_FRAMES.read_text(encoding="utf-8")))


def reworded(prompt: str, around: tuple[str, ...], dice: Random) -> str:
    """Return the prompt in one of the frames, with up to two slips of a key in its words."""
    text = _slipped(prompt, dice.choice(_SLIPS), dice)
    return dice.choice(around).replace("{}", text)


def _slipped(text: str, count: int, dice: Random) -> str:
    for _ in range(count):
        words = list(_WORD.finditer(text[:_LONGEST_SLIPPED]))
        if not words:
            break
        word = dice.choice(words)
        at = word.start() + dice.randrange(1, len(word[0]) - 1)
        swapped = text[at + 1] + text[at]
        text = text[:at] + dice.choice((swapped, text[at + 1], text[at] + swapped)) + text[at + 2 :]
    return text
