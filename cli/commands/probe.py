"""`rolecall probe`: measure endpoints by short real calls."""

from __future__ import annotations

from typing import Annotated

import typer

from rolecall.cli.completion.names import endpoint_names
from rolecall.cli.options.common import (
    ConnectTimeoutOption,
    FirstTokenTimeoutOption,
    IdleTimeoutOption,
    JsonOption,
    RegistryOption,
)

EndpointsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ENDPOINT",
        help="Which ones, as ids or globs; by default all active ones.",
        show_default=False,
        autocompletion=endpoint_names,
    ),
]

EveryOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Repeat at this interval: 30m, 4h, 1d."),
]
TimerOption = Annotated[
    bool,
    typer.Option("--install-timer", help="Print a systemd timer and a cron line; probe nothing."),
]


def probe(
    endpoint: EndpointsArgument = None,
    every: EveryOption = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="Where you measure from, stored with the calls."),
    ] = None,
    max_cost: Annotated[
        float, typer.Option(metavar="USD", min=0, help="The most a round may cost at worst.")
    ] = 0.10,
    connect_timeout: ConnectTimeoutOption = 10.0,
    first_token_timeout: FirstTokenTimeoutOption = 60.0,
    idle_timeout: IdleTimeoutOption = 30.0,
    install_timer: TimerOption = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
) -> None:
    """Measure endpoints by short real calls.

    Time to the first token, time per token after it, and failures, each beside the change since
    last time. A probe counts half as much as a call of yours, and tries an endpoint even while
    its circuit is open.

    \b
    Examples:
      rolecall probe
      rolecall probe "openai/*" --region office --max-cost 0.02
      rolecall probe --every 4h --install-timer
    """
    from rolecall.cli.render.output import note, print_text
    from rolecall.cli.render.probe import print_rounds
    from rolecall.registry.calls.probe import (
        Probed,
        ProbeRequest,
        probe_command,
        probe_round,
    )
    from rolecall.registry.calls.probe_timer import timer_text
    from rolecall.registry.core.chat import Timeouts
    from rolecall.registry.core.durations import parse_duration
    from rolecall.registry.editing.open import registry_path
    from rolecall.registry.telemetry.recorder import open_recorded

    interval = None if every is None else parse_duration(every)
    timeouts = Timeouts(connect_timeout, first_token_timeout, idle_timeout)
    wanted = ProbeRequest(tuple(endpoint or ()), region, max_cost)
    if install_timer:
        command = probe_command(wanted, registry_path(registry))
        print_text(timer_text(command, interval or parse_duration("4h")))
        return

    def probe_once() -> list[Probed]:
        with open_recorded(registry, note) as db:
            return list(probe_round(db, timeouts, wanted))

    raise typer.Exit(print_rounds(probe_once, interval, as_json=as_json))
