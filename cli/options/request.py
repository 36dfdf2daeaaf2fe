"""The options of every command that takes a request, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from rolecall.cli.options import choices as options

if TYPE_CHECKING:
    from rolecall.cli.input.prompts import Given
    from rolecall.registry.core.requests import RoutingChoices


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What a person may say of a request, in the order of the help."""

    file: options.FileOption = None
    messages: options.MessagesOption = None
    system: options.SystemOption = None
    attach: options.AttachOption = None
    role: options.RoleOption = None
    strategy: options.StrategyOption = None
    task: options.TaskOption = None
    app: options.AppOption = None
    user: options.UserOption = None
    conversation: options.ConversationOption = None
    endpoint: options.EndpointOption = None
    local_only: options.LocalOnlyOption = False
    max_cost: options.MaxCostOption = None
    min_success: options.MinSuccessOption = None
    worth: options.WorthOption = None
    need: options.NeedOption = None
    prefer: options.PreferOption = None
    input_tokens: options.InputTokensOption = None
    max_tokens: options.MaxTokensOption = None
    option: options.OptionsOption = None
    schema: options.SchemaOption = None
    tools: options.ToolsOption = None
    allow_drop: options.AllowDropOption = False

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

        return Given(
            argument=prompt,
            file=self.file,
            messages=self.messages,
            system=self.system,
            attach=paths(self.attach),
            schema=self.schema,
            tools=self.tools,
            options=options.pairs(self.option),
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


def paths(given: list[Path] | None) -> tuple[Path, ...]:
    """Return a repeated path option as a tuple."""
    return tuple(given or ())


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
