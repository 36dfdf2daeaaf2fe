"""What each API's file provides: a request built from a chat, and a reader of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rolecall.registry.core.chat import Answer, Chat, Event
from rolecall.registry.core.entities import Endpoint, Model
from rolecall.registry.core.errors import CallFailed


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the endpoint, the model it serves, and the key itself."""

    endpoint: Endpoint
    model: Model
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST of a JSON body. The headers hold the key, so this is never shown or stored."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


class Reader(Protocol):
    """Reads one answer, record by record; made anew for each call."""

    def feed(self, record: Any) -> Iterator[Event]:
        """Yield the events of one decoded record of a stream, never `Completed`.

        Raises CallFailed for an error record, and `invalid_response` for what cannot be one.
        """

    @property
    def is_finished(self) -> bool:
        """Whether the stream's finish marker has come; what follows it is still fed (usage)."""

    def answer(self) -> Answer:
        """Return what has been read so far."""

    def read_whole(self, document: Any) -> None:
        """Take in the body of an answer that was not streamed. Raises as `feed` does."""


class Format(Protocol):
    """One API, translating both ways."""

    def build(self, target: Target, chat: Chat, *, stream: bool) -> HttpRequest:
        """Return the request for a chat that `sent_chat` made fit for the target."""

    def reader(self) -> Reader:
        """Return a reader for one answer."""

    def failure(self, status: int, document: Any) -> CallFailed:
        """Tell what a refusal means; `document` is the decoded body, or its text."""
