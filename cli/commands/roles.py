"""`rolecall roles`: the kinds of work, and the endpoints that are eligible for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

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
    print_outcome,
    words,
)
from rolecall.cli.completion.names import endpoint_names, role_names, strategy_names, task_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Role

app = typer.Typer(help="Manage roles and their endpoints.")

RoleArgument = Annotated[
    str, typer.Argument(metavar="ROLE", help="The role's id.", autocompletion=role_names)
]
EndpointArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="An endpoint's id.", autocompletion=endpoint_names)
]


@app.command("list")
def list_roles(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """List the roles and what they need.

    \b
    Examples:
      rolecall roles list
      rolecall roles list --json | jq -r '.roles[].id'
    """
    columns = [
        Column("role"),
        Column("strategy"),
        Column("worth", is_number=True),
        Column("tasks"),
        Column("requires", drop=1),
        Column("prefers", drop=3),
        Column("endpoints", drop=2),
    ]
    list_collection("roles", columns, row_of, registry, as_json=as_json)


def row_of(role: Role) -> list[str]:
    """Return a role's cells; a role with no assignment may use every endpoint."""
    active = sum(one.status == "active" for one in role.assignments)
    endpoints = f"{active} of {len(role.assignments)}" if role.assignments else "any"
    return [
        role.id,
        role.strategy or "default",
        "–" if role.worth is None else f"{role.worth:g}",
        words(role.tasks),
        words(role.require),
        words(role.prefer),
        endpoints,
    ]


@app.command()
def add(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="The new role's id.")],
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it does, in a sentence.")
    ] = None,
    task: Annotated[
        Names,
        typer.Option(metavar="TASK", help="A task it does; repeatable.", autocompletion=task_names),
    ] = None,
    require: RequireOption = None,
    prefer: PreferOption = None,
    forbid: Annotated[
        Names, typer.Option(metavar="CAPABILITY", help="A capability it refuses; repeatable.")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY", help="How it values candidates.", autocompletion=strategy_names
        ),
    ] = None,
    worth: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="What is at stake: a factor on the value of a correct answer."
        ),
    ] = None,
    example: Annotated[
        Names, typer.Option(metavar="PROMPT", help="A prompt that is this role's work; repeatable.")
    ] = None,
    starter: StarterOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a role.

    \b
    Examples:
      rolecall roles add reviewer --task code --require tools --worth 4
      rolecall roles add translator --example "translate this into Finnish"
      rolecall roles remove coder && rolecall roles add coder --starter
    """
    facts = {
        "id": role,
        "description": description,
        "strategy": strategy,
        "worth": worth,
        "tasks": task,
        "require": require,
        "prefer": prefer,
        "forbid": forbid,
        "examples": example,
    }
    add_stated("roles", facts, registry, is_starter=starter, as_json=as_json)


add_record_commands(
    app,
    "roles",
    RecordHelp(
        completion=role_names,
        show=("coder", "coder"),
        edit='EDITOR="sed -i s/balanced/cheapest/" rolecall roles edit math',
        remove="reviewer",
    ),
)


@app.command()
def assign(
    role: RoleArgument,
    endpoint: EndpointArgument,
    status: Annotated[
        Literal["active", "inactive", "disabled"],
        typer.Option(metavar="STATUS", help="active, inactive or disabled.", show_default=True),
    ] = "active",
    task: Annotated[
        Names,
        typer.Option(
            metavar="TASK", help="Only for this task; repeatable.", autocompletion=task_names
        ),
    ] = None,
    capability: Annotated[
        Names, typer.Option(metavar="CAPABILITY", help="Only with this capability; repeatable.")
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Assign an endpoint to a role, or change its assignment.

    A role with assignments uses no other endpoint; one without may use them all.

    \b
    Examples:
      rolecall roles assign coder anthropic/claude-sonnet-4-6
      rolecall roles assign coder ollama/qwen3-8b --task code.explain
      rolecall roles assign coder ollama/qwen3-8b --status inactive
    """
    from rolecall.registry.core.entities import Assignment
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import assign_endpoint
    from rolecall.registry.editing.open import open_registry

    restricted = Assignment(endpoint, status, tuple(task or ()), tuple(capability or ()))
    with open_registry(registry) as db:
        changed = assign_endpoint(db, role, restricted)
    print_outcome(
        f"assigned {endpoint} to role {role} ({status})", to_plain(changed), as_json=as_json
    )


@app.command()
def unassign(
    role: RoleArgument,
    endpoint: EndpointArgument,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an endpoint away from a role.

    \b
    Examples:
      rolecall roles unassign coder ollama/qwen3-8b
      rolecall roles unassign coder anthropic/claude-sonnet-4-6 --json
    """
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import unassign_endpoint
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        changed = unassign_endpoint(db, role, endpoint)
    text = f"unassigned {endpoint} from role {role}"
    print_outcome(text, to_plain(changed), as_json=as_json)
