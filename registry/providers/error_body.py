"""The words, codes and status in an error body, whatever shape the server gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# The client shortens a message further, once no key is left in it: half of one would be missed.
_LONGEST_MESSAGE = 4_000
_DEEPEST = 6
_MOST_ITEMS = 5
_LONGEST_PAGE = 16_384

# Keys by their letters in lower case, without `_`. Those of the second group only count where the
# first says nothing: the title of a problem beside its detail.
_MESSAGE_KEYS = (
    *("error", "message", "detail", "msg", "errors", "errormsg", "errormessage", "errmsg"),
    *("fault", "faultstring", "baseresp", "statusmsg", "statusmessage", "errordescription"),
)
_SECOND_KEYS = ("description", "errorinfo", "title", "reason", "response")
_CODE_KEYS = (
    *("code", "type", "status", "reason", "errortype", "errorcode", "statuscode", "errcode"),
    "__type",
)
_NESTED_KEYS = (
    *("error", "errors", "metadata", "innererror", "detail", "message", "fault", "baseresp"),
    "response",
)
_GOOD_CODES = ("", "0", "200", "ok", "success", "succeeded", "none", "null")
_TAGS = re.compile(r"<[^<>]*>")
_SILENT_TAGS = re.compile(r"<(script|style)\b[^>]*>.*?</\1>", re.IGNORECASE | re.DOTALL)
_STATUS_WORDS = re.compile(
    r"^\W*(?:(?:error|http|status)[ _]?(?:code|status)?\W+)?([45]\d\d)\b", re.I
)


def one_line(text: str, limit: int = _LONGEST_MESSAGE) -> str:
    """Return text as one line of at most `limit` characters, free of control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * limit])
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def message_of(document: Any) -> str:
    """Return what an error body says, as one line; empty where it says nothing."""
    return one_line("; ".join(dict.fromkeys(_said(document, 0))), 2 * _LONGEST_MESSAGE)


def whole_body(document: Any) -> str:
    """Return an error body as it is, as one line: for one whose words stand under no known key."""
    if not document or isinstance(document, str) or not any(_leaves(document, 0)):
        return ""
    return one_line(json.dumps(document, ensure_ascii=False))


def _leaves(document: Any, depth: int) -> Iterator[str]:
    """Yield the texts in a document that hold a letter, however they are named."""
    if isinstance(document, str):
        if any(letter.isalpha() for letter in document):
            yield document
    elif isinstance(document, dict | list) and depth <= _DEEPEST:
        for inner in document.values() if isinstance(document, dict) else document:
            yield from _leaves(inner, depth + 1)


def codes_in(document: Any) -> frozenset[str]:
    """Return the codes, types and reasons of an error body, in lower case.

    A code of MiniMax's `base_resp` is named `base_resp.1008`: other servers count otherwise.
    """
    return frozenset(_codes(document, 0))


def status_in(document: Any, said: str = "") -> int | None:
    """Return the HTTP status that an error body itself names, in its words or as a code."""
    found = _STATUS_WORDS.search(said)
    if found is not None:
        return int(found[1])
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    for holder in (error, document):
        for key in ("code", "status", "status_code"):
            value = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(value, str) and value.isascii() and value.isdigit():
                value = int(value[:4])
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def is_error(document: Any) -> bool:
    """Tell whether a document that holds no answer says that something went wrong."""
    if isinstance(document, list):
        return any(is_error(item) for item in document[:_MOST_ITEMS])
    if not isinstance(document, dict):
        return False
    if document.get("error") or document.get("errors") or document.get("object") == "error":
        return True
    result = document.get("base_resp")
    for holder in (document, result if isinstance(result, dict) else {}):
        if _tells_success(holder):
            return False
    return document.get("success") is not True and bool(message_of(document))


def says_error(document: Mapping[str, Any]) -> bool:
    """Tell whether an answer has an error beside it, not one that says that all went well."""
    error = document.get("error")
    if not isinstance(error, dict):
        return bool(error)
    return any(error.values()) and not _tells_success(error)


def _tells_success(holder: Mapping[str, Any]) -> bool:
    """Tell whether an object has codes, and none but good ones; null tells nothing."""
    told = [holder[key] for key in _plain_keys(holder, ("code", "statuscode", "errorcode"))]
    codes = [str(code).lower() for code in told if code is not None]
    return bool(codes) and all(code in _GOOD_CODES for code in codes)


def failed_code(document: Mapping[str, Any]) -> bool:
    """Tell whether MiniMax's `base_resp`, which also stands beside answers, says that it failed."""
    result = document.get("base_resp")
    code = result.get("status_code") if isinstance(result, dict) else None
    return code is not None and str(code) not in _GOOD_CODES


def _plain_keys(holder: Mapping[str, Any], wanted: tuple[str, ...]) -> list[str]:
    """Return the keys of an object that are wanted, in the order in which they are."""
    plain = {str(key).replace("_", "").lower(): key for key in holder}
    plain |= {key: key for key in ("__type",) if key in holder}
    return [plain[key] for key in wanted if key in plain]


def _said(document: Any, depth: int) -> Iterator[str]:
    """Yield the messages of an error body."""
    if depth > _DEEPEST:
        return
    if isinstance(document, str):
        yield from _said_in_text(document, depth)
    elif isinstance(document, list):
        for item in document[:_MOST_ITEMS]:
            yield from _said(item, depth + 1)
    elif isinstance(document, dict):
        yield from _said_in_object(document, depth)


def _said_in_object(document: dict[str, Any], depth: int) -> Iterator[str]:
    place, words = document.get("loc"), document.get("msg")
    if isinstance(place, list) and isinstance(words, str):
        yield f"{'.'.join(map(str, place))}: {words}"
        return
    exceptions = [key for key in document if key.endswith("Exception")]  # of AWS
    found = False
    for keys in ([*_plain_keys(document, _MESSAGE_KEYS), *exceptions], None):
        if found:
            break
        for key in _plain_keys(document, _SECOND_KEYS) if keys is None else keys:
            for text in _said(document[key], depth + 1):
                found = True
                yield text
    metadata = document.get("metadata")  # OpenRouter: what the provider behind it said
    if isinstance(metadata, dict):
        yield from _said(metadata.get("raw"), depth + 1)


def _said_in_text(text: str, depth: int) -> Iterator[str]:
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        try:
            yield from _said(json.loads(stripped), depth + 1)
        except (ValueError, RecursionError):
            yield one_line(stripped)
    elif stripped.startswith("<"):
        yield _said_in_page(stripped)
    elif stripped:
        yield one_line(stripped, 2 * _LONGEST_MESSAGE)


def _said_in_page(page: str) -> str:
    """Return the title of a page of HTML, else its words."""
    page = page[:_LONGEST_PAGE]
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    words = one_line(title.group(1)) if title else ""
    if not words:
        words = one_line(_TAGS.sub(" ", _SILENT_TAGS.sub(" ", page)), 300)
    return words or "a page of HTML"


def _codes(document: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(document, list):
        for item in document[:_MOST_ITEMS]:
            yield from _codes(item, depth + 1)
    elif isinstance(document, dict):
        for key in _plain_keys(document, _CODE_KEYS):
            value = document[key]
            if isinstance(value, str):
                yield value.lower()
            elif isinstance(value, int) and not isinstance(value, bool):
                yield str(value)
        yield from (key.lower() for key in document if key.endswith("Exception"))
        for key in _plain_keys(document, _NESTED_KEYS):
            prefix = "base_resp." if key == "base_resp" else ""
            yield from (f"{prefix}{code}" for code in _codes(document[key], depth + 1))
