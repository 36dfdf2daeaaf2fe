"""Ask every API under every fault: what is expected, and what comes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rolecall.registry.calls.ask import Asker
from rolecall.registry.calls.events import Answered, Asking, AskRequest, Decided, Failed, Progress
from rolecall.registry.core.chat import Chat, Text, TextDelta, Timeouts, Turn
from rolecall.registry.core.entities import Api, Price
from rolecall.registry.core.errors import AllFailed, CallFailed, RegistryError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.core.telemetry import Call
from rolecall.registry.editing.edit import apply_document
from rolecall.registry.editing.open import open_registry
from rolecall.registry.providers.client import Client
from rolecall.registry.routing.router import Router
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.calls import calls_of_decision
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.spending import spent
from tests.faults.plan import At, Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer

APIS: tuple[Api, ...] = get_args(Api)
TIMEOUT_S = 0.3
BROKEN_TEXT = "Half of this is lost."
WHOLE_TEXT = "Sound and whole."
PRICE, HIGHER_PRICE = Price(1.0, 2.0, source="test"), Price(2.0, 4.0, source="test")
# A plan's usage is 12 tokens in and 8 out unless it says otherwise.
USED_USD, HIGHER_USD = 28e-6, 56e-6

# What is stored of a call: its error type, and what it cost. `0` is nothing, since it was
# refused or never sent; `$` what was used, since that was said; `?` unknown. One column stands
# for all four APIs, four are OpenAI, Anthropic, Gemini, Ollama.
TABLE = """
refuse            before  connect_failed/0
reset             before  connect_failed/?
reset             middle  stream_cut/?
close             before  connect_failed/?
close             middle  stream_cut/?
cut               before  stream_cut/?
cut               middle  stream_cut/?
stall             before  first_token_timeout/?
stall             middle  idle_timeout/?
drip              before  first_token_timeout/?
drip              middle  idle_timeout/?
garble            before  invalid_response/?
garble            middle  invalid_response/?
html              before  invalid_response/?
html              middle  stream_cut/?  stream_cut/?  stream_cut/?  invalid_response/?
bad_utf8          before  invalid_response/?
bad_utf8          middle  invalid_response/?
empty             before  empty_answer/$
no_finish         before  stream_cut/?
error_event       before  stream_error/?
error_event       middle  stream_error/?
slow_header       before  first_token_timeout/?
rate_limit        before  rate_limited/0
rate_limit        middle  rate_limited/?
quota             before  quota_exceeded/0
quota             middle  quota_exceeded/?
bad_key           before  auth/0
bad_key           middle  auth/?
forbidden         before  auth/0
forbidden         middle  not_found/?  auth/?  auth/?  stream_error/?
not_found         before  not_found/0
not_found         middle  not_found/?
context_too_long  before  context_too_long/0
context_too_long  middle  context_too_long/?
bad_parameter     before  parameter_unsupported/0  parameter_unsupported/0  parameter_unsupported/0  bad_request/0
bad_parameter     middle  parameter_unsupported/?  parameter_unsupported/?  parameter_unsupported/?  stream_error/?
refused_content   before  content_refused/0  content_refused/$  content_refused/?  content_refused/0
refused_content   middle  content_refused/$  content_refused/$  content_refused/$  content_refused/?
bad_request       before  bad_request/0
bad_request       middle  stream_error/?
server_error      before  server_error/0
server_error      middle  stream_error/?
overloaded        before  overloaded/0
overloaded        middle  overloaded/?
"""  # noqa: E501  # a row is one line
# The same for answers that are not streamed, where that makes a difference.
WHOLE_TABLE = """
reset             middle  stream_cut/?
close             middle  stream_cut/?
cut               middle  invalid_response/?
stall             middle  idle_timeout/?
garble            before  invalid_response/?
html              before  invalid_response/?
bad_utf8          middle  invalid_response/?
empty             before  empty_answer/$
error_event       before  stream_error/?
refused_content   middle  content_refused/$  content_refused/$  content_refused/$  content_refused/?
"""
# What may pass is tried once more, unless some of the answer was shown and others are left to
# ask, or a rate limit closed the circuit; twice more where nobody else is left. What broke off is
# tried again only there, an empty answer once.
PASSING = {"connect_failed", "server_error", "overloaded"}
BROKEN = {"stream_cut", "stream_error", "invalid_response", "rate_limited"}


@dataclass(frozen=True, slots=True)
class Case:
    """One ask of one API under one fault; with `backed`, a sound endpoint stands behind it."""

    api: Api
    fault: str
    at: At
    error_type: str
    cost: str
    backed: bool
    streamed: bool = True

    @property
    def name(self) -> str:
        """The name of the model, and of the app that asks."""
        backed, streamed = "backed" if self.backed else "alone", "" if self.streamed else "-whole"
        return f"{self.fault}-{self.at}-{backed}{streamed}"

    @property
    def endpoint(self) -> str:
        """The endpoint that is at fault."""
        return f"{self.api}/{self.name}"

    @property
    def behind(self) -> str:
        """The sound endpoint that comes next, of another API."""
        return f"{APIS[(APIS.index(self.api) + 1) % len(APIS)]}/sound"

    @property
    def cost_usd(self) -> float | None:
        """What each failed call is to have cost."""
        return {"0": 0.0, "$": USED_USD, "?": None}[self.cost]

    @property
    def shows(self) -> bool:
        """Whether some of the answer is shown before the fault."""
        if self.streamed:
            return self.at == "middle" or self.fault == "no_finish"
        return self.fault == "refused_content" and self.cost == "$"

    @property
    def tries(self) -> int:
        """How often the endpoint at fault is to be asked."""
        if self.backed:
            return 2 if self.error_type in PASSING and not self.shows else 1
        if self.error_type == "empty_answer":
            return 2
        return 3 if self.error_type in PASSING | BROKEN else 1

    @property
    def longest_s(self) -> float:
        """How long the ask may take: its timeouts, and what a busy machine takes besides."""
        return TIMEOUT_S * self.tries + 3.0


def cases(table: str, *, backed: tuple[bool, ...], streamed: bool = True) -> list[Case]:
    """Return the cases of a table, by API and fault."""
    found = []
    for line in table.strip().splitlines():
        fault, at, *columns = line.split()
        place: At = "before" if at == "before" else "middle"
        for index, api in enumerate(APIS):
            error_type, _, cost = columns[index % len(columns)].partition("/")
            for behind in backed:
                found.append(Case(api, fault, place, error_type, cost, behind, streamed))
    return found


CASES = (
    *cases(TABLE, backed=(False, True)),
    *cases(WHOLE_TABLE, backed=(False,), streamed=False),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one ask: what was yielded, raised, stored, spent, and received there."""

    progress: tuple[Progress, ...]
    error: RegistryError | None
    calls: tuple[Call, ...]
    spent_usd: float
    received: int
    seconds: float

    @property
    def answered(self) -> Answered | None:
        """The end of an ask that was answered."""
        last = self.progress[-1]
        return last if isinstance(last, Answered) else None

    @property
    def failed(self) -> list[Failed]:
        """The attempts that failed."""
        return [one for one in self.progress if isinstance(one, Failed)]

    @property
    def asked(self) -> list[str]:
        """The endpoints that were asked, in turn."""
        return [one.endpoint for one in self.progress if isinstance(one, Asking)]

    @property
    def last_text(self) -> str:
        """All text that came from the endpoint that was asked last."""
        text = ""
        for one in self.progress:
            if isinstance(one, Asking):
                text = ""
            elif isinstance(one, TextDelta):
                text += one.text
        return text

    @property
    def exit_code(self) -> int:
        """What `rolecall ask` exits with."""
        return 0 if self.error is None else int(self.error.exit_code)


class Matrix:
    """One registry and one server for all cases; each case has an endpoint of its own."""

    def __init__(self, server: FaultServer, db: Database, asker: Asker) -> None:
        self._server, self._asker = server, asker
        self.db = db

    def ask(self, case: Case) -> Seen:
        """Ask once, without pauses between the tries."""
        globs = (case.endpoint, case.behind) if case.backed else (case.endpoint,)
        choices = RoutingChoices(strategy="cheapest", app=case.endpoint, endpoints=globs)
        chat = Chat((Turn("user", (Text("hello"),)),))
        progress: list[Progress] = []
        error = None
        started = time.monotonic()
        try:
            for one in self._asker.ask(AskRequest(chat, choices, stream=case.streamed)):
                progress.append(one)
        except RegistryError as failure:
            error = failure
        seconds = time.monotonic() - started
        assert isinstance(progress[0], Decided)
        return Seen(
            tuple(progress),
            error,
            calls_of_decision(self.db, progress[0].decision.id),
            spent(self.db, f"app:{case.endpoint}", "2000-01-01"),
            sum(one.api == case.api for one in self._server.received(case.name)),
            seconds,
        )


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Matrix]:
    """Start the server and fill a registry in `folder`, with the shipped scorer."""
    timeouts = Timeouts(TIMEOUT_S, TIMEOUT_S, TIMEOUT_S)
    scorer = Scorer.load()
    with (
        FaultServer(Plan(text=WHOLE_TEXT)) as server,
        open_registry(folder / "matrix.db") as db,
        Client(timeouts=timeouts) as client,
    ):
        served = [Served(endpoint=f"{api}/sound", api=api, price=HIGHER_PRICE) for api in APIS]
        for case in CASES:
            url = server.refusing_url(case.api) if case.fault == "refuse" else None
            served.append(
                Served(
                    endpoint=case.endpoint, api=case.api, model="sound", base_url=url, price=PRICE
                )
            )
            server.plan(case.name, Plan(text=BROKEN_TEXT, fault=case.fault, at=case.at))
        apply_document(db, registry_yaml(server, served), "matrix.yaml", prune=True)
        router = Router(db, scorer=scorer, environment={})
        asker = Asker(db, router, client, environment={}, pause=lambda _: None)
        yield Matrix(server, db, asker)


_Compared = tuple[str, object, object]


def problems(case: Case, seen: Seen) -> list[str]:
    """Return what of an ask is not as it should be."""
    compared = [*_yielded(case, seen), *_stored(case, seen)]
    found = [f"{what}: {got}, not {due}" for what, got, due in compared if got != due]
    if seen.seconds > case.longest_s:
        found.append(f"took {seen.seconds:.2f} s, not {case.longest_s} s")
    return found


def _yielded(case: Case, seen: Seen) -> Iterator[_Compared]:
    """Yield what was yielded, with what was due."""
    errors = [one.error for one in seen.failed]
    kinds = [one.error_type if isinstance(one, CallFailed) else repr(one) for one in errors]
    yield "failures", kinds, [case.error_type] * case.tries
    yield (
        "text shown before a failure",
        [one.was_shown for one in seen.failed],
        [case.shows] * case.tries,
    )
    yield "asked", seen.asked, [case.endpoint] * case.tries + [case.behind] * case.backed
    yield "exit code", seen.exit_code, 0 if case.backed else 4
    yield "messages of one line", [one.message.count("\n") for one in errors], [0] * case.tries
    if seen.answered is not None:
        yield "answer", (seen.answered.answer.text, seen.last_text), (WHOLE_TEXT, WHOLE_TEXT)
        yield "attempt that answered", seen.answered.call.attempt, case.tries + 1
    else:
        yield "error", type(seen.error), AllFailed
        yield "text of the last attempt", seen.last_text != "", case.shows


def _stored(case: Case, seen: Seen) -> Iterator[_Compared]:
    """Yield what was stored, with what was due."""
    tries, after = case.tries, int(case.backed)
    calls = seen.calls
    ends = [(case.endpoint, case.error_type)] * tries + [(case.behind, None)] * after
    yield "calls", [(call.endpoint, call.error_type) for call in calls], ends
    yield "numbers", [call.attempt for call in calls], list(range(1, tries + after + 1))
    yield (
        "costs",
        [_rounded(call.cost_usd) for call in calls],
        [
            *([_rounded(case.cost_usd)] * tries),
            *([_rounded(HIGHER_USD)] * after),
        ],
    )
    yield "without an end", [call.id for call in calls if call.finished_at is None], []
    yield "without a duration", [call.id for call in calls if call.duration_s is None], []
    held = [call.id for call in calls if (call.reserved_usd is None) != (call.cost_usd is not None)]
    yield "holding money besides a cost, or none without", held, []
    booked = sum(
        call.reserved_usd or 0.0 if call.cost_usd is None else call.cost_usd for call in calls
    )
    yield "spent", _rounded(seen.spent_usd), _rounded(booked)
    yield "received there", seen.received, 0 if case.fault == "refuse" else tries


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 12)
