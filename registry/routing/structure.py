"""The kind of a task, as far as the request's structure gives it away."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from rolecall.registry.records import Request
from rolecall.registry.routing.requirements import attachment_reason
from rolecall.registry.routing.tokens import estimate_tokens

LONG_CONTEXT_TOKENS = 60_000
# Enough of each end to see what a text is; the middle of a long one tells nothing more.
_SCANNED_CHARS = 20_000
_LEAST_CODE_LINES = 3
_PLAIN_FENCES = {"text", "txt", "plain", "md", "markdown", "json", "jsonl", "csv", "tsv", "latex"}

_FENCE = re.compile(r"^[ \t]*(```|~~~)([^\n]*)\n(.*?)(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)
_TRACE = re.compile(
    r"^Traceback \(most recent call last\)|^[ \t]+at \S[^\n]{0,300}?[(:]\S{0,200}?:\d+|^panic: |"
    r"^thread '[^'\n]*' panicked at|^goroutine \d+ \[|^error\[E\d+\]",
    re.MULTILINE,
)
_DIFF = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|^diff --git ", re.MULTILINE)
# Matched against stripped lines, so that no alternative starts with a run of blanks. A line of
# the first kind is code by itself; one of the second may also be a recipe or a sum.
_SURE_LINE = re.compile(
    r"(?:async )?def \w+\(|class \w+[(:{ ]|from [\w.]+ import |import [\w.\"{*]+;?$|"
    r"#include\b|package \w+;?$|func [\w(]|fn \w+|(?:pub|public|private|protected|static) \w+ |"
    r"(?:const|let|var) \w+\b[^.?!]*=|(?:SELECT|INSERT INTO|UPDATE|CREATE TABLE) .+|"
    r"(?:int|void|double|char) \w+\("
)
_LIKELY_LINE = re.compile(
    r"return\b[^.?!]*;?$|(?:if|for|while|switch)\b.*[:{]$|[\w.\[\]]+ [-+*/|&]?= \S|"
    r"[\w.]+\(.*\);?$|[^.?!]*[;{]$|[})\]]+[;,]?$"
)
_EDIT = re.compile(
    r"(?:^|[.!?:;,\n]|\b(?:please|you|you to|me|i|need to|want to|like to|how to|and|then|just|"
    r"should|must|now|also))\s{0,2}"
    r"\b(fix|refactor|rename|change|modify|update|rewrite|simplify|clean up|optimi[sz]e|patch|"
    r"replace|remove|delete|extend|repair|correct|add|make (?=it|this|the|these|them))\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:don't|don’t|do not|never|without)\s+(?:\w+\s+)?$", re.IGNORECASE)
_ASK = re.compile(
    r"\b(why|explain|review|debug|implement|write|port|convert|deadlocks?|crash\w*|bugs?|errors?|"
    r"fail\w*|wrong|tests?|what does|what is|how does|how do|how can|find)\b",
    re.IGNORECASE,
)
_OTHER_WORK = re.compile(r"\b(translate|summari[sz]e|extract|poem|essay|story)\b", re.IGNORECASE)


class Detected(NamedTuple):
    """A task's kind, how sure that is (0–1), and what decided it in a few words."""

    kind: str
    confidence: float
    detected_by: str


def task_by_structure(request: Request) -> Detected | None:
    """Tell the kind of task from tools, images, length or code; None when unsure.

    Only the last message of the user is read for code and for what is asked about it: code alone
    decides nothing, a stack trace or a diff alone does.
    """
    if request.tool_names:
        return Detected("agent", 0.9, attachment_reason("tool", len(request.tool_names)))
    attached = Counter(kind for message in request.messages for kind in message.attachments)
    if attached["image"]:
        return Detected("vision", 0.9, attachment_reason("image", attached["image"]))
    declared = request.input_tokens
    size = estimate_tokens(request) if declared is None else declared
    if size > LONG_CONTEXT_TOKENS:
        return Detected("long_context", 0.8, f"about {round(size / 1_000)}k tokens")
    asked = [message.text for message in request.messages if message.role == "user"]
    return _code_task(_scanned(asked[-1])) if asked else None


def _scanned(text: str) -> str:
    if len(text) <= 2 * _SCANNED_CHARS:
        return text
    return f"{text[:_SCANNED_CHARS]}\n{text[-_SCANNED_CHARS:]}"


def _code_task(text: str) -> Detected | None:
    evidence, prose = _split(text)
    if evidence is None or _OTHER_WORK.search(prose):
        return None
    edit = next(
        (found for found in _EDIT.finditer(prose) if not _is_negated(prose, found.start(1))), None
    )
    if edit is not None:
        return Detected("code.edit", 0.85, f"{evidence} and “{edit[1].strip().lower()}”")
    ask = _ASK.search(prose)
    if ask is not None:
        return Detected("code", 0.8, f"{evidence} and “{ask[1].lower()}”")
    return Detected("code", 0.7, evidence) if evidence in {"a stack trace", "a diff"} else None


def _is_negated(prose: str, start: int) -> bool:
    return _NEGATED.search(prose[max(start - 40, 0) : start]) is not None


def _split(text: str) -> tuple[str | None, str]:
    """Return what in `text` shows that it holds code, if anything does, and its prose."""
    fences = list(_FENCE.finditer(text))
    outside = _FENCE.sub("\n", text).splitlines()
    prose = "\n".join(line.rstrip() for line in outside if _is_prose(line))
    if _TRACE.search(text):
        return "a stack trace", prose
    if _DIFF.search(text):
        return "a diff", prose
    if any(_is_code_fence(fence[2], fence[3].splitlines()) for fence in fences):
        return "fenced code", prose
    return ("lines of code" if _holds_code(outside) else None), prose


def _is_prose(line: str) -> bool:
    if not line.strip() or line.startswith((" ", "\t", "+", "-", "@@")):
        return False
    return _SURE_LINE.match(line) is None and _LIKELY_LINE.match(line) is None


def _is_code_fence(info: str, lines: list[str]) -> bool:
    language = info.strip().split(" ")[0].lower()
    return language not in _PLAIN_FENCES if language else _holds_code(lines, least=1)


def _holds_code(lines: list[str], least: int = _LEAST_CODE_LINES) -> bool:
    bare = [line.strip() for line in lines]
    sure = sum(_SURE_LINE.match(line) is not None for line in bare)
    likely = sum(_LIKELY_LINE.match(line) is not None for line in bare)
    return sure > 0 and sure + likely >= least
