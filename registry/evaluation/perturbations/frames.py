"""What is put around a request: politeness, a greeting, a persona, a form to fill in."""

from __future__ import annotations

import re
from random import Random

from rolecall.registry.evaluation.perturbations.prose import Prose
from rolecall.registry.evaluation.perturbations.synonyms import rules, words_of

_LEAST_WORDS = 4
_MOST_FOREIGN = 0.05
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)(?= )")
_QUESTION_MARK = re.compile(r"\?")
_NEVER = r"(?!)"


def framed(prose: Prose, rng: Random, kind: str) -> str | None:
    """Return an English request in one of the frames of that kind; small talk has none.

    An order goes on the frame's sentence, a question stands on its own.
    """
    frames, text = rules()["frames"][kind], prose.text.strip()
    if (
        len(text.split()) < _LEAST_WORDS
        or is_foreign(prose)
        or re.search(frames.get("unless", _NEVER), text, re.IGNORECASE)
    ):
        return None
    is_question = bool(prose.find(_QUESTION_MARK))
    form = "orders" if is_order(prose) else "questions" if is_question else "others"
    forms = frames.get(form, frames.get("others"))
    if forms is None:
        return None
    frame: str = rng.choice(forms)
    if "<>" in frame:
        lead, tail = frame.split("<>")
        return lead + text[0].lower() + text[1:] + tail
    lead, tail = frame.split("{}")
    start = prose.text.index(text)
    gap = "\n\n" if prose.is_block(start, start + 1) else rng.choice((" ", "\n\n"))
    is_sentence = text[-1] in ".?!" and "\n" not in text and not prose.closed[start + len(text) - 1]
    return re.sub(" $", gap, lead) + text + re.sub("^ ", " " if is_sentence else "\n\n", tail)


def is_order(prose: Prose) -> bool:
    """Tell whether a text begins with an order: `write …`."""
    found = _FIRST_WORD.match(prose.text)
    return (
        found is not None
        and prose.is_open(*found.span())
        and found[1].lower() in words_of("orders")
    )


def is_foreign(prose: Prose) -> bool:
    """Tell whether a text is hardly in English, so that English words would not belong in it."""
    return sum(not char.isascii() for char in prose.text) > _MOST_FOREIGN * len(prose.text)
