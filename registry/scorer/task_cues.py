"""What a prompt holds beside its words: code, a stack trace, a table, a log, in any language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

# Enough of each end to see what a text is; the middle of a long one adds nothing.
_SCANNED_CHARS = 8_000
_LEAST_CODE_LINES = 3
_LEAST_TABLE_LINES = 2

# Cues in the order in which they are named to a person, each with the words for it.
CUES = {
    "trace": "a stack trace",
    "diff": "a diff",
    "shell": "a shell prompt",
    "sql": "SQL",
    "fence": "fenced code",
    "code": "lines of code",
    "latex": "LaTeX",
    "log": "a log",
    "json": "JSON",
    "table": "a table",
    "quote": "quoted text",
    "paste": "pasted text",
}
# Those that say something of the work by themselves.
TELLING_CUES = frozenset(CUES) - {"quote", "paste"}
_SUFFIXES = {
    "code": "py pyi ipynb js jsx mjs ts tsx java kt kts scala c h cc cpp hpp cs go rs rb php lua "
    "swift m mm sh bash zsh fish ps1 vue svelte html css scss sql tf hs ml ex exs erl clj "
    "r jl pl bat dart asm zig nim makefile dockerfile gradle cmake",
    "diff": "diff patch",
    "latex": "tex bib",
    "log": "log",
    "json": "json jsonl",
    "table": "csv tsv",
    "paste": "txt md rst",
}
_CUE_OF_SUFFIX = {suffix: cue for cue, names in _SUFFIXES.items() for suffix in names.split()}

_FENCE = re.compile(r"^[ \t]*(```|~~~)([^\n]*)\n(.*?)(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)
_PLAIN_FENCES = {"text", "txt", "plain", "md", "markdown", "json", "jsonl", "csv", "tsv", "latex"}
# Matched against stripped lines, so that no alternative starts with a run of blanks. A line of
# the first kind is code by itself; one of the second may also be a recipe or a sum.
_SURE_LINE = re.compile(
    r"(?:async )?def \w+\(|class \w+[(:{ ]|from [\w.]+ import |import [\w.\"{*]+;?$|"
    r"#include\b|package \w+;?$|func [\w(]|fn \w+|(?:pub|public|private|protected|static) \w+ |"
    r"(?:const|let|var) \w+\b[^.?!]*=|function \w*\(|(?:int|void|double|char) \w+\("
)
_LIKELY_LINE = re.compile(
    r"return\b[^.?!]*;?$|(?:if|for|while|switch)\b.*[:{]$|[\w.\[\]]+ [-+*/|&]?= \S|"
    r"[\w.]+\(.*\);?$|[^.?!]*[;{]$|[})\]]+[;,]?$"
)
_PATTERNS = {
    "trace": re.compile(
        r"^Traceback \(most recent call last\)|^[ \t]+at \S[^\n]{0,300}?[(:]\S{0,200}?:\d+|"
        r"^panic: |^thread '[^'\n]*' panicked at|^goroutine \d+ \[|^error\[E\d+\]|"
        r"^[\w.$]{1,80}(?:Error|Exception)(?::|$)|^[\w./-]{1,80}:\d+:\d+: (?:error|warning)",
        re.MULTILINE,
    ),
    "diff": re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|^diff --git ", re.MULTILINE),
    "shell": re.compile(
        r"^(?:[\w.-]{1,32}@[\w.-]{1,32}[:~][^\n$#]{0,80})?[$#] [a-z][\w./-]{0,60}(?: |$)|"
        r"^PS [A-Z]:\\",
        re.MULTILINE,
    ),
    "sql": re.compile(
        r"^\s{0,8}(?:SELECT\b[^\n]{1,200}|INSERT INTO \w|UPDATE \w{1,60} SET\b|"
        r"CREATE (?:TABLE|VIEW|INDEX) \w|DELETE FROM \w|ALTER TABLE \w|WITH \w{1,60} AS \()",
        re.MULTILINE,
    ),
    "latex": re.compile(
        r"\\(?:begin|frac|sum|int|sqrt|lim|mathbb|mathrm|left|cdot|infty|alpha|to)\b|"
        r"\$[^$\n]{1,120}[\\^_=][^$\n]{0,120}\$|\\\[|\\\("
    ),
    "log": re.compile(
        r"^\W{0,2}(?:\d{4}-\d\d-\d\d[T ]|[A-Z][a-z]{2} {1,2}\d{1,2} )?\d\d:\d\d:\d\d\b[^\n]{8}|"
        r"^[\d.]{7,15} - \S{1,40} \[\d|^\{\"(?:ts|time|timestamp|level|lvl)\"",
        re.MULTILINE,
    ),
    "json": re.compile(r"^\s{0,8}[{\[][\s\[{]{0,8}\"[^\"\n]{1,60}\"\s{0,3}[:,\]]", re.MULTILINE),
    "quote": re.compile(r"[“„«「\"][^\"”“»」\n]{12,}+[\"”“»」]"),
}
_TABLE_LINE = re.compile(r"\|.*\|.*|[^,;\t\n]+(?:[;\t][^;\t\n]*){2,}|[^,\n ]+(?:,[^, \n]+){2,}")


def task_cues(text: str, files: Sequence[str] = ()) -> tuple[str, ...]:
    """Return which of `CUES` a text shows; `files` are the names of files it was read from."""
    seen = text
    if len(text) > 2 * _SCANNED_CHARS:
        seen = f"{text[:_SCANNED_CHARS]}\n{text[-_SCANNED_CHARS:]}"
    found = {cue for cue, pattern in _PATTERNS.items() if pattern.search(seen)}
    fences = list(_FENCE.finditer(seen))
    if any(_is_code_fence(fence[2], fence[3].splitlines()) for fence in fences):
        found.add("fence")
    lines = (_FENCE.sub("\n", seen) if fences else seen).splitlines()
    if holds_code(lines):
        found.add("code")
    if sum(_TABLE_LINE.fullmatch(line) is not None for line in lines) >= _LEAST_TABLE_LINES:
        found.add("table")
    if len(text) > 240 or len(lines) > 2:
        found.add("paste")
    return tuple(cue for cue in CUES if cue in found | _cues_of_files(files))


def _cues_of_files(files: Sequence[str]) -> set[str]:
    names = [PurePath(name.lower()) for name in files]
    suffixes = [name.suffix.removeprefix(".") or name.name for name in names]
    return {_CUE_OF_SUFFIX[suffix] for suffix in suffixes if suffix in _CUE_OF_SUFFIX}


def _is_code_fence(info: str, lines: list[str]) -> bool:
    language = info.strip().split(" ")[0].lower()
    return language not in _PLAIN_FENCES if language else holds_code(lines, least=1)


def holds_code(lines: Sequence[str], least: int = _LEAST_CODE_LINES) -> bool:
    """Tell whether at least `least` lines are code, one of them surely."""
    bare = [line.strip() for line in lines if len(line) < 400]
    sure = sum(_SURE_LINE.match(line) is not None for line in bare)
    if not sure:
        return False
    return sure + sum(_LIKELY_LINE.match(line) is not None for line in bare) >= least
