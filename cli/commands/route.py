"""`rolecall route`: decide only."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli import choices as options
from rolecall.cli.options import JsonOption, RegistryOption


def route(
    prompt: options.PromptArgument = None,
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
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="Read a prompt a line (stdin or --file), print a decision a line as JSON.",
        ),
    ] = False,
    no_log: options.NoLogOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Decide which endpoint should answer a prompt.

    Prints the endpoint's id alone; nothing is sent anywhere.

    \b
    Examples:
      rolecall route "why does this deadlock?"
      git diff | rolecall route "review this" --role coder --max-cost 0.02
      rolecall route --jsonl < prompts.jsonl > decisions.jsonl
    """
    from rolecall.registry.loading import Loading

    loading = Loading()  # before the other imports, which then cost no time

    from rolecall.cli.deciding import print_decision, print_decisions
    from rolecall.cli.prompts import Given, read_jsonl, read_request
    from rolecall.registry.layers import Asked, Choices
    from rolecall.registry.requests import request_of
    from rolecall.registry.route import open_router

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
            log_prompt=not no_log,
        ),
        needs=tuple(need or ()),
        prefers=tuple(prefer or ()),
        input_tokens=input_tokens,
        max_tokens=max_tokens,
    )
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
    if not jsonl:
        request = asked.of(request_of(read_request(given)))
    with open_router(registry, loading) as router:
        if jsonl:
            raise typer.Exit(print_decisions(router, read_jsonl(given), asked))
        print_decision(router.decide(request, asked.choices), as_json=as_json)
