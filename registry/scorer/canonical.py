"""A prompt as the scorer reads it: without what says nothing of the work."""

from __future__ import annotations

import re

_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ", "…": "..."})
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_LINE_ENDS = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")
_GREETING = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there| all)?\s*[,.!:–-]+\s+",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^(?:(?:please|kindly)[, ]+"
    r"|(?:could|can|would|will) you (?:please |kindly )?(?!(?:\w+ed|be|have|not)\b)"
    r"|i(?: would|'d) like you to |i (?:want|need) you to )",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"[\s,.!?;–-]*\b(?:please|thanks(?: a lot| so much| in advance)?"
    r"|thank you(?: very much| so much| in advance)?|thx|cheers)[\s.!]*$",
    re.IGNORECASE,
)
# Less than this is small talk, of which courtesy is the whole.
_LEAST_WORDS = 2


def canonical(text: str) -> str:
    """Return the text with plain quotes and blanks, and without courtesies.

    So that none of these moves a prediction. Courtesies stay where hardly anything else is said.
    """
    plain = _BLANKS.sub(" ", text.translate(_QUOTES))
    plain = _EMPTY_LINES.sub("\n\n", _LINE_ENDS.sub("\n", plain)).strip()
    for courtesy in (_GREETING, _ASKING, _THANKS):
        bare = courtesy.sub("", plain, count=1)
        if len(bare.split(None, _LEAST_WORDS)) >= _LEAST_WORDS:
            plain = bare
    return plain
