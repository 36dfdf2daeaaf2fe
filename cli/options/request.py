"""The options of every command that takes a request, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from rolecall.cli.completion.names import (
    endpoint_names,
    model_and_endpoint_names,
    role_names,
    strategy_names,
    task_names,
)

if TYPE_CHECKING:
    from rolecall.cli.input.prompts import Given
    from rolecall.registry.core.requests import RoutingChoices


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What a person may say of a request, in the order of the help."""

    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Read the prompt from a file."),
    ] = None
    messages: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A whole chat request as JSON: messages, tools, images."),
    ] = None
    system: Annotated[
        str | None, typer.Option("--system", "-s", metavar="TEXT", help="A system prompt.")
    ] = None
    attach: Annotated[
        list[Path] | None,
        typer.Option("--attach", "-a", metavar="FILE", help="An image, PDF, audio or text file."),
    ] = None
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            "-r",
            metavar="ROLE",
            help="The role; by default the task's.",
            autocompletion=role_names,
        ),
    ] = None
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY",
            help="The strategy that values candidates.",
            autocompletion=strategy_names,
        ),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="The kind of task; by default detected.", autocompletion=task_names
        ),
    ] = None
    app: Annotated[str | None, typer.Option(metavar="NAME", help="The calling app's scope.")] = None
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The calling user's scope."),
    ] = None
    conversation: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Continue this conversation; its last endpoint is preferred."
        ),
    ] = None
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            "-e",
            metavar="GLOB",
            help="Consider only these endpoints.",
            autocompletion=endpoint_names,
        ),
    ] = None
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Consider only this model, or this endpoint.",
            autocompletion=model_and_endpoint_names,
        ),
    ] = None
    local_only: Annotated[bool, typer.Option("--local-only", help="Use local endpoints only.")] = (
        False
    )
    max_cost: Annotated[
        float | None,
        typer.Option(metavar="USD", min=0, help="The most an answer may cost, in USD."),
    ] = None
    min_success: Annotated[
        float | None,
        typer.Option(metavar="P", min=0, max=1, help="The lowest predicted success, 0 to 1."),
    ] = None
    worth: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="What is at stake: a factor on the value of a correct answer."
        ),
    ] = None
    need: Annotated[
        list[str] | None,
        typer.Option("--need", metavar="CAPABILITY", help="A required capability; repeatable."),
    ] = None
    prefer: Annotated[
        list[str] | None,
        typer.Option(
            "--prefer",
            metavar="CAPABILITY",
            help="A capability that decides near-ties; repeatable.",
        ),
    ] = None
    input_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="The input's size in tokens; by default estimated."),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The most output tokens.")
    ] = None
    option: Annotated[
        list[str] | None,  # pairs of words in truth: coercion.py
        typer.Option(
            "--option",
            "-o",
            metavar="NAME VALUE",
            help="A request parameter: temperature 0.2, or temperature=0.2.",
        ),
    ] = None
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema", metavar="FILE", help="The JSON schema that the answer must match."
        ),
    ] = None
    tools: Annotated[
        Path | None, typer.Option("--tools", metavar="FILE", help="The tools on offer, as JSON.")
    ] = None
    allow_drop: Annotated[
        bool,
        typer.Option("--allow-drop", help="Allow endpoints that ignore some of the parameters."),
    ] = False
    allow_pass: Annotated[
        bool,
        typer.Option(
            "--allow-pass",
            help="Send unknown parameters of the request too, and those that choose a provider.",
        ),
    ] = False

    @property
    def has_file(self) -> bool:
        """Whether a file was named that holds the request."""
        return self.file is not None or self.messages is not None

    @property
    def has_extras(self) -> bool:
        """Whether something was said that means nothing without a request."""
        said = (self.system, self.schema, self.tools)
        return any(one is not None for one in said) or bool(self.attach or self.option)

    def given(self, prompt: str | None) -> Given:
        """Return all that makes the request, `prompt` being its argument."""
        from rolecall.cli.input.prompts import Given

        typed: Any = self.option or ()
        return Given(
            argument=prompt,
            file=self.file,
            messages=self.messages,
            system=self.system,
            attach=tuple(self.attach or ()),
            schema=self.schema,
            tools=self.tools,
            options=tuple((name, value) for name, value in typed),
            allow_pass=self.allow_pass,
        )

    def choices(self, *, log_prompt: bool = True) -> RoutingChoices:
        """Return what was chosen beside the request itself."""
        from rolecall.registry.core.requests import RoutingChoices

        return RoutingChoices(
            role=self.role,
            strategy=self.strategy,
            task=self.task,
            app=self.app,
            user=self.user,
            conversation_id=self.conversation,
            endpoints=tuple(self.endpoint or ()),
            models=tuple(self.model or ()),
            local_only=self.local_only,
            max_cost_usd=self.max_cost,
            min_success=self.min_success,
            worth=self.worth,
            log_prompt=log_prompt,
            allow_drop=self.allow_drop,
            needs=tuple(self.need or ()),
            prefers=tuple(self.prefer or ()),
            input_tokens=self.input_tokens,
            max_tokens=self.max_tokens,
        )


def takes_request(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all of `RequestOptions`, which it gets as its parameter `request`.

    typer reads options from a signature alone, so the wrapper shows one that holds them all: the
    command's arguments first, then these options, then its own.
    """
    own = inspect.signature(command, eval_str=True)
    types = get_type_hints(RequestOptions, include_extras=True)
    names = [field.name for field in fields(RequestOptions)]
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=types[field.name],
        )
        for field in fields(RequestOptions)
    ]
    shown = []
    for each in own.parameters.values():
        shown += shared if each.name == "request" else [each.replace(kind=each.KEYWORD_ONLY)]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        said = RequestOptions(**{name: values.pop(name) for name in names})
        command(request=said, **values)

    shown_types = {each.name: each.annotation for each in shown}
    vars(wrapper)["__signature__"] = inspect.Signature(shown, return_annotation=None)
    wrapper.__annotations__ = shown_types | {"return": None}
    return wrapper
