"""`rolecall completion`: the script that lets a shell complete rolecall's commands and names."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish"],
        typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False),
    ],
) -> None:
    """Print a completion script for your shell.

    \b
    Examples:
      source <(rolecall completion bash)
      source <(rolecall completion zsh)
      rolecall completion fish > ~/.config/fish/completions/rolecall.fish
    """
    from rolecall.cli.completion.scripts import SCRIPTS
    from rolecall.cli.render.output import print_text

    print_text(SCRIPTS[shell])
