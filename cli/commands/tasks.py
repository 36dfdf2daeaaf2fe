"""`rolecall tasks`: the kinds of task, what they need, and the examples that tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.commands.records import (
    Names,
    PreferOption,
    RecordHelp,
    RequireOption,
    StarterOption,
    add_record_commands,
    add_stated,
    list_collection,
    words,
)
from rolecall.cli.completion.names import role_names, task_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column

if TYPE_CHECKING:
    from rolecall.registry.core.entities import TaskKind

app = typer.Typer(help="Manage tasks.")


@app.command("list")
def list_tasks(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """List the tasks, what they need and their roles.

    \b
    Examples:
      rolecall tasks list
      rolecall tasks list --json | jq -r '.tasks[].id'
    """
    columns = [
        Column("task"),
        Column("description"),
        Column("requires"),
        Column("prefers", drop=3),
        Column("roles", drop=1),
        Column("examples", drop=2, is_number=True),
    ]
    list_collection("tasks", columns, row_of, registry, as_json=as_json)


def row_of(task: TaskKind) -> list[str]:
    """Return a task's cells; one that names no role is open to every role."""
    return [
        task.id,
        task.description,
        words(task.require),
        words(task.prefer),
        words(task.roles) if task.roles else "any",
        str(len(task.examples)),
    ]


@app.command()
def add(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The new task's id, such as code.sql.")
    ],
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is, in a sentence.")
    ] = None,
    require: RequireOption = None,
    prefer: PreferOption = None,
    role: Annotated[
        Names,
        typer.Option(
            metavar="ROLE",
            help="A role that is eligible for it; repeatable.",
            autocompletion=role_names,
        ),
    ] = None,
    example: Annotated[
        Names, typer.Option(metavar="PROMPT", help="A prompt that is this task; repeatable.")
    ] = None,
    starter: StarterOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a task.

    \b
    Examples:
      rolecall tasks add code.sql --example "tune a slow join"
      rolecall tasks add code.review --role coder --example "is this diff ok?"
      rolecall tasks remove legal && rolecall tasks add legal --starter
    """
    facts = {
        "id": task,
        "description": description,
        "require": require,
        "prefer": prefer,
        "roles": role,
        "examples": example,
    }
    add_stated("tasks", facts, registry, is_starter=starter, as_json=as_json)


add_record_commands(
    app,
    "tasks",
    RecordHelp(
        completion=task_names,
        show=("code", "code"),
        edit="EDITOR=nano rolecall tasks edit summarize",
        remove="code.sql",
    ),
)
