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
    typer.Option("--prompt", metavar="TEXT", help="Decide this prompt, recording nothing."),
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
    """Say why an endpoint was chosen.

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
    from rolecall.registry.routing.explain import explain_decision, explain_request

    choices = request.choices()
    if prompt is None and not request.has_file:
        if request.has_extras:
            raise UsageError("there is no prompt", hint='rolecall explain --prompt "…"')
        decision = explain_decision(registry, decision_id, choices)
    else:
        from rolecall.cli.input.prompts import read_request
        from rolecall.registry.chat.parse import request_of

        if decision_id is not None:
            raise UsageError("either a decision's id or a request", hint="rolecall explain --help")
        wanted = request_of(read_request(request.given(prompt)))
        decision = explain_request(registry, wanted, choices)
    print_explained(decision, show_all=show_all, as_json=as_json)
