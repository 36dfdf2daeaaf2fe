"""The options that every command shares, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    bool, typer.Option("--skip-bad", help="Leave out lines that are no judged row.")
]
