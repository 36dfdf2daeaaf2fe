"""Call endpoints: one client for all APIs, one stream of events, one kind of failure."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from dataclasses import replace
from typing import Self

import httpx

from rolecall.registry.core.chat import Answer, Chat, Completed, Event, Timeouts
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.anthropic.request import ANTHROPIC
from rolecall.registry.providers.error_body import one_line
from rolecall.registry.providers.gemini.request import GEMINI
from rolecall.registry.providers.http.exchange import Exchange
from rolecall.registry.providers.keys import checked_key, redacted
from rolecall.registry.providers.ollama.request import OLLAMA
from rolecall.registry.providers.openai.request import OPENAI
from rolecall.registry.providers.protocol import Format, Target
from rolecall.registry.providers.surrogates import mended_answer

FORMATS: dict[Api, Format] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "ollama": OLLAMA,
}
_USUAL = Timeouts()
_LONGEST_NAME = 200
_LONGEST_MESSAGE = 300


class Client:
    """Calls endpoints over HTTP/1.1; a context manager, safe to share between threads.

    Proxies and certificates come from the environment, redirects are not followed. Every call
    has a connection of its own: one that was kept open may be dead without anyone knowing, and
    a deadline could not reach it.
    """

    def __init__(
        self, *, timeouts: Timeouts = _USUAL, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._timeouts = timeouts
        try:
            self._http = httpx.Client(
                transport=transport,
                headers={"user-agent": "rolecall"},
                follow_redirects=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            said = "the proxy or the certificates that the environment names cannot be used"
            raise CallFailed("connect_failed", said) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, target: Target, chat: Chat, *, stream: bool = True) -> Generator[Event]:
        """Send a chat and yield its answer as it comes; exactly one `Completed` is the last.

        The chat goes out as it is: see `sent_chat` for what its endpoint takes.
        Closing the generator closes the connection at once. Raises CallFailed, with what had
        come of an answer as `partial`; neither it nor any event's metadata holds the key.
        """
        endpoint = target.endpoint
        keys = [target.key] if target.key else []
        format_ = FORMATS[endpoint.api]
        reads_lines = endpoint.api == "ollama"
        exchange = Exchange(self._http, format_, self._timeouts, reads_lines=reads_lines)
        try:
            if target.key is not None:
                checked_key(target.key, endpoint)
            request = format_.build(target, chat, stream=stream)
            with contextlib.closing(exchange.events(request, stream=stream)) as events:
                for event in events:
                    yield _shown(event, keys)
        except CallFailed as failure:
            failure.message = one_line(redacted(failure.message, keys), _LONGEST_MESSAGE)
            failure.args = (failure.message,)
            failure.status = exchange.status
            partial = exchange.reader.answer()
            if partial != Answer():
                failure.partial = _cleaned(mended_answer(partial), keys)
            raise


def _shown(event: Event, keys: Collection[str]) -> Event:
    return Completed(_cleaned(event.answer, keys)) if isinstance(event, Completed) else event


def _cleaned(answer: Answer, keys: Collection[str]) -> Answer:
    """Return an answer whose metadata, which is stored and shown, is plain and holds no key."""

    def plain(text: str) -> str:
        return one_line(redacted(text, keys), _LONGEST_NAME)

    return replace(
        answer,
        finish_reason=None if answer.finish_reason is None else plain(answer.finish_reason),
        finish_reasons=tuple(plain(reason) for reason in answer.finish_reasons),
        response_id=None if answer.response_id is None else plain(answer.response_id),
        response_model=None if answer.response_model is None else plain(answer.response_model),
    )
