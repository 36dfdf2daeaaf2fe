"""A request from what shell users expect: an argument, a pipe, files, or a whole chat."""

from __future__ import annotations

import binascii
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rolecall.cli.input.files import (
    STDIN,
    decoded,
    is_stdin,
    read_bytes,
    read_lines,
    read_text,
    shown_name,
)
from rolecall.registry.chat.options import Overrides, parse_options, read_schema, read_tools
from rolecall.registry.chat.parse import parse_chat, parse_json, parse_row
from rolecall.registry.core.chat import Chat, Media, Text, Turn
from rolecall.registry.core.errors import InvalidPrompt, UsageError
from rolecall.registry.core.media_types import START_BYTES, media_type_of, modality_of

EXAMPLE = 'rolecall route "why does this deadlock?"'
ATTACH_HINT = "attach images, PDFs and audio with --attach FILE"


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed for a prompt. A path `-` is stdin; `options` are names and values.

    `allow_pass` keeps what of a chat request is no known parameter, or chooses who serves it.
    """

    argument: str | None = None
    file: Path | None = None
    messages: Path | None = None
    system: str | None = None
    attach: tuple[Path, ...] = ()
    schema: Path | None = None
    tools: Path | None = None
    options: tuple[tuple[str, str], ...] = ()
    allow_pass: bool = False

    @property
    def paths(self) -> tuple[Path | None, ...]:
        """Every file that will be read."""
        return (self.file, self.messages, self.schema, self.tools, *self.attach)


def read_request(given: Given) -> Chat:
    """Return the request made of everything `given` and of a piped stdin.

    The last turn is the attached media, then the pipe's text, the file's, each attached text's
    and the argument, parted by blank lines; `messages` come before it and `system` before those.
    `schema`, `tools` and `options` win over those of `messages`. Stdin is read when it is a pipe
    or a redirected file, or when `-` is given. Raises InvalidPrompt, and UsageError when there is
    no prompt at all.
    """
    _refuse_two_readers(given)
    media, texts = _attachments(given.attach)
    parts = [_piped(given), _file_text(given.file), *texts.values(), _argument(given.argument)]
    text = "\n\n".join(part.strip("\n") for part in parts if part is not None and part.strip())
    chat = None if given.messages is None else _chat(given.messages, given.allow_pass)
    last = (Turn("user", (*media, Text(text)) if text else media),) if text or media else ()
    if chat is None and not last:
        raise _nothing(any(part is not None for part in parts))
    turns = (*_system(given.system), *(chat.turns if chat else ()), *last)
    files = tuple(shown_name(path) for path in (given.file, *texts) if path is not None)
    chat = replace(chat, turns=turns) if chat else Chat(turns)
    return read_overrides(given).of(replace(chat, files=files))


def read_overrides(given: Given) -> Overrides:
    """Return what `given` says of the answer: its schema, tools and options. Raises UsageError."""
    return Overrides(
        schema=None if given.schema is None else read_schema(*_document(given.schema)),
        tools=None if given.tools is None else read_tools(*_document(given.tools)),
        options=parse_options(given.options),
    )


def read_jsonl(given: Given) -> Iterator[tuple[int, Chat, str | None]]:
    """Yield line number, request and custom id of each row as it arrives; blank lines are skipped.

    The rows are in `file`, or in stdin without one; `schema`, `tools` and `options` win over each
    row's own. Raises InvalidPrompt naming the file and line.
    """
    source = given.file or Path(STDIN)
    _refuse_two_readers(Given(file=source, schema=given.schema, tools=given.tools))
    overrides = read_overrides(given)
    name = shown_name(source)
    for number, line in read_lines(source, InvalidPrompt):
        place = f"{name}:{number}"
        text = decoded(line, place, InvalidPrompt)
        if text.strip():
            row = parse_json(text.strip(), name=name, first_line=number)
            chat, custom_id = parse_row(row, name=place, allow_pass=given.allow_pass)
            yield number, overrides.of(chat), custom_id


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
    if sum(map(is_stdin, given.paths)) + (given.argument == STDIN) > 1:
        raise UsageError("stdin was asked for twice", hint="use - once")


def _piped(given: Given) -> str | None:
    """Read stdin, unless one of the files is `-` and will read it itself."""
    if any(map(is_stdin, given.paths)):
        return None
    if given.argument == STDIN or stdin_is_given():
        return _file_text(Path(STDIN))
    return None


def _argument(argument: str | None) -> str | None:
    return None if argument is None or argument == STDIN else _typed(argument, "argument")


def _system(text: str | None) -> tuple[Turn, ...]:
    return () if text is None else (Turn("system", (Text(_typed(text, "system")),)),)


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


def _document(path: Path) -> tuple[str, str]:
    """Return a JSON file's text, and what messages call the file."""
    return read_text(path, InvalidPrompt), shown_name(path)


def _chat(path: Path, allow_pass: bool) -> Chat:
    name = shown_name(path)
    text = _file_text(path) or ""
    if not text.strip():
        raise InvalidPrompt(f"{name}: the prompt is empty")
    return parse_chat(parse_json(text, name=name), name=name, allow_pass=allow_pass)


def _attachments(paths: tuple[Path, ...]) -> tuple[tuple[Media, ...], dict[Path, str]]:
    """Return the media that the files are, and the texts of those that are text."""
    media: list[Media] = []
    texts: dict[Path, str] = {}
    for path in paths:
        content = read_bytes(path, InvalidPrompt)
        mime_type = media_type_of(content[:START_BYTES], path.name)
        modality = modality_of(mime_type)
        if modality:
            data = binascii.b2a_base64(content, newline=False).decode("ascii")
            name = None if is_stdin(path) else path.name
            media.append(Media(modality, mime_type, data, name=name))
        elif b"\0" in content:
            raise InvalidPrompt(f"{path} is neither an image, a PDF, audio, video nor text")
        else:
            texts[path] = decoded(content, shown_name(path), InvalidPrompt)
    return tuple(media), texts
