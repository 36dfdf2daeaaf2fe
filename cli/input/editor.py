"""A person edits a text in their own editor, until it is accepted or given up."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rolecall.cli.render.output import note
from rolecall.registry.core.errors import RecordChanged, RegistryError

MOST_TRIES = 50
_MARK = "#! "
_LONGEST_NAME = 50  # of characters, which may take four bytes each


class EditorError(RegistryError):
    """The editor could not be started, or ended with an error."""


def edit_text(
    text: str,
    *,
    name: str,
    apply: Callable[[str], bool],
    reread: Callable[[], str],
) -> bool:
    """Let the person edit `text`, pass the result to `apply` and return what that returned.

    When `apply` refuses with a RegistryError, the editor opens again with the message on top; a
    record that changed meanwhile (RecordChanged) is shown as `reread` returns it, above the
    person's own text. Giving up is leaving the text as it is, or empty: False is returned.
    Where stdin is no terminal the editor is a program, and nobody can mend a text. It is run
    again on a record that changed meanwhile; for any other refusal, a note says where its text
    is kept, and the refusal is raised. Raises EditorError.
    """
    shown, original = text, text
    tries_left = MOST_TRIES
    while True:
        edited = _stripped(_edited(shown, name))
        if not edited.strip() or edited.strip() in (original.strip(), _stripped(shown).strip()):
            return False
        try:
            return apply(edited)
        except RegistryError as error:
            if stdin_is_terminal():
                shown = _with_message(edited, error, reread)
            elif isinstance(error, RecordChanged) and tries_left > 0:
                shown = original = reread()
                tries_left -= 1
            else:
                _keep(edited, name)
                raise


def _edited(text: str, name: str) -> str:
    """Return what the editor leaves of `text`, shown in a file only the person can read."""
    with tempfile.TemporaryDirectory(prefix="rolecall-") as folder:
        path = Path(folder) / f"{_file_name(name)}.yaml"
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        command = editor_command()
        status = _run([*command, str(path)])
        if status != 0:
            raise EditorError(f"the editor {command[0]} ended with {status}; nothing was changed")
        return _read(path)


def _file_name(name: str) -> str:
    """Return what of a record's name a file can be called."""
    return name.replace("/", "-").replace("\0", "")[:_LONGEST_NAME]


def stdin_is_terminal() -> bool:
    """Tell whether a person can be asked again."""
    return sys.stdin is not None and sys.stdin.isatty()


def _run(command: list[str]) -> int:
    # Ctrl-C belongs to the editor while it is open. A handler, unlike ignoring the signal, is
    # not passed on to it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, check=False).returncode
    except OSError as error:
        message = f"cannot start the editor {command[0]}: {(error.strerror or '').lower()}"
        raise EditorError(message, hint="export EDITOR=nano") from error
    finally:
        signal.signal(signal.SIGINT, before)


def editor_command() -> list[str]:
    """Return the person's editor and its arguments: $VISUAL, else $EDITOR, else vi."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return shlex.split(named) or ["vi"]
    except ValueError as error:
        raise EditorError(f"$EDITOR cannot be read: {named}", hint="export EDITOR=nano") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise EditorError("the edited text is not UTF-8; nothing was changed") from error


def _with_message(edited: str, error: RegistryError, reread: Callable[[], str]) -> str:
    lines = [*error.message.splitlines(), *([error.hint] if error.hint else [])]
    if isinstance(error, RecordChanged):
        lines += ["it is now:", *reread().splitlines(), "your text:"]
    else:
        lines.append("mend it below, or leave it as it is to give up")
    return "".join(f"{_MARK}{line}\n" for line in lines) + edited


def _stripped(text: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith(_MARK))


def _keep(edited: str, name: str) -> None:
    handle, path = tempfile.mkstemp(prefix=f"rolecall-{_file_name(name)}-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(edited)
    note(f"nothing was changed; your text is kept in {path}")
