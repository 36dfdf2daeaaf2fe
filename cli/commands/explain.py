"""`rolecall explain`: why an endpoint was chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli import choices as options
from rolecall.cli.options import JsonOption, RegistryOption

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
    show_all: AllOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Say why an endpoint was chosen.

    A stored decision explains itself by the numbers it was made with, whatever the registry
    says by now. The choices (--role, --strategy, …) go with --prompt.

    \b
    Examples:
      rolecall explain
      rolecall explain --prompt "why does this deadlock?" --strategy quality
      rolecall explain --json | jq .margin_usd
    """
    from rolecall.cli.explanation import print_explained
    from rolecall.registry.explain import explain_decision, explain_prompt
    from rolecall.registry.layers import Choices

    choices = Choices(
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
    )
    if prompt is None:
        decision = explain_decision(registry, decision_id, choices)
    else:
        decision = explain_prompt(registry, prompt, choices, decision_id)
    print_explained(decision, show_all=show_all, as_json=as_json)
