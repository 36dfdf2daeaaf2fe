"""The command tree: a line for each command, whose file is imported only when it is used."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from rolecall.cli.options.coercion import HELP_OPTIONS, parse_plainly


class Place(NamedTuple):
    """Where a command is written, and the first line of its help."""

    target: str
    summary: str


COMMANDS: dict[str, dict[str, Place]] = {
    "Everyday": {
        "ask": Place("ask:ask", "Route a prompt, call the model, print the answer."),
        "route": Place("route:route", "Decide which endpoint should answer a prompt."),
        "explain": Place("explain:explain", "Show why an endpoint was chosen."),
        "feedback": Place("feedback:feedback", "Record how good an answer was."),
    },
    "Registry": {
        "models": Place("models:app", "Manage models."),
        "endpoints": Place("endpoints:app", "Manage endpoints."),
        "roles": Place("roles:app", "Manage roles and their endpoints."),
        "tasks": Place("tasks:app", "Manage tasks."),
        "strategies": Place("strategies:app", "Manage routing strategies."),
        "registry": Place("registry:app", "Export, apply, undo, check or back up the registry."),
    },
    "Evidence": {
        "probe": Place("probe:probe", "Measure endpoints by short real calls."),
        "telemetry": Place("telemetry:app", "List, export or prune recorded calls."),
        "scorer": Place("scorer:app", "Show, evaluate or fit the scorer."),
    },
    "More": {
        "completion": Place("completion:completion", "Print a completion script for your shell."),
        "help": Place("help:show_help", "Show help on a topic or a command."),
    },
}


PLACES = {name: place for section in COMMANDS.values() for name, place in section.items()}


class CommandTree(TyperGroup):
    """A group that knows its commands by name and imports one when it is asked for."""

    summaries: ClassVar = {name: place.summary for name, place in PLACES.items()}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return every command's name, in the order of the help."""
        return list(PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        """Import and build one command; None when there is none of that name."""
        return build(cmd_name) if cmd_name in PLACES else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that `args` start with; a mistyped one gets a suggestion."""
        near = get_close_matches(args[0], PLACES, n=1)
        if near and args[0] not in PLACES and not ctx.resilient_parsing:
            ctx.fail(f"no such command {args[0]!r}; did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the commands by section, from the table alone."""
        width = max(map(len, PLACES))
        for section, places in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), p.summary) for name, p in places.items()])


def build(name: str) -> TyperCommand | TyperGroup:
    """Import the command `name` and everything under it."""
    module, _, attribute = PLACES[name].target.partition(":")
    found = getattr(import_module(f"rolecall.cli.commands.{module}"), attribute)
    command: TyperCommand | TyperGroup
    if isinstance(found, typer.Typer):
        found.rich_markup_mode = None
        command = get_group(found)
    else:
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(found)
        command = get_command(single)  # type: ignore[assignment]  # typed as its private base
    command.name = name
    parse_plainly(command)
    return command


app = typer.Typer(
    cls=CommandTree,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": HELP_OPTIONS},
)


@app.callback(invoke_without_command=True)
def rolecall(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Decide on this machine which LLM endpoint should answer a prompt.

    \b
    Examples:
      rolecall ask "why does this deadlock?" -f trace.log
      git diff | rolecall route "review this" --role coder
      rolecall explain
    """
    if version:
        from importlib.metadata import version as installed_version

        sys.stdout.write(f"rolecall {installed_version('rolecall')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def tree() -> TyperGroup:
    """Return the root of the command tree, ready to run or to walk."""
    root = get_group(app)
    parse_plainly(root)
    return root
