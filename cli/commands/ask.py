"""`rolecall ask`: route, call, print the answer, record what happened."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli.options.common import (
    ConnectTimeoutOption,
    FirstTokenTimeoutOption,
    IdleTimeoutOption,
    JsonOption,
    NoLogOption,
    PromptArgument,
    RegistryOption,
)
from rolecall.cli.options.request import RequestOptions, takes_request

ContinueOption = Annotated[
    bool, typer.Option("--continue", "-c", help="Continue the last conversation.")
]
StreamOption = Annotated[
    bool,
    typer.Option("--stream/--no-stream", help="Whether to stream the answer from the endpoint."),
]
CheckOption = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Check the answer with a command that reads it on stdin; exit 0 is good.",
    ),
]
RetryInvalidOption = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        help="Ask up to N further endpoints while the answer fails its schema or check.",
        show_default=True,
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the answer.")]
ThinkingOption = Annotated[
    bool, typer.Option("--show-thinking", help="Show the model's thinking on stderr.")
]


@takes_request
def ask(
    *,
    prompt: PromptArgument = None,
    request: RequestOptions,
    continue_last: ContinueOption = False,
    check: CheckOption = None,
    retry_invalid: RetryInvalidOption = 0,
    stream: StreamOption = True,
    show_thinking: ThinkingOption = False,
    connect_timeout: ConnectTimeoutOption = 10.0,
    first_token_timeout: FirstTokenTimeoutOption = 120.0,
    idle_timeout: IdleTimeoutOption = 60.0,
    quiet: QuietOption = False,
    no_log: NoLogOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Route a prompt, call the model, print the answer.

    The answer alone goes to stdout: as it comes on a terminal, whole in a pipe or --json. Where
    an endpoint fails, the next in rank is asked. Every call is recorded and counts in the next
    decision. Exit code 7: the answer is printed, and failed its schema or check.

    \b
    Examples:
      rolecall ask "why does this deadlock?" -f trace.log
      git diff | rolecall ask "review this" --role coder --max-cost 0.02
      rolecall ask "three colours" --schema list.json --check "jq -e '.[2]'"
    """
    from rolecall.cli.render.output import note
    from rolecall.registry.learning.loading import Loading

    loading = Loading(note)  # before the other imports, which then cost no time

    from contextlib import closing

    from rolecall.cli.input.prompts import read_request
    from rolecall.cli.render.answer import manner_of, show_answer
    from rolecall.registry.calls.ask import open_asker
    from rolecall.registry.calls.events import AskRequest
    from rolecall.registry.core.chat import Timeouts
    from rolecall.registry.telemetry.recorder import open_recorded

    choices = request.choices(log_prompt=not no_log)
    chat = read_request(request.given(prompt))
    wanted = AskRequest(chat, choices, continue_last, stream, check, retry_invalid)
    timeouts = Timeouts(connect_timeout, first_token_timeout, idle_timeout)
    is_final = chat.schema is None and retry_invalid == 0
    manner = manner_of(
        as_json=as_json, show_thinking=show_thinking, is_quiet=quiet, is_final=is_final
    )
    with (
        open_recorded(registry, note) as db,
        open_asker(db, loading, timeouts) as asker,
        closing(asker.ask(wanted)) as progress,
    ):
        show_answer(progress, manner)
