"""A request from what shell users expect: an argument, a pipe, files, or a whole chat."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rolecall.cli.files import STDIN, decoded, is_stdin, opened, read_bytes, read_text, shown_name
from rolecall.registry.errors import InvalidPrompt, UsageError
from rolecall.registry.records import Message, Request
from rolecall.registry.requests import parse_chat, parse_json, parse_row

EXAMPLE = 'rolecall route "why does this deadlock?"'
ATTACH_HINT = "attach images, PDFs and audio with --attach FILE"
_MODALITY_OF_SUFFIX = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".heic", ".tiff"), "image"),
    **dict.fromkeys((".mp3", ".wav", ".m4a", ".ogg", ".flac", ".aac", ".opus"), "audio"),
    **dict.fromkeys((".mp4", ".mov", ".webm", ".mkv"), "video"),
    ".pdf": "pdf",
}
_MODALITY_OF_START = {
    b"\x89PNG\r\n": "image",
    b"\xff\xd8\xff": "image",
    b"GIF8": "image",
    b"%PDF-": "pdf",
    b"ID3": "audio",
    b"OggS": "audio",
    b"fLaC": "audio",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed for a prompt. A path `-` is stdin."""

    argument: str | None = None
    file: Path | None = None
    messages: Path | None = None
    system: str | None = None
    attach: tuple[Path, ...] = ()


def read_request(given: Given) -> Request:
    """Return the request made of everything `given` and of a piped stdin.

    The last turn is the pipe's text, the file's, each attached text's, then the argument,
    parted by blank lines; `messages` come before it and `system` before those. Stdin is read
    when it is a pipe or a redirected file, or when `-` is given. Raises InvalidPrompt, and
    UsageError when there is no prompt at all.
    """
    _refuse_two_readers(given)
    media, texts = _attachments(given.attach)
    turn = [_piped(given), _file_text(given.file), *texts, _argument(given.argument)]
    text = "\n\n".join(part.strip("\n") for part in turn if part is not None and part.strip())
    chat = None if given.messages is None else _chat(given.messages)
    last = (Message("user", text, media),) if text or media else ()
    if chat is None and not last:
        raise _nothing(any(part is not None for part in turn))
    system = () if given.system is None else (Message("system", _typed(given.system, "system")),)
    if chat is None:
        return Request(messages=(*system, *last))
    return replace(chat, messages=(*system, *chat.messages, *last))


def read_jsonl(source: Path) -> Iterator[tuple[int, Request, str | None]]:
    """Yield line number, request and custom id of each row as it arrives; blank lines are skipped.

    `source` is a file, or `-` for stdin. Raises InvalidPrompt naming the file and line.
    """
    name = shown_name(source)
    with opened(source, InvalidPrompt) as stream:
        for number, line in enumerate(stream, start=1):
            text = decoded(line, f"{name}:{number}", InvalidPrompt)
            if text.strip():
                row = parse_json(text.strip(), name=name, first_line=number)
                request, custom_id = parse_row(row, name=f"{name}:{number}")
                yield number, request, custom_id


def stdin_is_given() -> bool:
    """Tell whether stdin is a pipe or a redirected file: something meant to be read.

    Services, cron and CI give a device or a socket, and nobody there means it as a prompt.
    """
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _refuse_two_readers(given: Given) -> None:
    paths = [given.file, given.messages, *given.attach]
    if sum(map(is_stdin, paths)) + (given.argument == STDIN) > 1:
        raise UsageError("stdin was asked for twice", hint="use - once")


def _piped(given: Given) -> str | None:
    """Read stdin, unless one of the files is `-` and will read it itself."""
    if any(map(is_stdin, (given.file, given.messages, *given.attach))):
        return None
    if given.argument == STDIN or stdin_is_given():
        return _file_text(Path(STDIN))
    return None


def _argument(argument: str | None) -> str | None:
    return None if argument is None or argument == STDIN else _typed(argument, "argument")


def _typed(text: str, what: str) -> str:
    """Refuse bytes that Python smuggled into an argument because they were not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidPrompt(f"the {what} is not UTF-8: see character {error.start + 1}") from error
    return text


def _nothing(something_was_read: bool) -> InvalidPrompt | UsageError:
    if something_was_read:
        return InvalidPrompt("the prompt is empty", hint=EXAMPLE)
    return UsageError("there is no prompt", hint=EXAMPLE)


def _file_text(path: Path | None) -> str | None:
    if path is None:
        return None
    return read_text(path, InvalidPrompt, hint=ATTACH_HINT)


def _chat(path: Path) -> Request:
    name = shown_name(path)
    text = _file_text(path) or ""
    if not text.strip():
        raise InvalidPrompt(f"{name}: the prompt is empty")
    return parse_chat(parse_json(text, name=name), name=name)


def _attachments(paths: tuple[Path, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Return the modalities that the files attach, and the texts of those that are text."""
    media: list[str] = []
    texts: list[str] = []
    for path in paths:
        content = read_bytes(path, InvalidPrompt)
        modality = _modality(path, content[:16])
        if modality:
            media.append(modality)
        elif b"\0" in content:
            raise InvalidPrompt(f"{path} is neither an image, a PDF, audio, video nor text")
        else:
            texts.append(decoded(content, shown_name(path), InvalidPrompt))
    return tuple(media), texts


def _modality(path: Path, start: bytes) -> str | None:
    known = _MODALITY_OF_SUFFIX.get(path.suffix.lower())
    if known:
        return known
    return next((kind for sign, kind in _MODALITY_OF_START.items() if start.startswith(sign)), None)
