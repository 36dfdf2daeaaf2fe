"""Files that people give on the command line, where `-` is stdin."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from select import select
from typing import BinaryIO

from rolecall.cli.render.output import note
from rolecall.registry.core.errors import UsageError

STDIN = "-"
MIB = 1024 * 1024
MAX_FILE_BYTES = 64 * MIB
MAX_DOCUMENT_BYTES = 256 * MIB  # a registry document may hold many judged rows
SILENCE_S = 1.0
_PIECE_BYTES = MIB


def is_stdin(path: Path | None) -> bool:
    """Tell whether a path means stdin."""
    return str(path) == STDIN


def shown_name(path: Path) -> str:
    """Return how messages call a file."""
    return "stdin" if is_stdin(path) else str(path)


def opened(path: Path, refusal: type[UsageError]) -> BinaryIO:
    """Open a file, or stdin, for reading bytes; raise `refusal` when it cannot be."""
    if is_stdin(path):
        if sys.stdin is None:
            raise refusal("stdin is closed")
        _tell_of_waiting(sys.stdin.fileno())
        return open(sys.stdin.fileno(), "rb", closefd=False)
    try:
        # A pipe that nobody writes to yet would keep even the opening waiting.
        stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    except OSError as error:
        raise _unreadable(path, error, refusal) from error
    if _is_silent(stream.fileno()):
        note(f"note: reading from {path}, a pipe that is silent so far")
        select([stream], [], [])
    os.set_blocking(stream.fileno(), True)
    return stream


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK)


def _tell_of_waiting(handle: int) -> None:
    """Say what is waited for, where stdin is a pipe that has brought nothing yet."""
    if _is_silent(handle):
        note("note: reading from a pipe that is silent so far; without one: < /dev/null")


def _is_silent(handle: int) -> bool:
    """Tell whether this is a pipe that has brought nothing for a second."""
    is_pipe = stat.S_ISFIFO(os.fstat(handle).st_mode)
    return is_pipe and not select([handle], [], [], SILENCE_S)[0]


def read_bytes(path: Path, refusal: type[UsageError], *, most: int = MAX_FILE_BYTES) -> bytes:
    """Return all of a file, or of stdin; raise `refusal` when it cannot be read.

    One of more than `most` bytes, which may have no end, is refused.
    """
    content = bytearray()
    with opened(path, refusal) as stream:
        try:
            while piece := stream.read(_PIECE_BYTES):
                content += piece
                if len(content) > most:
                    raise _too_long(shown_name(path), most, refusal)
        except OSError as error:
            raise _unreadable(path, error, refusal) from error
    return bytes(content)


def read_text(
    path: Path,
    refusal: type[UsageError],
    *,
    hint: str | None = None,
    most: int = MAX_FILE_BYTES,
) -> str:
    """Return a file's text, or stdin's; raise `refusal` with `hint` when it is not text.

    Text is UTF-8, or UTF-16 with its mark, as Windows' shells write it.
    """
    content = read_bytes(path, refusal, most=most)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise refusal(f"{shown_name(path)} is broken UTF-16 text", hint=hint) from error
    return decoded(content, shown_name(path), refusal, hint=hint)


def read_lines(path: Path, refusal: type[UsageError]) -> Iterator[tuple[int, bytes]]:
    """Yield each line of a file or of stdin with its number, as it arrives.

    There may be any number of them; a line of more than `MAX_FILE_BYTES` is refused.
    """
    name, number = shown_name(path), 0
    with opened(path, refusal) as stream:
        try:
            while line := stream.readline(MAX_FILE_BYTES + 1):
                number += 1
                if len(line) > MAX_FILE_BYTES:
                    raise _too_long(f"{name}:{number}: the line", MAX_FILE_BYTES, refusal)
                yield number, line
        except OSError as error:
            raise _unreadable(path, error, refusal) from error


def _too_long(what: str, most: int, refusal: type[UsageError]) -> UsageError:
    return refusal(f"{what} is over {most // MIB} MiB, the most that is read")


def decoded(
    content: bytes, name: str, refusal: type[UsageError], *, hint: str | None = None
) -> str:
    """Return UTF-8 text without its byte order mark; `name` says where it was read."""
    nul = content.find(b"\0")
    if nul >= 0:
        raise refusal(f"{name} is binary, not text: NUL at byte {nul}", hint=hint)
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        bad = content[error.start]
        message = f"{name} is not UTF-8 text: 0x{bad:02x} at byte {error.start}"
        raise refusal(message, hint=hint) from error


def _unreadable(path: Path, error: OSError, refusal: type[UsageError]) -> UsageError:
    reason = (error.strerror or "it is not a file").lower()
    return refusal(f"cannot read {path}: {reason}")
