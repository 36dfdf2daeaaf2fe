"""Restatements of a request: another frame around it, or another form."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random

from rolecall.registry.evaluation.perturbations.edits import ABBREVIATED, ITEM, SENTENCE, with_words
from rolecall.registry.evaluation.perturbations.prose import Edit, Prose, code_lines
from rolecall.registry.evaluation.perturbations.synonyms import rules, words_of

_LEAST_WORDS = 4
_MOST_FOREIGN = 0.05
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)(?= )")
_QUESTION_MARK = re.compile(r"\?")
_NEVER = r"(?!)"
_POINTS = re.compile(r"\b(?:follow\w*|below|above|next|preceding)\b", re.I)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_BREAK = re.compile(r"(?<=\S) (?=\S)")
_LABEL = re.compile(r"^[ \t]*(\(?([A-J])[.):])(?=\s)", re.M)
_LABELS = ("{}.", "{})", "({})", "{}:")
_LONGEST_INSTRUCTION = 300
_WIDTHS = (48, 60, 72)
_LONG_WORD = 2


def framed(kind: str, prose: Prose, rng: Random) -> str | None:
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


def bullets(prose: Prose, _rng: Random) -> str | None:
    """Make each sentence of a line an item of a list."""
    edits: list[Edit] = []
    for start, end in prose.lines():
        found = list(SENTENCE.finditer(prose.text, start, end))
        gaps = [(one.end(), two.start()) for one, two in pairwise(found)]
        if (
            found
            and found[0].start() == start
            and gaps
            and all(not prose.text[a:b].strip() and prose.is_open(a - 1, b) for a, b in gaps)
            and not any(ABBREVIATED.search(one[0]) for one in found)
        ):
            edits += [(start, start, "- "), *((a, b, "\n- ") for a, b in gaps)]
    return prose.edited(edits)


def wrapped_lines(prose: Prose, rng: Random) -> str | None:
    """Break long lines of prose, as mail programs do."""
    width, edits = rng.choice(_WIDTHS), list[Edit]()
    for start, end in prose.lines():
        begins, last = start, -1
        for space in [*(gap.start() for gap in _BREAK.finditer(prose.text, start, end)), end]:
            if space - begins > width and last > begins:
                edits.append((last, last + 1, "\n"))
                begins = last + 1
            # A new line that looks like an item of a list would be one.
            if prose.is_open(space, space + 1) and not ITEM.match(prose.text, space + 1):
                last = space
    return prose.edited(edits)


def shorthand(prose: Prose, _rng: Random) -> str | None:
    """Type common words as in a hasty message: u, pls, bc."""
    return None if is_foreign(prose) else with_words(prose, rules()["shorthand"])


def upper_case(prose: Prose, _rng: Random) -> str | None:
    """Type all prose in capitals; a single letter may be a name in a formula."""
    words = [word for word in prose.words() if len(word[0]) >= _LONG_WORD]
    return prose.edited((*word.span(), word[0].upper()) for word in words)


def option_labels(prose: Prose, rng: Random) -> str | None:
    """Label answer options otherwise: (A) for A."""
    found = list(_LABEL.finditer(prose.text))
    letters = "".join(one[2] for one in found)
    if len(found) < 2 or not "ABCDEFGHIJ".startswith(letters) or "```" in prose.text:
        return None
    label = rng.choice([one for one in _LABELS if one.format("A") != found[0][1]])
    return prose.edited((*one.span(1), label.format(one[2])) for one in found)


def instruction_last(prose: Prose, _rng: Random) -> str | None:
    """Put what is asked after the text that it is about, or before it where it stands last."""
    text = prose.text.strip()
    gaps = list(_BLANK_LINES.finditer(text))
    if not gaps or _LABEL.search(text) or is_foreign(prose):
        return None
    head, rest = text[: gaps[0].start()], text[gaps[0].end() :]
    body, tail = text[: gaps[-1].start()], text[gaps[-1].end() :]
    if _asks(head) == _asks(tail):
        return None
    return f"{rest}\n\n{head.rstrip(':')}" if _asks(head) else f"{tail}\n\n{body}"


def code_fence(prose: Prose, _rng: Random) -> str | None:
    """Put a fence around pasted code."""
    lines = code_lines(prose.text)
    if len(lines) < 2 or any(mark in prose.text for mark in ("```", "~~~", '"""', "'''")):
        return None
    start, end = lines[0][0], lines[-1][1]
    if any(start <= a and b <= end for a, b in prose.lines()):
        return None
    return prose.edited([(start, start, "```\n"), (end, end, "\n```")])


def _asks(part: str) -> bool:
    """Tell whether a paragraph is one line that asks for something and points nowhere."""
    prose, line = Prose.of(part), part.strip()
    is_request = is_order(prose) or line.endswith("?")
    return (
        is_request
        and "\n" not in line
        and len(line) <= _LONGEST_INSTRUCTION
        and not _POINTS.search(line)
        and prose.is_open(0, 1)
    )
