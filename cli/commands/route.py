"""`rolecall route`: decide only."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli.options.common import JsonOption, NoLogOption, PromptArgument, RegistryOption
from rolecall.cli.options.request import RequestOptions, takes_request


@takes_request
def route(
    *,
    prompt: PromptArgument = None,
    request: RequestOptions,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="Read a prompt a line (stdin or --file), print a decision a line as JSON.",
        ),
    ] = False,
    no_log: NoLogOption = False,
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
    from rolecall.cli.render.output import note
    from rolecall.registry.learning.loading import Loading

    loading = Loading(note)  # before the other imports, which then cost no time

    from rolecall.cli.input.prompts import read_jsonl, read_request
    from rolecall.cli.render.decision import print_decision, print_decisions
    from rolecall.registry.chat.parse import request_of
    from rolecall.registry.routing.router import load_router
    from rolecall.registry.telemetry.recorder import open_recorded

    given, choices = request.given(prompt), request.choices(log_prompt=not no_log)
    if not jsonl:
        wanted = request_of(read_request(given))
    with open_recorded(registry, note) as db:
        router = load_router(db, loading)
        if jsonl:
            raise typer.Exit(print_decisions(router, read_jsonl(given), choices))
        print_decision(router, router.decide(wanted, choices), as_json=as_json)
