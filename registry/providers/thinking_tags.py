"""Tell thinking from the answer where a model writes both into its text, between tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

# How models mark where their thinking begins and ends.
_TAGS = {
    **{f"<{name}>": f"</{name}>" for name in ("think", "thinking", "thought", "seed:think")},
    **{"[THINK]": "[/THINK]", "◁think▷": "◁/think▷"},
    **{"<|begin_of_thought|>": "<|end_of_thought|>", "<|START_THINKING|>": "<|END_THINKING|>"},
    **{"<|channel|>analysis<|message|>": "<|end|>"},
    **{"<|start|>assistant<|channel|>analysis<|message|>": "<|end|>"},
}
# Where thinking can end that was never begun: the prompt's template wrote the opening tag.
_UNOPENED = ("</think>", "[/THINK]", "◁/think▷", "</seed:think>")
# What stands around an answer between such tags, and is none of it.
_FRAMES = (
    *("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>"),
    *("<|start|>assistant", "<|begin_of_solution|>", "<|START_RESPONSE|>"),
)
_ENDS = ("<|return|>", "<|end|>", "<|end_of_solution|>", "<|END_RESPONSE|>")
_MOST_BLOCKS = 50
# In prose, a tag stands apart, in quotes or in a sentence; a model's own is followed by a line's
# end or by the answer at once.
_ANSWER_BEGINS = re.compile(r"[\n\r]|[^\s.,;:!?)\]\"'`’”|…<-]")
_APART = " \t`\"'(“‘"
_BEFORE_A_BLOCK = re.compile(r"(?:^|\n)[ \t]*$|[^\s`\"'(\[“‘>]$")


class Kind(Enum):
    """What a piece is; two kinds say what pieces before them were."""

    TEXT = "text"
    THINKING = "thinking"
    TEXT_WAS_THINKING = "all the text before was thinking"
    BLOCK_WAS_TEXT = "this, given as thinking, was not closed: it follows as text"


class _State(Enum):
    START = "the answer's text has not begun"
    THINKING = "inside a block"
    TEXT = "in the answer"
    PLAIN = "in an answer that holds no more thinking"


Piece = tuple[Kind, str]


@dataclass(slots=True)
class ThinkingTags:
    """Reads the text of one answer in pieces.

    A block begins where the text begins, or after another block at the start of a line; a tag
    that an answer merely speaks of is left in it. Thinking that was never opened ends at a
    closing tag whose opening one the text did not mention. What may be the beginning of a tag
    is held back until the next piece.
    """

    _state: _State = _State.START
    _held: str = ""
    _opening: str = ""
    _blocks: int = 0
    _block: list[str] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)

    def feed(self, piece: str) -> Iterator[Piece]:
        """Yield what is known of the text so far."""
        self._held += piece
        while self._held:
            before = (self._state, len(self._held))
            match self._state:
                case _State.START:
                    self._start()
                case _State.THINKING:
                    yield from self._think()
                case _State.TEXT:
                    yield from self._read()
                case _State.PLAIN:
                    yield from self._give(self._held)
                    self._held = ""
            if (self._state, len(self._held)) == before:
                return

    def end(self, *, is_cut: bool) -> Iterator[Piece]:
        """Yield what was held back; a block that was never closed is text, unless it was cut."""
        held, state, self._held, self._state = self._held, self._state, "", _State.PLAIN
        if state is _State.THINKING and not is_cut:
            block = "".join(self._block)
            yield Kind.BLOCK_WAS_TEXT, block.lstrip()
            yield Kind.TEXT, self._opening + block + held
        elif held and not (self._blocks and (held.strip() in _ENDS or not held.strip())):
            yield Kind.THINKING if state is _State.THINKING else Kind.TEXT, held

    def _start(self) -> None:
        """Look for a block, or the frame of the answer, where its text begins."""
        begins = self._held.lstrip()
        for tag in sorted((*_TAGS, *_FRAMES), key=len, reverse=True):
            if begins.startswith(tag):
                self._held = begins[len(tag) :]
                self._blocks += 1
                if tag in _TAGS:
                    self._begin_block(tag)
                return
        if any(tag.startswith(begins) for tag in (*_TAGS, *_FRAMES)):
            return
        self._held = begins if self._blocks else self._held
        self._state = _State.TEXT

    def _begin_block(self, tag: str) -> None:
        self._state, self._opening, self._block = _State.THINKING, tag, []

    def _think(self) -> Iterator[Piece]:
        closing = _TAGS[self._opening]
        inside, found, rest = self._held.partition(closing)
        if not found:
            kept = _kept_back(self._held, (closing,))
            inside, rest = self._held[: len(self._held) - kept], self._held[-kept:] if kept else ""
        self._held = rest
        shown = inside if any(map(str.strip, self._block)) else inside.lstrip()
        self._block.append(inside)
        if shown:
            yield Kind.THINKING, shown
        if found:
            self._state = _State.START

    def _read(self) -> Iterator[Piece]:
        """Give text out up to where another block may begin, or one end that was not opened."""
        tags = (*_TAGS, *_ENDS) if self._blocks else _UNOPENED
        places = [(self._held.find(tag), tag) for tag in tags if tag in self._held]
        if not places:
            kept = _kept_back(self._held, tags)
            yield from self._give(self._held[: len(self._held) - kept])
            self._held = self._held[-kept:] if kept else ""
            return
        place, tag = min(places)
        after = self._held[place + len(tag) :]
        yield from self._give(self._held[:place])
        self._held = self._held[place:]
        text = "".join(self._text)
        if not self._blocks:
            if not after.strip():
                return  # what follows will tell
            if _ends_thinking(text, tag, after):
                yield Kind.TEXT_WAS_THINKING, ""
                self._held, self._blocks, self._state = after, 1, _State.START
                return
        elif tag in _ENDS:
            if not after.strip():
                return
        elif _begins_block(text) and self._blocks < _MOST_BLOCKS:
            self._blocks += 1
            self._held = after
            self._begin_block(tag)
            return
        self._state = _State.PLAIN

    def _give(self, text: str) -> Iterator[Piece]:
        if text:
            if self._state is not _State.PLAIN:
                self._text.append(text)
            yield Kind.TEXT, text


def _begins_block(text: str) -> bool:
    """Tell whether a tag behind this text begins another block."""
    return text.count("```") % 2 == 0 and _BEFORE_A_BLOCK.search(text[-80:]) is not None


def _ends_thinking(text: str, tag: str, after: str) -> bool:
    """Tell whether a closing tag ends thinking that was not opened, and is not spoken of."""
    if tag.replace("/", "", 1) in text or text.count("```") % 2:
        return False
    answer_begins = _ANSWER_BEGINS.match(after) is not None
    if not text.strip():
        return answer_begins
    if text.rstrip(" \t").endswith("\n"):
        return True
    is_attached, ends_sentence = text[-1] not in _APART, text.rstrip()[-1] in ".!?。"
    return (answer_begins and (is_attached or ends_sentence)) or (is_attached and ends_sentence)


def _kept_back(text: str, tags: tuple[str, ...]) -> int:
    """Return how many of the last characters may be the beginning of a tag."""
    longest = max(map(len, tags)) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(tag.startswith(text[-size:]) for tag in tags):
            return size
    return 0
