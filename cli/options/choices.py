"""The options that steer a decision, shared by the commands that make one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rolecall.cli.completion.names import endpoint_names, role_names, strategy_names, task_names

LONGEST_S = 86_400
PromptArgument = Annotated[
    str | None,
    typer.Argument(metavar="PROMPT", help="The prompt; `-` reads stdin.", show_default=False),
]
FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the prompt from a file.")
]
MessagesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A whole chat request as JSON: messages, tools, images."),
]
SystemOption = Annotated[
    str | None, typer.Option("--system", "-s", metavar="TEXT", help="A system prompt.")
]
AttachOption = Annotated[
    list[Path] | None,
    typer.Option("--attach", "-a", metavar="FILE", help="An image, PDF, audio or text file."),
]
SchemaOption = Annotated[
    Path | None,
    typer.Option("--schema", metavar="FILE", help="The JSON schema that the answer must match."),
]
ToolsOption = Annotated[
    Path | None, typer.Option("--tools", metavar="FILE", help="The tools on offer, as JSON.")
]
OptionsOption = Annotated[
    list[str] | None,  # pairs of words in truth: cli/coercion.py
    typer.Option(
        "--option", "-o", metavar="NAME VALUE", help="A request parameter, e.g. temperature 0.2."
    ),
]
AllowDropOption = Annotated[
    bool,
    typer.Option("--allow-drop", help="Let endpoints serve without parameters they do not take."),
]
RoleOption = Annotated[
    str | None,
    typer.Option(
        "--role", "-r", metavar="ROLE", help="By default the task's.", autocompletion=role_names
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        metavar="STRATEGY", help="How to value candidates.", autocompletion=strategy_names
    ),
]
TaskOption = Annotated[
    str | None,
    typer.Option(metavar="KIND", help="By default detected.", autocompletion=task_names),
]
AppOption = Annotated[str | None, typer.Option(metavar="NAME", help="The calling app's scope.")]
UserOption = Annotated[str | None, typer.Option(metavar="NAME", help="The calling user's scope.")]
ConversationOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Go on in this conversation; who answered last is preferred."),
]
EndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        "-e",
        metavar="GLOB",
        help="Consider only these endpoints.",
        autocompletion=endpoint_names,
    ),
]
LocalOnlyOption = Annotated[bool, typer.Option("--local-only", help="Send nothing elsewhere.")]
MaxCostOption = Annotated[
    float | None, typer.Option(metavar="USD", min=0, help="The most an answer may cost, in USD.")
]
MinSuccessOption = Annotated[
    float | None, typer.Option(metavar="P", min=0, max=1, help="The least success, 0 to 1.")
]
WorthOption = Annotated[
    float | None,
    typer.Option(metavar="X", help="What is at stake: a factor on the value of a correct answer."),
]
NeedOption = Annotated[
    list[str] | None,
    typer.Option("--need", metavar="CAPABILITY", help="What the model must be capable of."),
]
PreferOption = Annotated[
    list[str] | None,
    typer.Option("--prefer", metavar="CAPABILITY", help="What decides between near-ties."),
]
InputTokensOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="The input's true size in tokens; else estimated."),
]
MaxTokensOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="The most output tokens asked for.")
]
NoLogOption = Annotated[
    bool, typer.Option("--no-log", help="Keep only a hash of the prompt, not its text.")
]

ConnectTimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="S", min=0.01, max=LONGEST_S, help="Longest wait for a connection, in seconds."
    ),
]
FirstTokenTimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="S", min=0.01, max=LONGEST_S, help="Longest wait for the first token, in seconds."
    ),
]
IdleTimeoutOption = Annotated[
    float,
    typer.Option(
        metavar="S", min=0.01, max=LONGEST_S, help="Longest pause within the answer, in seconds."
    ),
]


def pairs(words: Any) -> tuple[tuple[str, str], ...]:
    """Return a repeated option of two words, typed as typer can say it, as what it is."""
    return tuple((name, value) for name, value in words or ())
