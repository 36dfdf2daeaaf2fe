"""A prompt as the scorer reads it: without what says nothing of the work."""

from __future__ import annotations

import re
from collections.abc import Callable

_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ", "…": "..."})
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_LINE_ENDS = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")
_GREETING = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there| all)?\s*[,.!:–-]+\s+",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"^(?:(?:please )?(?:(?:could|can|would|will) you )?(?:please |kindly )?"
    r"(?:help me(?: out)?(?: with (?:this|the following|something))?"
    r"|answer (?:this|the following)(?: question| one)?)(?: for me)?"
    r"|i have a (?:quick )?(?:question|request)(?: for you)?)\s*[.:?!]+\s+",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^(?:(?:please|kindly)[, ]+"
    r"|(?P<asks>could|can|would|will) you (?:please |kindly )?(?!(?:\w+ed|be|have|not)\b)"
    r"|i(?: would|'d) like you to |i (?:want|need) you to )",
    re.IGNORECASE,
)
# What was asked whether it could be done, an order ends in a full stop.
_ASKED = re.compile(r"\A([^.!?\n]*)\?")
_THANKS = re.compile(
    r"[\s,;–-]*\b(?:please|(?:many )?thanks(?: a lot| so much| in advance)?"
    r"|thank you(?: very much| so much| in advance)?|thx|cheers)[\s.!?]*$",
    re.IGNORECASE,
)
# The mark that ends a line is as often left out as put.
_END_MARK = re.compile(r"(?<=[^\s.?!:;,])[.?!](?=\n|\Z)")
_NOT = {"can": "cannot", "won": "will not", "shan": "shall not"}
_SHORT_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\b(can|won|shan)'t\b", re.IGNORECASE), lambda it: _NOT[it[1].lower()]),
    (re.compile(r"(?<=\w)n't\b", re.IGNORECASE), lambda _: " not"),
    (re.compile(r"\b(you|we|they|i|he|she|it)'ll\b", re.IGNORECASE), lambda it: f"{it[1]} will"),
    (re.compile(r"\b(you|we|they)'re\b", re.IGNORECASE), lambda it: f"{it[1]} are"),
    (re.compile(r"\b(you|we|they|i)'ve\b", re.IGNORECASE), lambda it: f"{it[1]} have"),
    (re.compile(r"\bi'm\b", re.IGNORECASE), lambda _: "I am"),
    (
        re.compile(r"\b(it|that|what|who|where|how|there|here)'s\b", re.IGNORECASE),
        lambda it: f"{it[1]} is",
    ),
)
# Less than this is small talk, of which courtesy is the whole.
_LEAST_WORDS = 2


def canonical(text: str) -> str:
    """Return the text with plain quotes and blanks, short forms in full, without courtesies.

    Nor do its lines end in a mark. So none of these moves a prediction. Courtesies stay where
    hardly anything else is said.
    """
    plain = _BLANKS.sub(" ", text.translate(_QUOTES))
    plain = _EMPTY_LINES.sub("\n\n", _LINE_ENDS.sub("\n", plain)).strip()
    for short, full in _SHORT_FORMS:
        plain = short.sub(full, plain)
    for courtesy in (_GREETING, _HELP, _ASKING, _THANKS):
        found = courtesy.search(plain)
        if found is None:
            continue
        bare = plain[: found.start()] + plain[found.end() :]
        if found.groupdict().get("asks"):
            bare = _ASKED.sub(r"\1.", bare, count=1)
        if len(bare.split(None, _LEAST_WORDS)) >= _LEAST_WORDS:
            plain = bare
    return _END_MARK.sub("", plain)
