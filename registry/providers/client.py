"""Call endpoints: one client for all APIs, one stream of events, one kind of failure."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from dataclasses import dataclass, replace
from typing import Self

import httpx

from rolecall.registry.core.addresses import (
    is_local_address,
    may_be_local_address,
    secrets_in,
)
from rolecall.registry.core.chat import Answer, Chat, Completed, Event, Timeouts
from rolecall.registry.core.entities import Api
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.anthropic.request import ANTHROPIC
from rolecall.registry.providers.error_body import one_line
from rolecall.registry.providers.gemini.request import GEMINI
from rolecall.registry.providers.http.exchange import Exchange
from rolecall.registry.providers.http.proxies import Proxy, proxy_for
from rolecall.registry.providers.http.url import host
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
_UNCONNECTED = ("connect_failed", "connect_timeout")
_UNREACHED = (*_UNCONNECTED, "first_token_timeout")
_PROXY_STATUSES = (407, 502, 503, 504)


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
        self._transport = transport
        self._proxied: dict[str, httpx.Client] = {}
        try:
            self._direct = _http_client(transport or _http_transport())
        except (OSError, ValueError) as error:
            said = "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used"
            raise CallFailed("not_sent", said) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self._direct, *self._proxied.values()):
            client.close()

    def call(self, target: Target, chat: Chat, *, stream: bool = True) -> Generator[Event]:
        """Send a chat and yield its answer as it comes; exactly one `Completed` is the last.

        The chat goes out as it is: see `sent_chat` for what its endpoint takes.
        Closing the generator closes the connection at once. Raises CallFailed, with what had
        come of an answer as `partial`; neither it nor any event's metadata holds the key.
        """
        endpoint, format_ = target.endpoint, FORMATS[target.endpoint.api]
        keys = [*([target.key] if target.key else []), *secrets_in(endpoint.base_url)]
        exchange = Exchange(
            format_,
            self._timeouts,
            reads_lines=endpoint.api == "ollama",
            local_only=target.local_only,
        )
        route = _Route()
        try:
            if target.key is not None:
                checked_key(target.key, endpoint)
            request = format_.build(target, chat, stream=stream)
            route = self._route(target, request.url)
            http = self._through(route.proxy)
            with contextlib.closing(exchange.events(http, request, stream=stream)) as events:
                for event in events:
                    yield _shown(event, keys)
        except CallFailed as failure:
            failure.status = exchange.status
            told = one_line(redacted(failure.message, keys), _LONGEST_MESSAGE)
            failure.message = told + route.words_on(failure)
            failure.args = (failure.message,)
            if route.proxy and not exchange.has_connected and failure.error_type in _UNCONNECTED:
                failure.error_type = "not_sent"  # the proxy is not there: no fault of the endpoint
            partial = exchange.reader.answer()
            if partial != Answer():
                failure.partial = _cleaned(mended_answer(partial), keys)
            raise

    def _route(self, target: Target, url: str) -> _Route:
        """Return the way to a URL. Raises CallFailed `not_sent` where it may not be taken."""
        is_local = target.endpoint.is_local and may_be_local_address(url)
        if target.local_only and not is_local:
            said = f"{host(url) or 'its address'} is not local, and only local is allowed"
            raise CallFailed("not_sent", said)
        if is_local or is_local_address(url) or self._transport is not None:
            return _Route()
        try:
            proxy = proxy_for(httpx.URL(url))
        except httpx.InvalidURL:
            return _Route()  # the exchange tells what is wrong with it
        return _Route(proxy) if target.allows_proxy else _Route(left_out=proxy)

    def _through(self, proxy: Proxy | None) -> httpx.Client:
        """Return the client that goes through a proxy; one that cannot be used is told."""
        if proxy is None:
            return self._direct
        if proxy.url not in self._proxied:
            try:
                client = _http_client(_http_transport(proxy.url))
            except ImportError as error:
                said = f"{proxy.words} is a SOCKS proxy, which needs a package: pip install socksio"
                raise CallFailed("not_sent", said) from error
            except (OSError, ValueError, httpx.InvalidURL) as error:
                said = f"the proxy of {proxy.words} cannot be used: set http://HOST:PORT, or none"
                raise CallFailed("not_sent", said) from error
            self._proxied.setdefault(proxy.url, client)
        return self._proxied[proxy.url]


@dataclass(frozen=True, slots=True)
class _Route:
    """The proxy that a call goes through, or the one that it may not go through."""

    proxy: Proxy | None = None
    left_out: Proxy | None = None

    def words_on(self, failure: CallFailed) -> str:
        """Return what a failure of the connection may have to do with a proxy."""
        is_unreached = failure.status is None and failure.error_type in _UNREACHED
        if self.proxy is not None and (is_unreached or failure.status in _PROXY_STATUSES):
            return f"; asked through the proxy of {self.proxy.words}"
        if self.left_out is not None and is_unreached:
            return f"; the proxy of {self.left_out.words} is not used: the policy allows none"
        return ""


def _http_transport(proxy: str | None = None) -> httpx.HTTPTransport:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.HTTPTransport(limits=limits, proxy=proxy)


def _http_client(transport: httpx.BaseTransport) -> httpx.Client:
    headers = {"user-agent": "rolecall"}
    return httpx.Client(transport=transport, headers=headers, follow_redirects=False)


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
