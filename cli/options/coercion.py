"""Words from the command line into values, without the 80 ms that typer's own parser imports."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

# typer asks each parameter for its parser through this method and imports pydantic to build it.
_PARSER_METHOD = "get_runtime_param"
# And an argument, for the help, for its Python type, such as list[str].
_TYPE_METHOD = "display_type_rich"
# And for its part of the usage, which has braces around what is required.
_USAGE_METHOD = "get_usage_pieces"
# It gets the words of a command and keeps what they say in its context.
_PARSE_METHOD = "parse_args"
_ASSIGNED = re.compile(r"[A-Za-z_][\w.-]*=.*", re.DOTALL)
HELP_OPTIONS = ["-h", "--help"]
_PLAIN = (str, int, float, bool, Path)


class Coercion:
    """The parser of one parameter; says in plain words what was wrong with a value."""

    def __init__(
        self, param: TyperArgument | TyperOption, lowest: float | None, highest: float | None
    ) -> None:
        self.annotation: Any = param.type_descriptor.annotation
        self.lowest, self.highest = lowest, highest

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return `value` as the parameter's type; raises `typer.BadParameter`."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        try:
            if many and param.nargs > 1:
                return tuple(tuple(map(str, words)) for words in value)
            if many:
                (each,) = get_args(self.annotation)
                return tuple(self._one(word, each) for word in value)
            return self._one(value, self.annotation)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error

    def _one(self, word: Any, kind: Any) -> Any:
        if get_origin(kind) is Literal:
            if word not in get_args(kind):
                raise ValueError(f"{word!r} is none of {', '.join(get_args(kind))}")
            return word
        if kind in (int, float):
            return self._number(word, kind)
        if kind is bool:
            return _truth(word)
        return kind(word)

    def _number(self, word: Any, kind: type[int] | type[float]) -> int | float:
        try:
            number = kind(word)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise ValueError(f"{word!r} is not {wanted}") from None
        if not math.isfinite(number):
            raise ValueError(f"{word!r} is not a finite number")
        if self.lowest is not None and number < self.lowest:
            raise ValueError(f"{word} is below {self.lowest}")
        if self.highest is not None and number > self.highest:
            raise ValueError(f"{word} is above {self.highest}")
        return number


def _truth(word: Any) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if isinstance(word, bool):
        return word
    if str(word).lower() not in known:
        raise ValueError(f"{word!r} is neither true nor false")
    return known[str(word).lower()]


def parse_plainly(command: Any) -> None:
    """Give every parameter of `command`, and of the commands in it, our own parser.

    A kind of parameter that we do not know keeps typer's. An option whose metavar is several
    words takes as many: typer has no way to say so of one that may be repeated; a pair may also be
    written NAME=VALUE.
    """
    # The help option is made when a context first asks for it, and kept.
    context = typer.Context(command, help_option_names=HELP_OPTIONS)
    for param in command.get_params(context):
        if isinstance(param, TyperArgument):
            setattr(param, _TYPE_METHOD, lambda **_: None)
            setattr(param, _USAGE_METHOD, partial(_usage, param))
        if isinstance(param, TyperArgument | TyperOption) and _is_plain(param):
            setattr(param, _PARSER_METHOD, partial(Coercion, param, param.min, param.max))
            param.min = param.max = None  # the help says in words what matters of them
            if isinstance(param, TyperOption) and param.multiple:
                param.nargs = len((param.metavar or "one").split())
    pairs = {word for param in command.params if param.nargs == 2 for word in param.opts}
    if pairs:
        setattr(command, _PARSE_METHOD, partial(_parse_with_pairs, command.parse_args, pairs))
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            parse_plainly(inner)


def _parse_with_pairs(
    parse: Callable[[Any, list[str]], list[str]], pairs: set[str], context: Any, args: list[str]
) -> list[str]:
    """Parse words of which NAME=VALUE after an option of a pair, or joined to it, counts as two."""
    words: list[str] = []
    for place, word in enumerate(args):
        if word == "--":
            words += args[place:]
            break
        option, value = _joined_pair(word, pairs)
        if not option and place > 0 and args[place - 1] in pairs:
            value = word
        if _ASSIGNED.fullmatch(value):
            words += [*option, *value.split("=", 1)]
        else:
            words.append(word)
    return parse(context, words)


def _joined_pair(word: str, pairs: set[str]) -> tuple[list[str], str]:
    """Return the option and the value of `--option=NAME=VALUE` or `-oNAME=VALUE`, else nothing."""
    for option in pairs:
        start = f"{option}=" if option.startswith("--") else option
        if word.startswith(start) and word != start:
            return [option], word.removeprefix(start)
    return [], ""


def _usage(argument: TyperArgument, _context: typer.Context) -> list[str]:
    name = argument.metavar or str(argument.name).upper()
    if argument.nargs == -1 and " " not in name:
        name += "..."
    return [name if argument.required else f"[{name}]"]


def _is_plain(param: TyperArgument | TyperOption) -> bool:
    annotation: Any = param.type_descriptor.annotation
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    return annotation in _PLAIN or get_origin(annotation) is Literal
