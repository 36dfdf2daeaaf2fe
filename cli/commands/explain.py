"""`rolecall explain`: why an endpoint was chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli import choices as options
from rolecall.cli.options import JsonOption, RegistryOption
from rolecall.registry.errors import UsageError

DecisionArgument = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="A decision's id or its start; by default the last one."),
]
PromptOption = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEXT", help="Decide this prompt, recording nothing."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Show every candidate and exclusion.")]


def explain(
    decision_id: DecisionArgument = None,
    prompt: PromptOption = None,
    file: options.FileOption = None,
    messages: options.MessagesOption = None,
    system: options.SystemOption = None,
    attach: options.AttachOption = None,
    role: options.RoleOption = None,
    strategy: options.StrategyOption = None,
    task: options.TaskOption = None,
    app: options.AppOption = None,
    user: options.UserOption = None,
    conversation: options.ConversationOption = None,
    endpoint: options.EndpointOption = None,
    local_only: options.LocalOnlyOption = False,
    max_cost: options.MaxCostOption = None,
    min_success: options.MinSuccessOption = None,
    need: options.NeedOption = None,
    prefer: options.PreferOption = None,
    input_tokens: options.InputTokensOption = None,
    max_tokens: options.MaxTokensOption = None,
    option: options.OptionsOption = None,
    schema: options.SchemaOption = None,
    tools: options.ToolsOption = None,
    allow_drop: options.AllowDropOption = False,
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
    from rolecall.cli.explanation import print_explained
    from rolecall.registry.explain import explain_decision, explain_request
    from rolecall.registry.layers import Asked, Choices

    asked = Asked(
        choices=Choices(
            role=role,
            strategy=strategy,
            task=task,
            app=app,
            user=user,
            conversation=conversation,
            endpoints=tuple(endpoint or ()),
            local_only=local_only,
            max_cost_usd=max_cost,
            min_success=min_success,
            allow_drop=allow_drop,
        ),
        needs=tuple(need or ()),
        prefers=tuple(prefer or ()),
        input_tokens=input_tokens,
        max_tokens=max_tokens,
    )
    if prompt is None and file is None and messages is None:
        if system is not None or attach or schema is not None or tools is not None or option:
            raise UsageError("there is no prompt", hint='rolecall explain --prompt "…"')
        decision = explain_decision(registry, decision_id, asked)
    else:
        from rolecall.cli.prompts import Given, read_request
        from rolecall.registry.requests import request_of

        if decision_id is not None:
            raise UsageError("either a decision's id or a request", hint="rolecall explain --help")
        given = Given(
            argument=prompt,
            file=file,
            messages=messages,
            system=system,
            attach=tuple(attach or ()),
            schema=schema,
            tools=tools,
            options=options.pairs(option),
        )
        request = asked.of(request_of(read_request(given)))
        decision = explain_request(registry, request, asked.choices)
    print_explained(decision, show_all=show_all, as_json=as_json)
