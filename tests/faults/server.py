"""A server on loopback that speaks four APIs and misbehaves as it is told to."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rolecall.registry.core.entities import Api
from tests.faults import anthropic, gemini, ollama, openai
from tests.faults.connection import Connection, Gone, HttpRequest
from tests.faults.exchange import Exchange
from tests.faults.plan import Plan, plan_of_name
from tests.faults.wire import Call, Wire

WIRES: dict[Api, Wire] = {
    "openai": openai,
    "anthropic": anthropic,
    "gemini": gemini,
    "ollama": ollama,
}
_ENDS: dict[str, Api] = {
    "/chat/completions": "openai",
    "/v1/messages": "anthropic",
    "/api/chat": "ollama",
}
_GEMINI = re.compile(r"/v1(?:beta|alpha)?/models/([^:]+):(generateContent|streamGenerateContent)$")
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Received:
    """A request for an answer. `body` is the decoded JSON; `at` is on the monotonic clock.

    The names of headers are in lower case; `path` is without the query.
    """

    api: Api
    model: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    raw: bytes
    at: float


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: FaultServer, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Keep what is a mistake of this server's for the end of the test."""
        error = sys.exception()
        if error is not None:
            self.owner.failures.append(error)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Answer the requests of one connection, one after the other."""
        server = self.server
        assert isinstance(server, _Server)
        with contextlib.suppress(ConnectionError), server.owner.tracking(self.request):
            line = Connection(self.request, server.owner.closing)
            while True:
                request = line.next_request()
                server.owner.serve(line, request)
                if request.headers.get("connection", "").lower() == "close":
                    return


class FaultServer:
    """Answers on a port of its own, a thread for each connection, while it is entered.

    Leaving it ends every connection and its thread, and raises what went wrong in the server
    itself, so that its mistakes are not taken for those of the code under test.
    """

    def __init__(self, default: Plan | None = None, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.failures: list[BaseException] = []
        self.closing = threading.Event()
        self._default = default or Plan()
        self._plans: dict[str, deque[Plan]] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = _Server(self, port)
        self._refusing = socket.socket()  # bound but not listening: the port stays refused
        self._refusing.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,))

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._refusing.close()
        if self.failures and error is None:
            raise AssertionError("the fault server itself failed") from self.failures[0]

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def base_url(self, api: Api) -> str:
        """Return the URL of this server as an endpoint's `base_url` has it."""
        return _base_url(api, self.port)

    def refusing_url(self, api: Api) -> str:
        """Return such a URL at a port where nobody listens."""
        return _base_url(api, int(self._refusing.getsockname()[1]))

    def plan(self, model: str, *plans: Plan) -> None:
        """Set the plans of a model's next calls, in turn; the last one stays for good."""
        with self._lock:
            self._plans[model] = deque(plans)

    def received(self, model: str) -> list[Received]:
        """Return the requests for one model, oldest first."""
        return [request for request in self.requests if request.model == model]

    @contextlib.contextmanager
    def tracking(self, connection: socket.socket) -> Any:
        """Know of a connection while it is served."""
        with self._lock:
            self._open.add(connection)
        try:
            if self.closing.is_set():
                raise Gone
            yield
        finally:
            with self._lock:
                self._open.discard(connection)

    def serve(self, line: Connection, request: HttpRequest) -> None:
        """Answer one request; what asks for no answer of a model is not found here."""
        found = _api_and_model(request)
        if found is None or request.method != "POST":
            line.begin(Plan(), 404, {"content-type": "text/plain"}, 0)
            line.end()
            return
        api, model = found
        body = request.document()
        with self._lock:
            self.requests.append(
                Received(
                    api=api,
                    model=model,
                    path=request.path,
                    query=request.query,
                    headers=request.headers,
                    body=body,
                    raw=request.raw,
                    at=time.monotonic(),
                )
            )
            plan = self._next_plan(model)
            number = len(self.requests)
        call = Call(
            api=api,
            model=model,
            stream=_is_streamed(api, request.path, body),
            body=body,
            headers=request.headers,
            query=request.query,
            number=number,
        )
        Exchange(line, WIRES[api], call, plan).answer()

    def _next_plan(self, model: str) -> Plan:
        plans = self._plans.get(model)
        if not plans:
            return plan_of_name(model) or self._default
        return plans.popleft() if len(plans) > 1 else plans[0]


def _base_url(api: Api, port: int) -> str:
    return f"http://127.0.0.1:{port}" + ("/v1" if api == "openai" else "")


def _api_and_model(request: HttpRequest) -> tuple[Api, str] | None:
    """Return which API a path belongs to, and the model that is asked."""
    named = _GEMINI.search(request.path)
    if named is not None:
        return "gemini", named[1]
    for end, api in _ENDS.items():
        if request.path.endswith(end):
            return api, str(request.document().get("model", ""))
    return None


def _is_streamed(api: Api, path: str, body: Mapping[str, Any]) -> bool:
    """Whether an answer is streamed: said by Gemini's path, and usual with Ollama."""
    if api == "gemini":
        return path.endswith(":streamGenerateContent")
    return bool(body.get("stream", api == "ollama"))
