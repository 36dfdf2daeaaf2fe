"""Make one call: recorded before it is sent, streamed, timed, priced, recorded when it ends."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from rolecall.registry.calls.plan import BY_SERVER, CallPlan
from rolecall.registry.core.addresses import secrets_in
from rolecall.registry.core.chat import Answer, Completed, Event, TextDelta, ThinkingDelta, Usage
from rolecall.registry.core.clock import Now, stamp, utc_now
from rolecall.registry.core.entities import Endpoint, Scope
from rolecall.registry.core.errors import CallFailed
from rolecall.registry.core.ids import new_id
from rolecall.registry.core.key_marks import key_mark
from rolecall.registry.core.telemetry import Call, Passage, SampleSource
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.hosts import provider_name
from rolecall.registry.providers.keys import resolve_key
from rolecall.registry.providers.protocol import Target
from rolecall.registry.routing.rules.cost import cost_of, filled_price
from rolecall.registry.routing.rules.eligibility import against_policy
from rolecall.registry.telemetry.circuit import refuses_key
from rolecall.registry.telemetry.recorder import Recorder

NOT_BILLED = "not billed"
# Tokens of an answer, and of each of its tool calls, that are not seen in its text.
_MARKING_TOKENS = 16
# What a gateway says of a server behind it, which may have answered all the same.
_BY_GATEWAY = (408, 499, 502, 504, *range(520, 528))
# Refusals that some servers put into a stream of status 200.
_REFUSALS = (
    *("rate_limited", "quota_exceeded", "auth", "not_found", "context_too_long"),
    *("parameter_unsupported", "bad_request"),
)
# What ends a call before it is sent, where no status came: no connection, no key, no request.
_UNSENT = ("connect_failed", "connect_timeout", "auth", "bad_request", "not_sent")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a call is for: whose it is, and what it belongs to.

    `keeps_text` false keeps out of its row what a failure says, which may quote what was sent.
    """

    decision_id: str | None = None
    conversation_id: str | None = None
    task: str | None = None
    app: str | None = None
    user: str | None = None
    sample_source: SampleSource = "live"
    region: str | None = None
    scopes: tuple[Scope, ...] = ()
    keeps_text: bool = True


@dataclass(slots=True)
class Attempt:
    """One call, before, while and after it is made.

    `is_last` where nobody else is left to ask: then an open circuit does not keep it from being
    made. Once `events` has ended, `call` is the row to be stored, and `answer` is what came, in
    which a server may have repeated the `keys` it was sent.
    """

    plan: CallPlan
    number: int = 1
    purpose: Purpose = Purpose()
    is_last: bool = False
    call: Call = field(init=False)
    answer: Answer = field(init=False, default_factory=Answer)
    error: CallFailed | None = field(init=False, default=None)
    keys: tuple[str, ...] = field(init=False, default=(), repr=False)


class Caller:
    """Makes calls through one HTTP client, and has each recorded."""

    def __init__(
        self,
        recorder: Recorder,
        client: Client,
        environment: Mapping[str, str],
        *,
        now: Now = utc_now,
    ) -> None:
        self._recorder = recorder
        self._client = client
        self._environment = environment
        self._now = now

    def events(self, attempt: Attempt, *, stream: bool = True) -> Generator[Event]:
        """Record, send and stream one call; its end goes to the recorder whatever happens.

        Raises CallFailed when it fails, with `attempt.error` set to it; before anything is sent
        or stored, CircuitOpen and BudgetExceeded. Closing the iterator closes the connection
        and records an interrupted call.
        """
        attempt.call = _begun(attempt, self._now())
        mark = self.key_mark(attempt.plan.endpoint)
        passage = Passage(attempt.is_last, mark)
        self._recorder.begin(attempt.call, attempt.purpose.scopes, passage)
        clock = _Clock()
        try:
            yield from self._sent(attempt, clock, stream=stream)
        except CallFailed as error:
            attempt.error = error
            if error.partial is not None:
                attempt.answer = error.partial
            raise
        except BaseException:
            attempt.error = CallFailed("interrupted", "interrupted")
            raise
        finally:
            ended = _ended(attempt, clock)
            if refuses_key(ended):
                mark = self.key_mark(attempt.plan.endpoint, is_refused=True)
            attempt.call = self._recorder.end(ended, mark)

    def key_mark(self, endpoint: Endpoint, *, is_refused: bool = False) -> str | None:
        """Return the mark of an endpoint's key; null where it has none, or none was refused yet."""
        salt = self._recorder.key_salt(is_needed=is_refused)
        return None if salt is None else key_mark(endpoint, self._environment, salt)

    def _sent(self, attempt: Attempt, clock: _Clock, *, stream: bool) -> Generator[Event]:
        plan = attempt.plan
        denied = "; ".join(why for _, why in against_policy(plan.endpoint, plan.strategy))
        if denied:  # a decision would have excluded it: nothing else is relied on
            raise CallFailed("not_sent", f"{plan.endpoint.id} is not asked: {denied}")
        key = resolve_key(plan.endpoint, self._environment)
        attempt.keys = (*((key,) if key else ()), *secrets_in(plan.endpoint.base_url))
        target = Target(
            plan.endpoint,
            plan.model,
            key,
            local_only=_must_be_local(plan),
            allows_proxy=not plan.strategy.is_private,
        )
        clock.start()
        with closing(self._client.call(target, plan.chat, stream=stream)) as events:
            for event in events:
                clock.saw(event, streamed=stream)
                if isinstance(event, Completed):
                    attempt.answer = event.answer
                yield event


def _must_be_local(plan: CallPlan) -> bool:
    """Tell whether a call may go nowhere else: only being local lets it past some limits."""
    strategy = plan.strategy
    is_limited = strategy.is_private or bool(strategy.regions)
    return strategy.local_only or (is_limited and plan.endpoint.is_local)


class _Clock:
    """When a call was sent, when its first piece came, and how much text there was."""

    def __init__(self) -> None:
        self._sent = time.perf_counter()
        self.first_s: float | None = None
        self.last_s: float | None = None
        self.seen_bytes = 0

    def start(self) -> None:
        self._sent = time.perf_counter()

    def now_s(self) -> float:
        return time.perf_counter() - self._sent

    def saw(self, event: Event, *, streamed: bool) -> None:
        if isinstance(event, Completed):
            return
        self.last_s = self.now_s()
        if streamed and self.first_s is None:
            self.first_s = self.last_s
        if isinstance(event, TextDelta | ThinkingDelta):
            text = event.text
        else:
            text = f"{event.name or ''}{event.arguments}"
        self.seen_bytes += len(text.encode("utf-8", "surrogatepass"))


def _begun(attempt: Attempt, now: datetime) -> Call:
    endpoint, purpose = attempt.plan.endpoint, attempt.purpose
    return Call(
        id=new_id(now),
        created_at=stamp(now),
        endpoint=endpoint.id,
        attempt=attempt.number,
        decision_id=purpose.decision_id,
        provider_name=provider_name(endpoint),
        request_model=endpoint.remote_model,
        conversation_id=purpose.conversation_id,
        server_address=server_address(endpoint),
        sample_source=purpose.sample_source,
        task=purpose.task,
        app=purpose.app,
        user=purpose.user,
        region=purpose.region,
        reserved_usd=attempt.plan.reserved_usd,
    )


def _ended(attempt: Attempt, clock: _Clock) -> Call:
    answer, error = attempt.answer, attempt.error
    load_s = answer.load_duration_s
    ttft_s = clock.first_s if load_s is None else _without(clock.first_s, load_s)
    ended = replace(
        attempt.call,
        response_model=answer.response_model,
        response_id=answer.response_id,
        finish_reasons=answer.finish_reasons,
        time_to_first_chunk_s=ttft_s,
        time_per_output_token_s=None if error else _itl_s(answer, clock),
        duration_s=clock.now_s(),
        load_duration_s=load_s,
        error_type=error.error_type if error else None,
        detail=error.message if error and attempt.purpose.keeps_text else None,
        status_code=error.status if error else None,
        retry_after_s=error.retry_after_s if error else None,
        **asdict(answer.usage or Usage()),
    )
    return _priced(ended, attempt, clock)


def _without(first_s: float | None, load_s: float) -> float | None:
    """Take the time a local server took to load the model out of the time to the first token."""
    return None if first_s is None else max(first_s - load_s, 0.0)


def _itl_s(answer: Answer, clock: _Clock) -> float | None:
    """Return seconds per output token after the first chunk, hidden reasoning counted.

    As in OpenTelemetry's time_per_output_token, so that first token + tokens · this is the
    whole duration. Null for an answer of one token or in one piece.
    """
    tokens = answer.usage.output_tokens if answer.usage is not None else None
    if tokens is None or tokens < 2 or clock.first_s is None or clock.last_s is None:
        return None
    if clock.last_s == clock.first_s:
        return None
    return (clock.last_s - clock.first_s) / (tokens - 1)


def _priced(call: Call, attempt: Attempt, clock: _Clock) -> Call:
    """Return the call with its cost; where that is unknown, with its worst case still held.

    A refusal and a connection that never was are not billed. A call that broke off has no known
    cost: providers count what they made, and say so only at the end. What the server says that a
    call cost counts where it cannot be worked out from its tokens and a known price.
    """
    error, plan, answer = attempt.error, attempt.plan, attempt.answer
    price = filled_price(plan.endpoint, plan.strategy)
    if error is not None and clock.seen_bytes == 0 and _is_refusal(error):
        return replace(call, cost_usd=0.0, price_source=NOT_BILLED, reserved_usd=None)
    is_whole = error is None or answer.finish_reason is not None
    cost = cost_of(answer.usage, price) if is_whole or price.is_free else None
    if is_whole and answer.cost_usd is not None and (cost is None or price.source == "default"):
        return replace(call, cost_usd=answer.cost_usd, price_source=BY_SERVER, reserved_usd=None)
    if cost is not None:
        source = price.source if price.source == "default" else price.told_by
        return replace(call, cost_usd=cost, price_source=source, reserved_usd=None)
    return replace(call, reserved_usd=_usd_at_most(attempt, clock, is_whole=is_whole))


def _usd_at_most(attempt: Attempt, clock: _Clock, *, is_whole: bool) -> float:
    """Return what a call of unknown cost may have cost: what is known of it, and the worst else.

    A token has at least one byte, so that the text of a whole answer bounds its tokens, unless
    some of them were thought in silence.
    """
    plan, seen = attempt.plan, attempt.answer.usage
    most = plan.most_output_tokens
    if not is_whole:
        made = seen.output_tokens or 0 if seen is not None else 0
        seen = None if seen is None else replace(seen, output_tokens=None)
        return plan.usd_at_most(max(most, made), seen)
    if plan.endpoint.reasoning_effort is None and "reasoning" not in plan.model.capabilities:
        marking = _MARKING_TOKENS * (1 + len(attempt.answer.tool_calls))
        most = min(most, clock.seen_bytes + marking)
    return plan.usd_at_most(most, seen)


def _is_refusal(error: CallFailed) -> bool:
    """Tell whether a call of which nothing was seen surely cost nothing."""
    if error.status is None:
        return error.error_type in _UNSENT and not error.was_sent
    if 200 <= error.status < 300:
        return error.error_type in _REFUSALS
    return error.status not in _BY_GATEWAY


def server_address(endpoint: Endpoint) -> str | None:
    """Return the host that is asked; null where the base URL names none."""
    return urlsplit(endpoint.base_url).hostname
