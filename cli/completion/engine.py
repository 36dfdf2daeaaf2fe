"""What the shell offers on a Tab press: commands, options, and names from the registry.

Typer's own completion imports rich and shellingham, writes into the user's shell files, and does
not know that bash splits words at a colon; argcomplete knows only argparse.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import typer
from typer.core import TyperGroup


class Offer(NamedTuple):
    """One word that could stand at the cursor, and a few words on what it is."""

    word: str
    summary: str = ""


_FILE_NAMES = Offer("")


def reply(line: str, root: TyperGroup) -> str | None:
    """Return the offers for a command line up to the cursor, as `WORD<TAB>SUMMARY` lines.

    Null where a file's name is due, which the shell completes by itself.
    """
    words, incomplete = _split(line)
    offers = list(_offers(root, words[1:], incomplete))
    if _FILE_NAMES in offers:
        return None
    return "".join(f"{word}\t{' '.join(summary.split())}\n" for word, summary in offers)


def _split(line: str) -> tuple[list[str], str]:
    """Split as a shell does; a quote not yet closed is part of the word at the cursor."""
    import shlex

    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        return words, lexer.token
    at_new_word = not line or line[-1].isspace()
    return (words, "") if at_new_word else (words[:-1], words[-1])


class _Reached(NamedTuple):
    """Where the finished words lead: a command, and the option or argument that is due."""

    command: Any
    context: typer.Context
    option: Any
    position: int
    options_ended: bool


def _offers(root: TyperGroup, words: list[str], incomplete: str) -> Iterator[Offer]:
    reached = _follow(root, words)
    if reached is None:
        return
    command, context = reached.command, reached.context
    if reached.option is not None:
        yield from _values(reached.option, context, incomplete)
    elif incomplete.startswith("-") and not reached.options_ended:
        name, is_joined, value = incomplete.partition("=")
        option = _option(command, context, name)
        if not is_joined:
            yield from _options(command, context, incomplete)
        elif option is not None:
            for offer in _values(option, context, value):
                yield offer if offer is _FILE_NAMES else Offer(f"{name}={offer.word}")
    elif isinstance(command, TyperGroup):
        yield from _commands(command, context, incomplete)
    else:
        params = command.get_params(context)
        arguments = [param for param in params if param.param_type_name == "argument"]
        if arguments and (reached.position < len(arguments) or arguments[-1].nargs == -1):
            due = arguments[min(reached.position, len(arguments) - 1)]
            yield from _values(due, context, incomplete)


def _follow(root: TyperGroup, words: list[str]) -> _Reached | None:
    """Walk the command tree along the finished words; None when they lead nowhere."""
    command: Any = root
    context = typer.Context(command, info_name="rolecall")
    option, position, options_ended = None, 0, False
    for word in words:
        if option is not None:
            context.params[option.name] = word
            option = None
        elif word == "--" and not options_ended:
            options_ended = True
        elif word.startswith("-") and word != "-" and not options_ended:
            name, is_joined, value = word.partition("=")
            found = _option(command, context, name)
            if found is None or found.is_flag:
                continue
            if is_joined:
                context.params[found.name] = value
            else:
                option = found
        elif isinstance(command, TyperGroup):
            command = command.get_command(context, word)
            if command is None:
                return None
            context = typer.Context(command, parent=context, info_name=word)
        else:
            position += 1
    return _Reached(command, context, option, position, options_ended)


def _option(command: Any, context: typer.Context, name: str) -> Any:
    for param in command.get_params(context):
        if param.param_type_name == "option" and name in param.opts:
            return param
    return None


def _values(param: Any, context: typer.Context, incomplete: str) -> Iterator[Offer]:
    kind = param.type_descriptor.annotation
    if Path in (kind, *get_args(kind)):
        yield _FILE_NAMES
    for item in param.shell_complete(context, incomplete):
        yield Offer(item.value, item.help or "")


def _options(command: Any, context: typer.Context, incomplete: str) -> Iterator[Offer]:
    for param in command.get_params(context):
        if param.param_type_name == "option" and not param.hidden:
            for name in param.opts:
                if name.startswith(incomplete):
                    yield Offer(name, param.help or "")


def _commands(group: Any, context: typer.Context, incomplete: str) -> Iterator[Offer]:
    for name in group.list_commands(context):
        if name.startswith(incomplete):
            inner = group.commands.get(name)
            yield Offer(name, inner.get_short_help_str(200) if inner else group.summaries[name])
