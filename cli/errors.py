"""The one place where failures become a line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

import typer
from typer import TyperException

from rolecall.cli.render.output import forget, one_line, say
from rolecall.cli.signals import Interrupts
from rolecall.registry.core.errors import ExitCode, RegistryError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def guarded(command: Callable[[], Any]) -> int:
    """Run `command` and return its exit code; whatever else it raises is a bug and passes."""
    _replace_closed_streams()
    _let_any_character_out()
    interrupts = Interrupts()
    try:
        with interrupts.raised():
            return _ended(command)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception:
        if not interrupts.came:  # else it is what an extension made of the interrupt
            raise
        return ExitCode.INTERRUPTED


def _ended(command: Callable[[], Any]) -> int:
    try:
        result = command()
        sys.stdout.flush()
    except RegistryError as error:
        return _report(_said(error), error.hint, error.exit_code)
    except TyperException as error:
        return _report(_plain(error.format_message()), _help_hint(error), ExitCode.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget(sys.stdout)
        return ExitCode.OTHER
    except OSError as error:
        if error.errno not in (*NO_ROOM, errno.EBADF):
            raise
        forget(sys.stdout)
        is_closed = error.errno == errno.EBADF
        reason = "stdout is closed" if is_closed else os.strerror(error.errno).lower()
        what = error.filename or "the answer"
        return _report(f"cannot write {what}: {reason}", None, ExitCode.OTHER)
    return result if isinstance(result, int) else ExitCode.DONE


def _said(error: RegistryError) -> str:
    lines = error.message.split("\n") if error.is_listing else [error.message]
    return "\n  ".join(map(one_line, lines))


def _report(message: str, hint: str | None, code: ExitCode) -> int:
    lines = [f"error: {message}"]
    if hint is not None:
        lines.append(f"hint: {one_line(hint)}")
    say("\n".join(lines) + "\n")
    try:
        sys.stdout.flush()
    except OSError:
        forget(sys.stdout)
    return code


def _replace_closed_streams() -> None:
    """Refuse what is written to a closed stdout, and let a closed stderr swallow it.

    Their numbers must not go to the files that are opened next: these would be written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            if number == 0:
                continue  # a closed stdin stays one
            setattr(sys, name, open(handle, "w"))  # noqa: PTH123, SIM115


def _let_any_character_out() -> None:
    """Escape what stdout's encoding lacks, as Python does on stderr, instead of failing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _plain(message: str) -> str:
    """Put typer's sentence into the shape of our own: lower case, no full stop."""
    message = one_line(message).rstrip(".")
    return message[:1].lower() + message[1:]


def _help_hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    if context is not None:
        return f"{context.command_path} --help"
    # An option without its value is refused before typer knows the command it stands in.
    command = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return " ".join(["rolecall", *command, "--help"])
