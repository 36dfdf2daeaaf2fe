"""`rolecall explain`: why an endpoint was chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.options.request import RequestOptions, takes_request
from rolecall.registry.core.errors import UsageError

DecisionArgument = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="A decision's id or its start; by default the last one."),
]
PromptOption = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEXT", help="Decide this prompt without recording it."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Show every candidate and exclusion.")]


@takes_request
def explain(
    *,
    decision_id: DecisionArgument = None,
    prompt: PromptOption = None,
    request: RequestOptions,
    show_all: AllOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Show why an endpoint was chosen.

    A stored decision explains itself by the numbers it was made with, whatever the registry
    says by now. A request given here (--prompt, --file, --messages) is decided without being
    recorded; the other options go with it.

    \b
    Examples:
      rolecall explain
      rolecall explain --prompt "why does this deadlock?" --strategy quality
      rolecall explain --json | jq .margin_usd
    """
    from rolecall.cli.render.explanation import print_explained
    from rolecall.cli.render.output import note
    from rolecall.registry.telemetry.recorder import open_recorded

    choices = request.choices()
    if prompt is None and not request.has_file:
        if request.has_extras:
            raise UsageError("there is no prompt", hint='rolecall explain --prompt "…"')
        from rolecall.registry.routing.explain import explain_decision

        with open_recorded(registry, note) as db:
            explained = explain_decision(db, decision_id, choices)
    else:
        if decision_id is not None:
            raise UsageError("either a decision's id or a request", hint="rolecall explain --help")
        from rolecall.registry.learning.loading import Loading

        loading = Loading(note)  # before the other imports, which then cost no time

        from rolecall.cli.input.prompts import read_request
        from rolecall.registry.chat.parse import request_of
        from rolecall.registry.routing.explain import Explained
        from rolecall.registry.routing.router import load_router

        wanted = request_of(read_request(request.given(prompt)))
        with open_recorded(registry, note) as db:
            router = load_router(db, loading)
            explained = Explained(router.decide(wanted, choices, record=False))
    print_explained(explained, show_all=show_all, as_json=as_json)
