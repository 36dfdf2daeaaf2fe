"""`rolecall strategies`: how candidates are valued, and what is never allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rolecall.cli.commands.records import (
    RecordHelp,
    StarterOption,
    add_record_commands,
    given,
    list_collection,
    report_added,
    words,
)
from rolecall.cli.completion.names import strategy_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column
from rolecall.registry.core.formatting import usd

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Strategy

app = typer.Typer(help="Manage routing strategies.")

COLUMNS = [
    Column("strategy"),
    Column("correct answer", is_number=True),
    Column("first token", drop=1, is_number=True),
    Column("streaming", drop=2, is_number=True),
    Column("limits"),
    Column("description"),
]
LIMITS = ("min_success", "max_cost_usd", "max_ttft_s", "max_duration_s")


@app.command("list")
def list_strategies(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """List the strategies: their weights and limits.

    Amounts are USD: the value of a correct answer, what a second until the first token costs,
    and what a second of streaming after it costs.

    \b
    Examples:
      rolecall strategies list
      rolecall strategies list --json | jq '.strategies[].quality_usd'
    """
    list_collection("strategies", COLUMNS, row_of, registry, as_json=as_json)


def row_of(strategy: Strategy) -> list[str]:
    """Return a strategy's cells."""
    return [
        strategy.id,
        usd(strategy.quality_usd),
        f"{usd(strategy.ttft_usd_per_s)}/s",
        f"{usd(strategy.itl_usd_per_s)}/s",
        words(limits_of(strategy)),
        strategy.description,
    ]


def limits_of(strategy: Strategy) -> list[str]:
    """Return a strategy's limits, each in a word or two."""
    numbers = {name: getattr(strategy, name) for name in LIMITS}
    found = [f"{name} {value:g}" for name, value in numbers.items() if value is not None]
    if strategy.min_success is not None and strategy.else_ is not None:
        found[0] += f" else {strategy.else_}"
    lists = {name: getattr(strategy, name) for name in ("regions", "allow", "deny")}
    found += [f"{name} {words(names)}" for name, names in lists.items() if names]
    if strategy.local_only:
        found.append("local_only")
    if strategy.data_policy is not None:
        found.append("data_policy")
    return found


@app.command()
def add(
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", help="The new strategy's id.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="STRATEGY",
            help="The strategy whose values it starts with.",
            show_default=True,
            autocompletion=strategy_names,
        ),
    ] = "balanced",
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is for, in a sentence.")
    ] = None,
    quality_usd: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Value of a correct answer.")
    ] = None,
    ttft_usd_per_s: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="What a second until the first token costs."),
    ] = None,
    itl_usd_per_s: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="What a second after the first token costs."),
    ] = None,
    min_success: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="P", help="Least probability of a correct answer."),
    ] = None,
    otherwise: Annotated[
        Literal["best"] | None,
        typer.Option(
            "--else", metavar="best", help="Take the best one where none reaches --min-success."
        ),
    ] = None,
    max_cost_usd: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Most that a call may cost.")
    ] = None,
    max_ttft_s: Annotated[
        float | None,
        typer.Option(min=0, metavar="S", help="Longest wait for the first token, in seconds."),
    ] = None,
    local_only: Annotated[
        bool | None,
        typer.Option("--local-only/--no-local-only", help="Whether to use local endpoints only."),
    ] = None,
    prefer_locality: Annotated[
        Literal["local", "remote"] | None,
        typer.Option(metavar="SIDE", help="Which wins a near-tie: local or remote."),
    ] = None,
    starter: StarterOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a strategy, beginning with another's values.

    What has no option here can be set with `rolecall strategies edit`.

    \b
    Examples:
      rolecall strategies add careful --quality-usd 0.5 --min-success 0.7
      rolecall strategies add thrifty --from cheapest --max-cost-usd 0.002
      rolecall strategies remove fast && rolecall strategies add fast --starter
    """
    from rolecall.registry.editing.add import add_facts, add_strategy
    from rolecall.registry.editing.open import open_registry

    facts = given(
        {
            "id": strategy,
            "description": description,
            "quality_usd": quality_usd,
            "ttft_usd_per_s": ttft_usd_per_s,
            "itl_usd_per_s": itl_usd_per_s,
            "min_success": min_success,
            "else": otherwise,
            "max_cost_usd": max_cost_usd,
            "max_ttft_s": max_ttft_s,
            "local_only": local_only,
            "prefer_locality": prefer_locality,
        }
    )
    with open_registry(registry) as db:
        if starter:
            added = add_facts(db, "strategies", facts, is_starter=True)
        else:
            added = add_strategy(db, start, facts)
    report_added("strategies", added, as_json=as_json)


add_record_commands(
    app,
    "strategies",
    RecordHelp(
        completion=strategy_names,
        show=("balanced", "private"),
        edit='EDITOR="sed -i /^quality_usd/s/0.05/0.2/" rolecall strategies edit balanced',
        remove="thrifty",
        unless="that no role uses",
    ),
)
