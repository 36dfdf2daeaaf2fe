"""`rolecall feedback`: how good an answer was."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.registry.core.errors import UsageError

WordsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="[ID] SCORE",
        help="A decision's id (by default the last one), then 0 to 1, `good` or `bad`.",
        show_default=False,
    ),
]


def feedback(
    words: WordsArgument,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, for later readers.")
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record how good an answer was.

    Counts at once: it moves the success predicted for that endpoint on that kind of task. Given
    again for the same answer, it replaces the earlier score.

    \b
    Examples:
      rolecall feedback good
      rolecall feedback 0.3 --note "right, but far too long"
      rolecall feedback 1m8x0b2k4e bad
    """
    from dataclasses import asdict

    from rolecall.cli.render.output import print_json, print_text
    from rolecall.registry.telemetry.feedback import give_feedback, parse_score
    from rolecall.registry.telemetry.recorder import open_recorded

    if len(words) > 2:
        raise UsageError("expected [ID] SCORE", hint="rolecall feedback --help")
    decision_id = words[0] if len(words) == 2 else None
    score = parse_score(words[-1])
    with open_recorded(registry) as db:
        given = give_feedback(db, decision_id, score, note)
    if as_json:
        print_json(asdict(given))
        return
    outcomes = f"{given.outcomes} outcome{'' if given.outcomes == 1 else 's'}"
    moved = f"{round(given.success_offset, 2) + 0.0:+.2f} by {outcomes}"
    print_text(f"{given.endpoint} on {given.task}: success moved {moved}")
