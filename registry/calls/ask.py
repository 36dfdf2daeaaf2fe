"""Route a prompt, call the chosen endpoint, fall back where it fails, and record each call."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rolecall.registry.calls.attempt import Attempt, Caller, Purpose
from rolecall.registry.calls.checks import judged, without_fence
from rolecall.registry.calls.conversations import Conversation, open_conversation
from rolecall.registry.calls.events import (
    Answered,
    Asking,
    AskRequest,
    Checking,
    Decided,
    Failed,
    Progress,
    Unrecorded,
    Waiting,
)
from rolecall.registry.calls.plan import CallPlan, call_limit, cost_notes, plan_call
from rolecall.registry.calls.refusals import left_out
from rolecall.registry.calls.retry import retry_after
from rolecall.registry.chat.attachments import refuse_missing_content
from rolecall.registry.chat.json_schema import check_schema
from rolecall.registry.chat.parse import request_of
from rolecall.registry.core.chat import Chat, Part, TextDelta, ThinkingDelta, Timeouts, Turn
from rolecall.registry.core.decisions import Candidate, Decision
from rolecall.registry.core.entities import Endpoint
from rolecall.registry.core.errors import (
    AllFailed,
    BudgetExceeded,
    CallFailed,
    CheckFailed,
    RegistryError,
    UsageError,
)
from rolecall.registry.core.formatting import seconds
from rolecall.registry.learning.loading import Loading
from rolecall.registry.policy.budget import remaining
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.keys import without_keys
from rolecall.registry.routing.reachability import how_to_be_served
from rolecall.registry.routing.router import Router, chosen_endpoint
from rolecall.registry.routing.rules.decide import MOST_FALLBACKS
from rolecall.registry.storage.connection import Database
from rolecall.registry.telemetry.circuit import refuses_key
from rolecall.registry.telemetry.record import CircuitOpen, stays_open

_UNREACHED = ("connect_failed", "connect_timeout")


@dataclass(slots=True)
class _State:
    """What is known of one ask on its way through the ranked endpoints.

    `refused` names the parameters that the endpoint at hand has refused, `told` the notes that
    went out, `kept` what may be stored of each answer, by its call's id, `refused_keys` the marks
    of keys that were refused.
    """

    wanted: AskRequest
    decision: Decision
    chat: Chat
    conversation: Conversation
    spent_usd: float = 0.0
    attempts: int = 0
    refused: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    kept: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    refused_keys: tuple[str, ...] = ()


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
        self._recorder = router.recorder
        self._caller = Caller(router.recorder, client, environment, now=router.now)
        self._pause = pause
        self._chance = chance

    def ask(self, wanted: AskRequest) -> Generator[Progress]:
        """Yield what happens, text as it arrives; the last is `Answered`.

        Only then is the answer recorded; where it could not be, `Unrecorded` follows. Close the
        iterator to stop: the connection is closed and the call recorded as interrupted.
        Raises NothingEligible or BudgetExceeded after `Decided`, AllFailed after the last
        `Failed`, and CheckFailed after an answer that failed its schema or check; UsageError where
        the request cannot be asked as it is.
        """
        _refuse_unaskable(wanted)
        asked = wanted.choices
        conversation = open_conversation(
            self._db,
            asked.conversation_id,
            continue_last=wanted.continue_last,
            app=asked.app,
            user=asked.user,
        )
        chat, history = conversation.with_turns(wanted.chat)
        choices = replace(asked, conversation_id=conversation.id)
        request = replace(request_of(chat), history=history)
        decision = self._router.decide(request, choices, will_call=True)
        yield Decided(decision)
        chosen_endpoint(decision, self._router.registry.endpoints)
        chat = replace(chat, max_tokens=decision.task.max_tokens)
        failed: CheckFailed | None = None
        try:
            yield from self._through(_State(wanted, decision, chat, conversation))
        except CheckFailed as error:
            failed = error
        finally:
            unrecorded = self._recorder.flush()
        if unrecorded is not None:
            yield Unrecorded(unrecorded)
        if failed is not None:
            raise failed

    def _through(self, state: _State) -> Generator[Progress]:
        failures: list[Failed] = []
        answers: list[Answered] = []
        ranked = state.decision.candidates[: 1 + MOST_FALLBACKS]
        for place, candidate in enumerate(ranked):
            state.refused = ()  # another may take what the last one refused
            is_last = self._none_can_follow(ranked[place + 1 :])
            tries = 0
            while True:
                outcome = yield from self._try(state, candidate, is_last=is_last)
                if isinstance(outcome, Answered):
                    answers.append(outcome)
                    may_ask = len(answers) <= state.wanted.retry_invalid
                    asks_more = outcome.failed and may_ask and place < len(ranked) - 1
                    if asks_more:
                        yield from self._recorded()
                    if asks_more or outcome is not _best(answers):
                        yield Failed(candidate.endpoint, _check_failed(outcome), True, outcome.call)
                    if asks_more:
                        break
                    yield from self._ended(state, _best(answers))
                    return
                yield outcome
                failures.append(outcome)
                if self._leaves_out_refused(state, candidate, outcome):
                    continue
                tries += 1
                wait_s = retry_after(
                    outcome.error, tries, self._chance(), is_last=is_last, shown=outcome.was_shown
                )
                if wait_s is None or not (is_last or self._opens_in(candidate, wait_s)):
                    break
                yield Waiting(candidate.endpoint, wait_s, _is_asked(outcome.error))
                self._pause(wait_s)
        if answers:
            yield from self._ended(state, _best(answers))
            return
        raise _nobody_answered(state, failures, self._router.registry.endpoints)

    def _ended(self, state: _State, best: Answered) -> Generator[Progress]:
        """Yield the answer that is given; raise where it failed a check."""
        if state.decision.prompt is not None:
            turn = Turn("assistant", state.kept[best.call.id])
            self._recorder.said(state.conversation.id, (*state.wanted.chat.turns, turn))
        yield best
        if best.failed:
            raise _check_failed(best, is_hinted=state.wanted.retry_invalid == 0)

    def _recorded(self) -> Generator[Progress]:
        """Record what has happened so far; say where that cannot be done."""
        unrecorded = self._recorder.flush()
        if unrecorded is not None:
            yield Unrecorded(unrecorded)

    def _none_can_follow(self, others: tuple[Candidate, ...]) -> bool:
        """Tell whether nobody is left to ask but those whose circuits are open."""
        now = self._router.now()
        return all(stays_open(self._db, one.endpoint, now) for one in others)

    def _opens_in(self, candidate: Candidate, wait_s: float) -> bool:
        """Tell whether the circuit, if the failure opened it, lets a call pass after the wait."""
        then = self._router.now() + timedelta(seconds=wait_s)
        return not stays_open(self._db, candidate.endpoint, then)

    def _leaves_out_refused(self, state: _State, candidate: Candidate, failed: Failed) -> bool:
        """Leave out a parameter that the server refused, if it may be; the person is told."""
        endpoints = self._router.registry.endpoints
        name = left_out(
            failed.error,
            next(one for one in endpoints if one.id == candidate.endpoint),
            state.chat,
            state.refused,
            allow_drop=state.wanted.choices.allow_drop,
        )
        if name is None:
            return False
        state.refused = (*state.refused, name)
        return True

    def _try(
        self, state: _State, candidate: Candidate, *, is_last: bool
    ) -> Generator[Progress, None, Answered | Failed]:
        try:
            plan = self._plan(state, candidate)
        except (BudgetExceeded, CircuitOpen) as error:
            return Failed(candidate.endpoint, error, was_shown=False)
        attempt = Attempt(plan, state.attempts + 1, self._purpose(state), is_last)
        new_notes = tuple(note for note in plan.notes if note not in state.told)
        state.told = (*state.told, *new_notes)
        yield Asking(candidate.endpoint, attempt.number, new_notes)
        was_shown = False
        try:
            stream = state.wanted.stream and "stream" not in state.refused
            with closing(self._caller.events(attempt, stream=stream)) as events:
                for event in events:
                    # Tool calls and the end of a call are shown whole, not as they come.
                    if isinstance(event, TextDelta | ThinkingDelta):
                        was_shown = was_shown or isinstance(event, TextDelta)
                        yield event
        except CallFailed as error:
            state.attempts += 1
            yield from self._recorded()
            mark = self._caller.key_mark(plan.endpoint)
            if mark is not None and refuses_key(attempt.call):
                state.refused_keys = (*state.refused_keys, mark)
            state.spent_usd += attempt.call.cost_usd or attempt.call.reserved_usd or 0.0
            return Failed(candidate.endpoint, error, was_shown, attempt.call)
        except (CircuitOpen, BudgetExceeded) as error:  # nothing was sent or stored
            return Failed(candidate.endpoint, error, was_shown)
        state.attempts += 1
        state.spent_usd += attempt.call.cost_usd or attempt.call.reserved_usd or 0.0
        return (yield from self._answered(state, candidate, attempt))

    def _plan(self, state: _State, candidate: Candidate) -> CallPlan:
        """Plan a call that cannot cost more than is left now.

        Raises BudgetExceeded, and CircuitOpen where the key was refused in this ask.
        """
        decision, registry = state.decision, self._router.registry
        if state.refused_keys:
            endpoint = next(one for one in registry.endpoints if one.id == candidate.endpoint)
            if self._caller.key_mark(endpoint) in state.refused_keys:
                raise CircuitOpen(f"{endpoint.id} has the key that was refused")
        now = self._router.now()
        left = remaining(self._db, registry.scopes, decision.app, decision.user, now)
        limit = call_limit(decision.strategy, left, state.spent_usd)
        return plan_call(registry, decision, candidate, state.chat, limit, state.refused)

    def _purpose(self, state: _State) -> Purpose:
        decision = state.decision
        return Purpose(
            decision_id=decision.id,
            conversation_id=state.conversation.id,
            task=decision.task.kind,
            app=decision.app,
            user=decision.user,
            scopes=self._router.registry.scopes,
            keeps_text=decision.prompt is not None,
        )

    def _answered(
        self, state: _State, candidate: Candidate, attempt: Attempt
    ) -> Generator[Progress, None, Answered]:
        decision, answer, schema = state.decision, attempt.answer, state.wanted.chat.schema
        if schema is not None:
            answer = without_fence(answer)
        kept = without_keys(answer, attempt.keys)
        state.kept[attempt.call.id] = kept.parts
        notes = answer.notes
        if answer.finish_reason == "length":
            notes = (*notes, f"the answer was cut off: {_limit_reached(attempt)}")
        elif answer.finish_reason not in (None, "stop", "tool_calls"):
            notes = (*notes, f"the server ended the answer with {answer.finish_reason}")
        notes = (*notes, *cost_notes(attempt.plan, attempt.call, answer.cost_usd))
        whole = Answered(
            decision, answer, attempt.call, state.conversation.id, (), notes, state.told
        )
        if schema is None and state.wanted.check is None:
            return whole
        yield Checking(whole, is_final=not state.wanted.retry_invalid)
        outcomes, said = judged(
            self._recorder.judged, schema, state.wanted.check, decision, candidate, kept
        )
        return replace(whole, outcomes=outcomes, notes=(*notes, *said))


def _refuse_unaskable(wanted: AskRequest) -> None:
    """Raise UsageError for what may be decided on and cannot be sent, or judged afterwards."""
    chat = wanted.chat
    if wanted.check is not None and not wanted.check.strip():
        raise UsageError("--check names no command", hint='--check "jq -e .total"')
    if chat.options.get("n", 1) != 1:
        raise UsageError("n: ask gives one answer", hint="leave n out")
    if chat.options.get("modalities", ["text"]) != ["text"]:
        raise UsageError("modalities: ask gives text", hint='leave out all but "text"')
    refuse_missing_content(chat)
    if chat.schema is not None:
        check_schema(chat.schema, "the answer's schema")


def _limit_reached(attempt: Attempt) -> str:
    most, made = attempt.plan.chat.max_tokens, attempt.call.output_tokens
    if most is not None and (made is None or made >= most):
        return f"it reached its limit of {most:,} tokens"
    return "the endpoint's own limit was reached"


def _best(answers: list[Answered]) -> Answered:
    """Return the answer that failed the fewest checks, of equal ones the last."""
    return min(reversed(answers), key=lambda one: len(one.failed))


def _check_failed(answered: Answered, *, is_hinted: bool = False) -> CheckFailed:
    names = {(one.note or "check").partition(":")[0] for one in answered.failed}
    said = f"the answer of {answered.call.endpoint} failed its {' and its '.join(sorted(names))}"
    hint = "--retry-invalid 1 asks the next endpoint where this happens"
    return CheckFailed(said, hint=hint if is_hinted else None)


def _nobody_answered(
    state: _State, failures: list[Failed], endpoints: tuple[Endpoint, ...]
) -> RegistryError:
    """Return the error that names why each endpoint failed, those that failed alike together."""
    alike: dict[str, list[str]] = {}
    for one in failures:
        alike.setdefault(_reason(one.error), []).append(one.endpoint)
    said = "; ".join(
        # a circuit's words begin with the endpoint
        why if why.startswith(found[0]) else f"{', '.join(dict.fromkeys(found))}: {why}"
        for why, found in alike.items()
    )
    hint = f"rolecall telemetry show {state.decision.id}"
    own = {one.id for one in endpoints if one.locality == "local"}
    if all(one.endpoint in own and _is_unreached(one.error) for one in failures):
        hint = how_to_be_served(endpoints, state.decision.excluded)
    if all(isinstance(one.error, BudgetExceeded) for one in failures):
        return BudgetExceeded(said, hint="raise --max-cost or the budget")
    return AllFailed(f"no endpoint answered: {said}", hint=hint)


def _is_unreached(error: RegistryError) -> bool:
    return isinstance(error, CallFailed) and error.error_type in _UNREACHED


def _reason(error: RegistryError) -> str:
    wait_s = error.retry_after_s if isinstance(error, CallFailed) else None
    return f"{error.message} (it asked to wait {seconds(wait_s)})" if wait_s else error.message


def _is_asked(error: RegistryError) -> bool:
    """Tell whether a wait is what the server asked for."""
    return isinstance(error, CircuitOpen) or bool(
        isinstance(error, CallFailed) and error.retry_after_s
    )


@contextmanager
def open_asker(
    db: Database, loading: Loading | None = None, timeouts: Timeouts | None = None
) -> Iterator[Asker]:
    """Make an open registry ready to ask, with the scorer and a client; raises ScorerUnusable."""
    loading = loading or Loading()
    environment = dict(os.environ)
    with Client(timeouts=timeouts or Timeouts()) as client:
        router = Router(db, scorer=loading.scorer(), environment=environment, tell=loading.tell)
        yield Asker(db, router, client, environment=environment)
