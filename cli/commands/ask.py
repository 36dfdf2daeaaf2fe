"""`rolecall ask`: route, call, show the answer, record what happened."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli import choices as options
from rolecall.cli.options import JsonOption, RegistryOption

ContinueOption = Annotated[
    bool, typer.Option("--continue", "-c", help="Go on with the last conversation.")
]
StreamOption = Annotated[
    bool,
    typer.Option(
        "--stream/--no-stream", help="Whether the endpoint is asked to send the answer bit by bit."
    ),
]
CheckOption = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND", help="Judge the answer: given it on stdin, exit 0 means it is good."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Write nothing but the answer.")]
ThinkingOption = Annotated[
    bool, typer.Option("--show-thinking", help="Show on stderr what the model thinks.")
]
ConnectOption = Annotated[
    float, typer.Option(metavar="S", min=0.01, help="Longest wait for a connection, in seconds.")
]
FirstTokenOption = Annotated[
    float, typer.Option(metavar="S", min=0.01, help="Longest wait for the first token, in seconds.")
]
IdleOption = Annotated[
    float, typer.Option(metavar="S", min=0.01, help="Longest pause within the answer, in seconds.")
]


def ask(
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
    continue_last: ContinueOption = False,
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
    check: CheckOption = None,
    stream: StreamOption = True,
    show_thinking: ThinkingOption = False,
    connect_timeout: ConnectOption = 10.0,
    first_token_timeout: FirstTokenOption = 120.0,
    idle_timeout: IdleOption = 60.0,
    quiet: QuietOption = False,
    no_log: options.NoLogOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Ask whoever should answer, and show the answer.

    The answer alone goes to stdout: bit by bit on a terminal, whole into a pipe or --json. Where
    an endpoint fails, the next in rank is asked. Every call is recorded and counts in the next
    decision.

    \b
    Examples:
      rolecall ask "why does this deadlock?" -f trace.log
      git diff | rolecall ask "review this" --role coder --max-cost 0.02
      rolecall ask "list three colours" --schema colours.json --check "jq -e '.[2]'"
    """
    from rolecall.registry.loading import Loading

    loading = Loading()  # before the other imports, which then cost no time

    from contextlib import closing

    from rolecall.cli.answering import manner_of, show_answer
    from rolecall.cli.interrupting import terminable
    from rolecall.cli.prompts import Given, read_request
    from rolecall.registry.ask import Wanted
    from rolecall.registry.asking import open_asker
    from rolecall.registry.chat import Timeouts
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
            log_prompt=not no_log,
            allow_drop=allow_drop,
        ),
        needs=tuple(need or ()),
        prefers=tuple(prefer or ()),
        input_tokens=input_tokens,
        max_tokens=max_tokens,
    )
    given = Given(
        prompt,
        file,
        messages,
        system,
        tuple(attach or ()),
        schema=schema,
        tools=tools,
        options=options.pairs(option),
    )
    wanted = Wanted(read_request(given), asked, continue_last, stream, check)
    timeouts = Timeouts(connect_timeout, first_token_timeout, idle_timeout)
    manner = manner_of(as_json=as_json, show_thinking=show_thinking, is_quiet=quiet)
    with (
        terminable(),
        open_asker(registry, loading, timeouts) as asker,
        closing(asker.ask(wanted)) as progress,
    ):
        show_answer(progress, manner)
