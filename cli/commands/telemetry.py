"""`rolecall telemetry`: the calls that were made, and what they add up to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rolecall.cli.completion.names import endpoint_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.files import write_pieces
from rolecall.cli.render.output import note, print_json, print_text, write
from rolecall.registry.core.errors import UsageError

if TYPE_CHECKING:
    from rolecall.registry.telemetry.query import CallQuery, Pruned

app = typer.Typer(help="List, export or prune recorded calls.")

EndpointsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        "-e",
        metavar="GLOB",
        help="Only these endpoints, such as 'ollama/*'; repeatable.",
        autocompletion=endpoint_names,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only calls since then: 2h, 3d, 2026-11-20."),
]
FailedOption = Annotated[bool, typer.Option("--failed", help="Only calls that failed.")]
SourceOption = Annotated[
    Literal["live", "probe", "batch"] | None,
    typer.Option("--source", metavar="SOURCE", help="Only live, probe or batch calls."),
]


@app.command("list")
def list_calls(
    endpoint: EndpointsOption = None,
    since: SinceOption = None,
    failed: FailedOption = False,
    source: SourceOption = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1, max=1_000_000, metavar="N", help="How many at most.", show_default=True
        ),
    ] = 20,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest calls, newest first.

    Every attempt at an endpoint is a call. Tokens are those in and out; what is unknown is ?.
    A cost with ≤ is what a call may have cost at most: it is running, broke off, or nobody said
    what it used. That much counts as spent.

    \b
    Examples:
      rolecall telemetry list
      rolecall telemetry list --failed --since 2h
      rolecall telemetry list -e 'ollama/*' --json | jq '.calls[].duration_s'
    """
    from rolecall.cli.render.calls import print_calls
    from rolecall.registry.telemetry.export import call_to_plain
    from rolecall.registry.telemetry.query import CallQuery, list_calls
    from rolecall.registry.telemetry.recorder import open_recorded

    now = datetime.now(UTC)
    wanted = CallQuery(tuple(endpoint or ()), since, failed, source)
    with open_recorded(registry, note) as db:
        calls = list_calls(db, wanted, now, limit=limit)
    if as_json:
        print_json({"calls": [call_to_plain(call) for call in calls]})
    elif calls:
        print_calls(calls, now)
    else:
        note(_nothing(wanted))


def _nothing(wanted: CallQuery) -> str:
    is_narrowed = wanted.endpoints or wanted.since or wanted.only_failed or wanted.sample_source
    return "no such call" if is_narrowed else "no call has been made yet"


@app.command()
def show(
    call_id: Annotated[
        str, typer.Argument(metavar="ID", help="A decision's or a call's id, or its start.")
    ],
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything about a decision's calls.

    The attempts of a decision in their order, each with all that is known of it, and how good
    the answers were. A call's id shows that call alone. Why the endpoint was chosen is told by
    rolecall explain.

    \b
    Examples:
      rolecall telemetry show 01k9
      rolecall telemetry show 01k9 --json | jq '.calls[].error_type'
    """
    from rolecall.cli.render.calls import print_story, story_to_plain
    from rolecall.registry.telemetry.query import find_story
    from rolecall.registry.telemetry.recorder import open_recorded

    with open_recorded(registry, note) as db:
        story = find_story(db, call_id)
    if as_json:
        print_json(story_to_plain(story))
    else:
        print_story(story, datetime.now(UTC))


@app.command()
def stats(
    endpoint: EndpointsOption = None,
    by_task: Annotated[
        bool, typer.Option("--by-task", help="Show what outcomes say of each kind of task.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each endpoint's calls add up to.

    Times are what half and 95 % of the latest calls stay below: to the first token, and for
    each token after it. A cost with ≥ leaves out calls whose cost is unknown. An open circuit
    keeps an endpoint from being chosen until it is tried again.

    With --by-task: how many outcomes, their mean score, and the offset, which is what they add
    to the success that the scorer predicts. Its uncertainty falls from 1 to 0.

    \b
    Examples:
      rolecall telemetry stats
      rolecall telemetry stats --by-task --endpoint 'anthropic/*'
      rolecall telemetry stats --json | jq '.endpoints[] | {endpoint, cost_usd}'
    """
    from rolecall.cli.render import calls
    from rolecall.registry.telemetry.query import endpoint_statistics, task_statistics
    from rolecall.registry.telemetry.recorder import open_recorded

    globs, now = tuple(endpoint or ()), datetime.now(UTC)
    with open_recorded(registry, note) as db:
        tasks = task_statistics(db, globs, now) if by_task else ()
        endpoints = () if by_task else endpoint_statistics(db, globs)
    if as_json and by_task:
        print_json({"tasks": [calls.task_statistics_to_plain(one) for one in tasks]})
    elif as_json:
        print_json({"endpoints": [calls.statistics_to_plain(one, now) for one in endpoints]})
    elif tasks:
        calls.print_task_statistics(tasks)
    elif endpoints:
        calls.print_statistics(endpoints, now)
    else:
        note("no outcome has been recorded yet" if by_task else "no call has ended yet")


@app.command()
def export(
    form: Annotated[
        Literal["jsonl", "csv", "otlp-json"] | None,
        typer.Option("--format", metavar="FORMAT", help="jsonl (the default), csv or otlp-json."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE instead.")
    ] = None,
    endpoint: EndpointsOption = None,
    since: SinceOption = None,
    failed: FailedOption = False,
    source: SourceOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the calls for another program, oldest first.

    jsonl is one call a line, csv the same under a heading, --json one object with all of them;
    otlp-json is one OpenTelemetry trace document (OTLP/JSON) of the calls that have ended. No
    prompt, answer or key is in any of them. A FILE is written whole or not at all.

    \b
    Examples:
      rolecall telemetry export --since 30d > calls.jsonl
      rolecall telemetry export --format csv -o calls.csv
      rolecall telemetry export --format otlp-json -o trace.json
    """
    from rolecall.registry.telemetry.query import CallQuery, export_calls
    from rolecall.registry.telemetry.recorder import open_recorded

    if as_json and form is not None:
        raise UsageError("either --format or --json", hint="rolecall telemetry export --help")
    wanted = CallQuery(tuple(endpoint or ()), since, failed, source)
    with open_recorded(registry, note) as db:
        chosen = "json" if as_json else form or "jsonl"
        pieces = export_calls(db, wanted, datetime.now(UTC), chosen)
        if output is None:
            for piece in pieces:
                write(piece)
        else:
            write_pieces(output, pieces)
            note(f"wrote {output}")


@app.command()
def prune(
    keep: Annotated[
        str | None, typer.Option(metavar="TIME", help="Delete what is older: 90d, 4w, 12h.")
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="DATE", help="Delete what is from before a date.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted and delete nothing.")
    ] = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete old calls, decisions and conversations.

    Decisions are deleted with their prompts, conversations with their answers. Statistics,
    outcomes and what was spent are kept. The registry file gets smaller by what was deleted.

    \b
    Examples:
      rolecall telemetry prune --keep 90d --dry-run
      rolecall telemetry prune --before 2026-01-01
    """
    from rolecall.registry.telemetry.query import cutoff, prune_evidence
    from rolecall.registry.telemetry.recorder import open_recorded

    moment = cutoff(keep, before, datetime.now(UTC))
    with open_recorded(registry, note) as db:
        pruned = prune_evidence(db, moment, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, **asdict(pruned)})
    else:
        print_text(_pruned_line(pruned, dry_run=dry_run))


def _pruned_line(pruned: Pruned, *, dry_run: bool) -> str:
    counts = ((pruned.calls, "call"), (pruned.decisions, "decision"), (pruned.turns, "turn"))
    words = [f"{count} {noun if count == 1 else f'{noun}s'}" for count, noun in counts]
    verb = "would delete" if dry_run else "deleted"
    moment = pruned.before[:16].replace("T", " ")
    return f"{verb} {words[0]}, {words[1]} and {words[2]} from before {moment} UTC"
