"""Route a prompt, call who was chosen, fall back where that fails, and record all of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from rolecall.registry.calls.attempt import Attempt, Caller, Purpose
from rolecall.registry.calls.checks import judged
from rolecall.registry.calls.conversations import Conversation, keep_turns, open_conversation
from rolecall.registry.calls.events import (
    Answered,
    Asking,
    AskRequest,
    Decided,
    Failed,
    Progress,
    Waiting,
)
from rolecall.registry.calls.notes import cheaper_offline
from rolecall.registry.calls.retry import retry_after
from rolecall.registry.chat.attachments import refuse_missing_content
from rolecall.registry.chat.options import check_schema
from rolecall.registry.chat.parse import request_of
from rolecall.registry.core.chat import Chat, Event, TextDelta, ThinkingDelta, Timeouts, Turn
from rolecall.registry.core.decisions import Candidate, Decision
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import (
    AllFailed,
    BudgetExceeded,
    CallFailed,
    RegistryError,
    UsageError,
)
from rolecall.registry.core.formatting import usd
from rolecall.registry.editing.open import open_registry
from rolecall.registry.learning.loading import Loading
from rolecall.registry.policy.budget import remaining, spend_limit
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.endpoint_effort import effort_note, with_effort
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.support import dropped
from rolecall.registry.routing.router import Router, chosen_endpoint
from rolecall.registry.routing.rules.cost import (
    affordable_tokens,
    dearest_input,
    input_at_most,
    prices,
    usd_for,
)
from rolecall.registry.routing.rules.decide import MOST_FALLBACKS
from rolecall.registry.routing.rules.eligibility import max_output_tokens
from rolecall.registry.storage.connection import Database
from rolecall.registry.telemetry.record import CircuitOpen, stays_open

# The most output tokens assumed where neither the request nor the model says.
USUAL_MOST_TOKENS = 8_192


@dataclass(slots=True)
class _Round:
    """One question on its way through the ranked endpoints."""

    wanted: AskRequest
    decision: Decision
    chat: Chat
    conversation: Conversation
    spent_usd: float = 0.0
    attempts: int = 0
    left_out: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


class Asker:
    """Asks through one open registry and one HTTP client."""

    def __init__(
        self,
        db: Database,
        router: Router,
        client: Client,
        *,
        environment: Mapping[str, str],
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._router = router
        self._caller = Caller(db, client, environment, now=router.now)
        self._pause = pause
        self._chance = chance

    def ask(self, wanted: AskRequest) -> Generator[Progress]:
        """Yield what happens, text as it arrives; the last is `Answered`.

        Close the iterator to stop: the connection is closed and the call recorded as interrupted.
        Raises NothingEligible or BudgetExceeded after `Decided`, and AllFailed after the last
        `Failed`; UsageError where the request cannot be asked as it is.
        """
        _refuse_unaskable(wanted)
        named = wanted.asked.choices.conversation_id
        conversation = open_conversation(self._db, named, continue_last=wanted.continue_last)
        chat, held = conversation.with_turns(wanted.chat)
        choices = replace(wanted.asked.choices, conversation_id=conversation.id)
        request = replace(wanted.asked.of(request_of(chat)), history=held)
        decision = self._router.decide(request, choices, will_call=True)
        yield Decided(decision)
        chosen_endpoint(decision, self._router.registry.endpoints)
        chat = replace(chat, max_tokens=decision.task.max_tokens)
        yield from self._through(_Round(wanted, decision, chat, conversation))

    def _through(self, around: _Round) -> Generator[Progress]:
        failures: list[Failed] = []
        ranked = around.decision.candidates[: 1 + MOST_FALLBACKS]
        chat = around.chat
        for place, candidate in enumerate(ranked):
            around.chat, around.left_out = chat, ()  # another may take what the last one refused
            tries = 0
            while True:
                tries += 1
                outcome = yield from self._try(around, candidate)
                if isinstance(outcome, Answered):
                    yield outcome
                    return
                yield outcome
                failures.append(outcome)
                if self._leaves_out_refused(around, outcome.error):
                    continue
                is_last = place == len(ranked) - 1
                wait_s = retry_after(
                    outcome.error, tries, self._chance(), is_last=is_last, shown=outcome.was_shown
                )
                if wait_s is None or self._would_wait_in_vain(candidate, wait_s):
                    break
                yield Waiting(candidate.endpoint, wait_s)
                self._pause(wait_s)
        raise _nobody_answered(around, failures)

    def _would_wait_in_vain(self, candidate: Candidate, wait_s: float) -> bool:
        """Tell whether the failure opened the circuit for longer than the wait."""
        then = self._router.now() + timedelta(seconds=wait_s)
        return stays_open(self._db, candidate.endpoint, then)

    def _leaves_out_refused(self, around: _Round, error: RegistryError) -> bool:
        """Leave out a parameter that the server refused, if it may be; the person is told."""
        name = error.parameter if isinstance(error, CallFailed) else None
        may_drop = around.wanted.asked.choices.allow_drop or name == "temperature"
        if name is None or name not in around.chat.options or not may_drop:
            return False
        around.left_out = (*around.left_out, name)
        options = {key: held for key, held in around.chat.options.items() if key != name}
        around.chat = replace(around.chat, options=options)
        return True

    def _try(
        self, around: _Round, candidate: Candidate
    ) -> Generator[Progress, None, Answered | Failed]:
        try:
            attempt = self._attempt(around, candidate)
        except BudgetExceeded as error:
            return Failed(candidate.endpoint, error, was_shown=False)
        around.attempts += 1
        notes = self._notes(around, candidate, attempt)
        yield Asking(
            candidate.endpoint,
            attempt.number,
            tuple(note for note in notes if note not in around.told),
        )
        around.told = (*around.told, *notes)
        was_shown = False
        try:
            with closing(self._caller.events(attempt, stream=around.wanted.stream)) as events:
                for event in events:
                    shown = _shown(event)
                    if shown is not None:
                        was_shown = was_shown or isinstance(shown, TextDelta)
                        yield shown
        except (CallFailed, CircuitOpen, BudgetExceeded) as error:
            if isinstance(error, CallFailed):
                around.spent_usd += attempt.call.cost_usd or attempt.call.reserved_usd or 0.0
            else:
                around.attempts -= 1  # nothing was sent or stored
            call = attempt.call if isinstance(error, CallFailed) else None
            return Failed(candidate.endpoint, error, was_shown, call)
        return self._answered(around, candidate, attempt)

    def _attempt(self, around: _Round, candidate: Candidate) -> Attempt:
        """Prepare a call that cannot cost more than is allowed; raises BudgetExceeded."""
        decision, strategy = around.decision, around.decision.strategy
        registry = self._router.registry
        endpoint = next(one for one in registry.endpoints if one.id == candidate.endpoint)
        model = next(one for one in registry.models if one.id == endpoint.model)
        most = around.chat.max_tokens or max_output_tokens(endpoint, model)
        cap = self._cap(around, candidate, endpoint)
        chat = around.chat
        if cap is not None and (most is None or cap < most):
            # A server refuses more than its model can give: what is left may be too much to ask.
            most = min(cap, most or max(USUAL_MOST_TOKENS, candidate.output_tokens))
            chat = replace(chat, max_tokens=most)
        return Attempt(
            endpoint,
            model,
            chat,
            strategy,
            decision.task.input_tokens,
            reserved_usd=_worst_usd(endpoint, decision, most or USUAL_MOST_TOKENS),
            number=around.attempts + 1,
            purpose=Purpose(
                decision_id=decision.id,
                conversation_id=around.conversation.id,
                task=decision.task.kind,
                app=decision.app,
                user=decision.user,
                scopes=registry.scopes,
                keeps_text=decision.prompt is not None,
            ),
        )

    def _cap(self, around: _Round, candidate: Candidate, endpoint: Endpoint) -> int | None:
        """Return the output tokens that what is left pays for; null: no limit."""
        decision = around.decision
        scopes, now = self._router.registry.scopes, self._router.now()
        left = remaining(self._db, scopes, decision.app, decision.user, now)
        own, _ = spend_limit(decision.strategy, (), will_call=True)
        if own is not None:
            own = replace(own, usd=own.usd - around.spent_usd)  # budgets know of it already
        shared, _ = spend_limit(replace(decision.strategy, max_cost_usd=None), left, will_call=True)
        limits = [one for one in (own, shared) if one is not None]
        if not limits:
            return None
        limit = min(limits, key=lambda one: one.usd)
        affordable = affordable_tokens(endpoint, decision.task, decision.strategy, limit.usd)
        needed = decision.task.max_tokens or candidate.output_tokens
        if affordable is not None and affordable < needed:
            raise BudgetExceeded(f"{endpoint.id} may cost too much: {limit.because}")
        return affordable

    def _notes(self, around: _Round, candidate: Candidate, attempt: Attempt) -> tuple[str, ...]:
        first = around.decision.candidates[0]
        notes = []
        if candidate.cost_usd > first.cost_usd:
            prices = f"{usd(candidate.cost_usd)} against {usd(first.cost_usd)}"
            notes.append(
                f"{candidate.endpoint} is more expensive than {first.endpoint}: {prices} expected"
            )
        elif candidate is first:
            notes += cheaper_offline(around.decision, self._router.registry.endpoints)
        target = Target(attempt.endpoint, attempt.model)
        altered = effort_note(target, attempt.chat)
        notes += [altered] if altered else []
        lost = dropped(target, with_effort(target, attempt.chat))
        lost = (*lost, *around.left_out)
        if lost:
            notes.append(f"{candidate.endpoint} takes no {', '.join(lost)}: left out")
        limited = around.decision.strategy.max_cost_usd is not None
        if limited and attempt.endpoint.price is None:
            notes.append(f"the price of {candidate.endpoint} is unknown: default used")
        return tuple(notes)

    def _answered(self, around: _Round, candidate: Candidate, attempt: Attempt) -> Answered:
        decision, answer = around.decision, attempt.answer
        turn = Turn("assistant", answer.parts)
        new_turns = (*around.wanted.chat.turns, turn)
        if decision.prompt is not None:
            keep_turns(self._db, around.conversation, decision.id, new_turns)
        outcomes, notes = judged(
            self._db, around.wanted.chat.schema, around.wanted.check, decision, candidate, answer
        )
        if answer.finish_reason == "length":
            notes = (f"the answer was cut off: {_limit_reached(attempt)}", *notes)
        return Answered(
            decision,
            answer,
            attempt.call,
            around.conversation.id,
            outcomes,
            notes,
        )


def _refuse_unaskable(wanted: AskRequest) -> None:
    """Raise UsageError for what may be decided on and cannot be sent, or judged afterwards."""
    chat = wanted.chat
    if wanted.check is not None and not wanted.check.strip():
        raise UsageError("--check names no command", hint='--check "jq -e .total"')
    if chat.options.get("n", 1) != 1:
        raise UsageError("n: ask gives one answer", hint="leave n out")
    refuse_missing_content(chat)
    if chat.schema is not None:
        check_schema(chat.schema, "the answer's schema")


def _worst_usd(endpoint: Endpoint, decision: Decision, most_tokens: int) -> float:
    """Return what a call may cost at worst: all input written to a cache, and all output used."""
    strategy = decision.strategy
    incoming = dearest_input(endpoint, prices(endpoint, strategy)[0])
    return input_at_most(decision.task) * incoming / 1e6 + usd_for(
        endpoint, strategy, 0, most_tokens
    )


def _limit_reached(attempt: Attempt) -> str:
    most, made = attempt.chat.max_tokens, attempt.call.output_tokens
    if most is not None and (made is None or made >= most):
        return f"it reached its limit of {most:,} tokens"
    return "the endpoint's own limit was reached"


def _shown(event: Event) -> TextDelta | ThinkingDelta | None:
    """Return what of a call is shown as it comes; tool calls and the end come whole."""
    return event if isinstance(event, TextDelta | ThinkingDelta) else None


def _nobody_answered(around: _Round, failures: list[Failed]) -> RegistryError:
    reasons = dict.fromkeys(f"{one.endpoint}: {one.error.message}" for one in failures)
    said = "; ".join(reasons)
    hint = f"rolecall telemetry show {around.decision.id}"
    if all(isinstance(one.error, BudgetExceeded) for one in failures):
        return BudgetExceeded(said, hint="raise --max-cost or the budget")
    return AllFailed(f"no endpoint answered: {said}", hint=hint)


@contextmanager
def open_asker(
    given: Path | None, loading: Loading | None = None, timeouts: Timeouts | None = None
) -> Iterator[Asker]:
    """Open the registry (seeded on first use), the scorer and a client, ready to ask.

    Raises RegistryUnusable and ScorerUnusable.
    """
    loading = loading or Loading()
    environment = dict(os.environ)
    with Client(timeouts=timeouts or Timeouts()) as client, open_registry(given) as db:
        router = Router(db, scorer=loading.scorer(), environment=environment, tell=loading.tell)
        yield Asker(db, router, client, environment=environment)
