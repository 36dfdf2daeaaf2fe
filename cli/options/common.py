"""The options that several commands share, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LONGEST_S = 86_400
RegistryOption = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="PATH",
        envvar="ROLECALL_REGISTRY",
        help="The registry file to use; by default the one in the user's data folder.",
        show_default=False,
        show_envvar=True,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out lines that are not judged rows.")
]
PromptArgument = Annotated[
    str | None,
    typer.Argument(metavar="PROMPT", help="The prompt; `-` reads stdin.", show_default=False),
]
NoLogOption = Annotated[
    bool, typer.Option("--no-log", help="Keep only a hash of the prompt, not its text.")
]
ConnectTimeoutOption = Annotated[
    float,
    typer.Option(metavar="S", min=0.01, max=_LONGEST_S, help="Seconds to wait for a connection."),
]
FirstTokenTimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="S", min=0.01, max=_LONGEST_S, help="Seconds to wait for the first token."
    ),
]
IdleTimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="S", min=0.01, max=_LONGEST_S, help="Seconds between two pieces of the answer."
    ),
]
