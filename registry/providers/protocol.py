"""What each API's file provides: a request built from a chat, and a reader of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rolecall.registry.core.chat import Chat
from rolecall.registry.core.entities import Endpoint, Model
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.accumulator import AnswerReader


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the endpoint, the model it serves, and the key itself.

    With `local_only` nothing is sent to an address that is not local; without `allows_proxy`, as
    to a local address, nothing is sent through a proxy.
    """

    endpoint: Endpoint
    model: Model
    key: str | None = field(default=None, repr=False)
    local_only: bool = False
    allows_proxy: bool = True

    @property
    def remote_model(self) -> str:
        """The name of the model at the server."""
        return self.endpoint.remote_model or self.model.id


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST of a JSON body. The headers hold the key, so this is never shown or stored."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


class Builder(Protocol):
    """What makes a request."""

    def __call__(self, target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
        """Return the request for a chat that `sent_chat` made fit for the target."""


@dataclass(frozen=True, slots=True)
class Format:
    """One API, translating both ways.

    `failure` tells what a refusal means by its status (null for one within an answer) and its
    decoded body, or the text of it.
    """

    build: Builder
    reader: Callable[[], AnswerReader]
    failure: Callable[[int | None, Any], CallFailed]
