"""One request and its answer over HTTP: sent, timed, decoded, and every failure named."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any

import httpx

from rolecall.registry.core.chat import (
    Answer,
    Completed,
    Event,
    Text,
    TextDelta,
    ThinkingDelta,
    Timeouts,
    ToolCall,
    ToolCallDelta,
)
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.errors import one_line
from rolecall.registry.providers.http.content_type import Shape, decoded_body, shape_of
from rolecall.registry.providers.http.deadline import Deadline
from rolecall.registry.providers.http.retry_after import retry_after_s
from rolecall.registry.providers.http.streams import DONE, JsonLines, Parser, ServerSentEvents
from rolecall.registry.providers.http.url import host
from rolecall.registry.providers.protocol import Format, HttpRequest
from rolecall.registry.providers.surrogates import Mender, mended_answer

MAX_BODY_BYTES = 16 * 1024 * 1024
_MAX_REFUSAL_BYTES = 64 * 1024
_REFUSAL_S = 5.0
# After the finish marker only the usage is missing, which is not worth a long wait.
_TRAILING_S = 5.0


class Exchange:
    """One call of one endpoint; `status` is known once the server has begun to answer."""

    def __init__(
        self, http: httpx.Client, format_: Format, timeouts: Timeouts, *, reads_lines: bool
    ) -> None:
        self.status: int | None = None
        self.reader = format_.reader()
        self._http = http
        self._format = format_
        self._timeouts = timeouts
        self._reads_lines = reads_lines
        self._place = ""
        self._has_begun = False
        self._is_done = False

    def events(self, request: HttpRequest, *, stream: bool) -> Generator[Event]:
        """Send a request and yield what comes back, `Completed` last. Raises CallFailed."""
        self._place = _place(request.url)
        content = _encoded(request)
        limits = self._timeouts
        with Deadline(connect_s=limits.connect_s, first_token_s=limits.first_token_s) as deadline:
            deadline.arm("first_token_timeout", limits.first_token_s)
            with contextlib.closing(self._opened(request, content, deadline)) as response:
                self.status = response.status_code
                try:
                    yield from self._read(response, deadline, stream=stream)
                except httpx.RequestError as error:
                    raise self._broken(error, deadline) from error

    def _opened(self, request: HttpRequest, content: bytes, deadline: Deadline) -> httpx.Response:
        """Send a request and return the response, of which only the headers are read."""
        limits = self._timeouts
        # The deadline is the exact limit; httpx's own are there for where it cannot reach.
        longest_s = max(limits.first_token_s, limits.idle_s) + 1.0
        try:
            sent = self._http.build_request(
                "POST",
                request.url,
                headers={**request.headers, "content-type": "application/json"},
                content=content,
                timeout=httpx.Timeout(longest_s, connect=limits.connect_s),
                extensions={"trace": deadline.trace},
            )
            return self._http.send(sent, stream=True)
        except httpx.RequestError as error:
            raise self._broken(error, deadline) from error
        except (httpx.InvalidURL, UnicodeError, OverflowError) as error:
            raise _no_place() from error

    def _read(
        self, response: httpx.Response, deadline: Deadline, *, stream: bool
    ) -> Iterator[Event]:
        if not response.is_success:
            raise self._refusal(response, deadline)
        pieces = response.iter_bytes()
        head = b""
        for head in pieces:
            if head.strip():
                break
        media_type = response.headers.get("content-type", "")
        shape = shape_of(media_type, head, is_lines=self._reads_lines, is_stream=stream)
        pieces = chain([head], pieces)
        if shape is Shape.WHOLE:
            deadline.arm("idle_timeout", self._timeouts.idle_s)
            yield from self._whole(pieces, deadline)
        else:
            parser = ServerSentEvents() if shape is Shape.EVENTS else JsonLines()
            yield from self._streamed(_records(pieces, parser), deadline)

    def _streamed(self, records: Iterator[Any], deadline: Deadline) -> Iterator[Event]:
        mender = Mender()
        try:
            for record in records:
                if record is DONE:
                    self._is_done = True
                    break
                for event in self.reader.feed(record):
                    for whole in mender.feed(event):
                        self._has_begun = True
                        deadline.pause()
                        yield whole
                if self.reader.is_finished:
                    deadline.arm("idle_timeout", min(self._timeouts.idle_s, _TRAILING_S))
                elif self._has_begun:
                    deadline.arm("idle_timeout", self._timeouts.idle_s)
        except httpx.RequestError:
            if not self.reader.is_finished:
                raise
        except CallFailed as failure:
            # A record cut off after the finish marker: only the usage is lost.
            if not self.reader.is_finished or failure.error_type != "invalid_response":
                raise
        yield self._completed(deadline)

    def _whole(self, pieces: Iterator[bytes], deadline: Deadline) -> Iterator[Event]:
        body = bytearray()
        for piece in pieces:
            body += piece
            if len(body) > MAX_BODY_BYTES:
                limit = MAX_BODY_BYTES // (1024 * 1024)
                raise CallFailed("invalid_response", f"the answer is over {limit} MiB")
        if deadline.passed is not None:
            raise self._too_late(deadline.passed)
        deadline.pause()
        self.reader.read_whole(decoded_body(bytes(body)))
        self._is_done = True
        answer = mended_answer(self.reader.answer())
        for part in answer.parts:
            if isinstance(part, Text):
                yield TextDelta(part.text)
            elif isinstance(part, ToolCall):
                yield ToolCallDelta(part.name, part.arguments)
            else:
                yield ThinkingDelta(part.text)
        yield self._completed(deadline)

    def _completed(self, deadline: Deadline) -> Completed:
        """Return the end of an answer that came whole. Raises CallFailed for any other."""
        answer = self.reader.answer()
        if not self.reader.is_finished and not self._is_done:
            if deadline.passed is not None:
                raise self._too_late(deadline.passed)
            raise CallFailed("stream_cut", f"{self._place} ended the answer before its end")
        return Completed(_sound(mended_answer(answer)))

    def _refusal(self, response: httpx.Response, deadline: Deadline) -> CallFailed:
        if 300 <= response.status_code < 400:
            target = host(response.headers.get("location", "")) or "elsewhere"
            said = f"{self._place} redirects to {target}: set base_url to where it answers"
            return CallFailed("not_found", said, status=response.status_code)
        deadline.arm("idle_timeout", min(self._timeouts.idle_s, _REFUSAL_S))
        body = bytearray()
        try:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > _MAX_REFUSAL_BYTES:
                    break
        except httpx.RequestError:
            pass  # the status alone says enough
        document: Any = bytes(body[:_MAX_REFUSAL_BYTES]).decode("utf-8", "replace")
        with contextlib.suppress(ValueError, RecursionError):  # its text is read instead
            document = json.loads(document)
        failure = self._format.failure(response.status_code, document)
        if failure.retry_after_s is None:
            failure.retry_after_s = retry_after_s(response.headers, document)
        said = response.headers.get("x-should-retry", "").lower()
        failure.may_retry = {"true": True, "false": False}.get(said)
        return failure

    def _broken(self, error: Exception, deadline: Deadline) -> CallFailed:
        """Name the failure behind an error of httpx."""
        if deadline.passed is not None:
            return self._too_late(deadline.passed)
        if isinstance(error, httpx.ConnectTimeout):
            return self._too_late("connect_timeout")
        if isinstance(error, httpx.TimeoutException):
            return self._too_late("idle_timeout" if self._has_begun else "first_token_timeout")
        if isinstance(error, httpx.LocalProtocolError):
            return CallFailed("bad_request", "the request cannot be sent over HTTP as it is")
        if isinstance(error, httpx.ProxyError | httpx.ConnectError):
            said = one_line(f"cannot connect to {self._place}: {_reason(error)}")
            return CallFailed("connect_failed", said)
        if isinstance(error, httpx.DecodingError):
            return CallFailed("invalid_response", "the answer's compression is damaged")
        if self.status is not None:
            return CallFailed("stream_cut", f"{self._place} broke off in the middle of the answer")
        if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
            return CallFailed("invalid_response", f"{self._place} does not answer in HTTP")
        said = f"{self._place} closed the connection without answering"
        return CallFailed("connect_failed", said, was_sent=True)

    def _too_late(self, error_type: str) -> CallFailed:
        limits = self._timeouts
        said = {
            "connect_timeout": f"no connection to {self._place} within {limits.connect_s:g} s",
            "first_token_timeout": f"no answer within {limits.first_token_s:g} s",
            "idle_timeout": f"the answer stood still for {limits.idle_s:g} s",
        }
        return CallFailed(error_type, said[error_type])


def _place(url: str) -> str:
    """Name the server in a URL. Raises CallFailed `connect_failed` where there cannot be one."""
    if not url.lower().startswith(("http://", "https://")):
        raise CallFailed("connect_failed", "base_url must begin with http:// or https://")
    place = host(url)
    if not place:
        raise _no_place()
    return place


def _no_place() -> CallFailed:
    return CallFailed("connect_failed", "base_url names no host and port that can be reached")


def _records(pieces: Iterator[bytes], parser: Parser) -> Iterator[Any]:
    """Yield the records of a stream; what was whole when it broke comes before the error."""
    try:
        for piece in pieces:
            yield from parser.feed(piece)
    except httpx.RequestError:
        yield from parser.end()
        raise
    yield from parser.end()


def _sound(answer: Answer) -> Answer:
    """Return an answer that says something. Raises CallFailed for one that does not."""
    if answer.finish_reason == "content_filter":
        raise CallFailed("content_refused", "the provider's policy stopped the answer")
    if not answer.text.strip() and not answer.tool_calls:
        is_short = answer.finish_reason == "length"
        why = ": thinking used up the limit of its tokens" if is_short else ""
        raise CallFailed("empty_answer", f"the answer is empty{why}")
    return answer


def _encoded(request: HttpRequest) -> bytes:
    try:
        text = json.dumps(request.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        said = "a parameter of the request is not a number that JSON can hold"
        raise CallFailed("bad_request", said) from error
    return text.encode("utf-8", "replace")  # a lone half of a character cannot be sent


def _reason(error: Exception) -> str:
    """Return why a connection failed, without the number that the system gives it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or "no reason given"
