"""`rolecall help`: the help of a command, or a longer text on a topic."""

from __future__ import annotations

from typing import Annotated

import typer

TOPICS = {
    "deciding": "How an endpoint is chosen, and what its figures mean.",
    "file": "The registry as one YAML file.",
    "calls": "APIs, timeouts, retries, fallbacks and spending limits.",
    "learning": "What calls and judged prompts teach, and whether routing pays.",
    "data": "What is stored, what is sent, and for how long.",
}


def _names(incomplete: str) -> list[str]:
    from rolecall.cli.tree import PLACES

    return [name for name in (*TOPICS, *PLACES) if name.startswith(incomplete)]


def show_help(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC|COMMAND",
            help="A topic, or the words of a command; by default all are listed.",
            show_default=False,
            autocompletion=_names,
        ),
    ] = None,
) -> None:
    """Show help on a topic or a command.

    \b
    Examples:
      rolecall help
      rolecall help deciding
      rolecall help roles assign
    """
    from difflib import get_close_matches

    from rolecall.cli.tree import PLACES, tree
    from rolecall.registry.core.errors import UsageError

    if words and len(words) == 1 and words[0] in TOPICS:
        _show_topic(words[0])
        return
    if words and words[0] not in PLACES:
        near = get_close_matches(words[0], [*TOPICS, *PLACES], n=1)
        hint = f"did you mean {near[0]}?" if near else "rolecall help"
        raise UsageError(f'there is no help on "{" ".join(words)}"', hint=hint)
    tree().main([*(words or ()), "--help"], prog_name="rolecall", standalone_mode=False)
    if not words:
        _list_topics()


def _list_topics() -> None:
    from rolecall.cli.render.output import print_text

    print_text("\nTopics (rolecall help TOPIC):")
    for name, summary in TOPICS.items():
        print_text(f"  {name:<10}  {summary}")


def _show_topic(name: str) -> None:
    """Print a topic as formatted text on a terminal, else as the Markdown that it is."""
    from importlib import resources

    from rolecall.cli.render.output import console, print_text

    text = resources.files("rolecall.cli").joinpath("help", f"{name}.md").read_text("utf-8")
    screen = console()
    if not screen.is_terminal:
        print_text(text)
        return
    from rich.markdown import Markdown

    screen.print(Markdown(text, code_theme="ansi_dark"))
