"""Decide which endpoint should answer a request, and keep the decision."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import get_args

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.core.clock import Now, stamp, utc_now
from rolecall.registry.core.credentials import available_keys
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.entities import Api, Endpoint, Model, Registry, Role
from rolecall.registry.core.errors import BudgetExceeded, NothingEligible
from rolecall.registry.core.ids import new_id
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.core.reporting import Tell, say_nothing
from rolecall.registry.core.requests import Request, RoutingChoices, Task
from rolecall.registry.core.suggestions import named
from rolecall.registry.learning.loading import Loading, with_fits
from rolecall.registry.policy.budget import remaining, spend_limit
from rolecall.registry.policy.layers import CONVERSATION, START_ANEW, Layers, policy_layers
from rolecall.registry.policy.strategies import selected_for
from rolecall.registry.providers.reach import is_reached
from rolecall.registry.providers.support import lost_modalities, uncarried
from rolecall.registry.routing.open_circuits import passing_note, without_circuits
from rolecall.registry.routing.reachability import (
    Connect,
    nobody_asked,
    reachability_notes,
)
from rolecall.registry.routing.rules.decide import decide, nothing_eligible_message
from rolecall.registry.routing.rules.eligibility import find_eligible
from rolecall.registry.routing.rules.exploration import is_time_to_try, with_untimed_tried
from rolecall.registry.routing.rules.inputs import ApiGaps, DecisionInputs, Ranked
from rolecall.registry.routing.rules.tasks import Detected, build_task, covers, resolve_role
from rolecall.registry.routing.rules.token_estimate import estimate_tokens
from rolecall.registry.routing.task_detection import (
    ExampleIndex,
    fit_to_role,
    is_follow_up,
    known_kind,
    turns_of,
)
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.text import text_read
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.conversations import read_terms
from rolecall.registry.storage.decisions import (
    LastTurn,
    last_in_conversation,
    last_prompt,
)
from rolecall.registry.storage.registry import read_registry, read_revision
from rolecall.registry.telemetry.availability import Availability, read_availability
from rolecall.registry.telemetry.recorder import Recorder

CACHE_LIFETIME = timedelta(minutes=5)
CACHE_LEAST_TOKENS = 1024
FOLLOW_UP_CONFIDENCE = 0.8
SUBJECT_LEAST_CHARS = 40
AGENT = "agent"
APIS: tuple[Api, ...] = get_args(Api)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A registry's content at one revision, with what is derived from it once."""

    registry: Registry
    models: Mapping[str, Model]
    facts: Mapping[str, ModelFacts]
    index: ExampleIndex


class Router:
    """Decides requests against one registry; keeps a snapshot of it until it changes.

    `now` is its clock, by which the calls that follow a decision are dated too. What takes long
    is told by `tell`. By `connect` it looks whether one's own server answers, so that a note says
    where the chosen endpoint is served by nobody.
    """

    def __init__(
        self,
        db: Database,
        *,
        scorer: Scorer,
        environment: Mapping[str, str],
        now: Now = utc_now,
        tell: Tell = say_nothing,
        connect: Connect = nobody_asked,
    ) -> None:
        self._db = db
        self._connect = connect
        self._scorer = scorer
        self._tell = tell
        self._environment = environment
        self._keys = available_keys(environment)
        self.now = now
        self.recorder = Recorder(db, now=now)
        self._snapshot: Snapshot | None = None

    def decide(
        self,
        request: Request,
        choices: RoutingChoices,
        *,
        record: bool = True,
        will_call: bool = False,
    ) -> Decision:
        """Return the decision for one request, stored unless `record` is false; a note says if not.

        No candidate may cost more than the limits allow even at worst. Where a call follows, one
        that was never timed is tried now and then. A decision in which nothing is eligible is
        returned (and stored) like any other, with `chosen` null. What `choices` say of the request
        wins. Its `elapsed_ms` counts reading the prompt and deciding, not start-up.
        Raises UnknownRecord for a role, strategy or endpoint that is not there,
        RegistryUnusable when the file cannot be read.
        """
        request = choices.applied_to(request)
        snapshot = self._current_snapshot()
        started = time.perf_counter()
        last = terms = None
        if choices.conversation_id is not None:
            last = last_in_conversation(self._db, choices.conversation_id)
            terms = read_terms(self._db, choices.conversation_id)
        reading, task, role = self._task(snapshot, request, choices, last)
        layers = policy_layers(snapshot.registry, choices, role, terms)
        known = read_availability(
            self._db, task.kind, self.now(), snapshot.registry.endpoints, self._environment
        )
        inputs = replace(
            self._inputs(snapshot, task, choices, layers, known),
            role=role,
            incumbent=last.chosen if last else None,
        )
        ranked = self._ranked(snapshot, reading, inputs)
        if ranked.chosen is None:
            ranked = self._ranked_without_circuits(snapshot, reading, inputs, known) or ranked
        elif will_call and is_time_to_try(known.statistics.values()):
            ranked = with_untimed_tried(ranked, inputs)
        decision = replace(
            self._decision(request, choices, inputs, ranked, layers),
            elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        decision = replace(decision, notes=decision.notes + self._reached(inputs, ranked))
        return self.recorder.decided(decision, will_call=will_call) if record else decision

    def _ranked(self, snapshot: Snapshot, reading: Reading, inputs: DecisionInputs) -> Ranked:
        eligible = find_eligible(inputs)
        facts = [snapshot.facts[variant] for variant in eligible.variants]
        predictions = {one.model: one for one in self._scorer.predict(reading, facts)}
        return decide(inputs, predictions, eligible)

    def _ranked_without_circuits(
        self, snapshot: Snapshot, reading: Reading, inputs: DecisionInputs, known: Availability
    ) -> Ranked | None:
        """Return who is chosen where open circuits keep nobody out; null where still nobody is."""
        passing = without_circuits(inputs, known)
        ranked = None if passing is None else self._ranked(snapshot, reading, passing)
        if ranked is None or ranked.chosen is None:
            return None
        return replace(ranked, notes=(*ranked.notes, passing_note(ranked.chosen, known)))

    @property
    def registry(self) -> Registry:
        """The registry's content as the latest decision saw it."""
        return (self._snapshot or self._current_snapshot()).registry

    def _current_snapshot(self) -> Snapshot:
        kept = self._snapshot
        if kept is None or kept.registry.revision != read_revision(self._db):
            registry = read_registry(self._db)
            self._scorer = with_fits(self._db, self._scorer, self._tell)
            kept = self._snapshot = Snapshot(
                registry,
                {model.id: model for model in registry.models},
                facts_of(registry),
                ExampleIndex(self._db, self._scorer, registry),
            )
        return kept

    def _inputs(
        self,
        snapshot: Snapshot,
        task: Task,
        choices: RoutingChoices,
        layers: Layers,
        known: Availability,
    ) -> DecisionInputs:
        now, registry = self.now(), snapshot.registry
        selection = selected_for(registry.endpoints, choices.endpoints, choices.models)
        left = remaining(self._db, registry.scopes, choices.app, choices.user, now)
        limit, notes = spend_limit(layers.strategy, left)
        return DecisionInputs(
            endpoints=registry.endpoints,
            models=snapshot.models,
            task=task,
            strategy=layers.strategy,
            kinds=registry.tasks,
            selection=selection,
            available_env=self._keys,
            offline=known.offline,
            exhausted=known.exhausted,
            refused=known.refused,
            measured=known.measured,
            api_gaps=_api_gaps(task.parameters, task.modalities),
            untaken_forms=_untaken_forms(snapshot, task.forms),
            allow_drop=choices.allow_drop,
            spend_limit=limit,
            notes=notes,
        )

    def _task(
        self, snapshot: Snapshot, request: Request, choices: RoutingChoices, last: LastTurn | None
    ) -> tuple[Reading, Task, Role | None]:
        followed = last if last is not None and is_follow_up(request) else None
        subject = None
        if followed is not None and choices.conversation_id is not None:
            subject = last_prompt(
                self._db, choices.conversation_id, least_chars=SUBJECT_LEAST_CHARS
            )
        text = text_read(turns_of(request), subject, request.tool_names)
        expected = _is_run(request, choices.task or (AGENT if request.tool_names else ""))
        reading = self._scorer.read(text, is_agent=expected)
        detected, role = _kind_and_role(snapshot, request, choices, reading, followed)
        is_run = _is_run(request, detected.kind)
        if is_run != expected:
            reading = self._scorer.read(text, is_agent=is_run)
        task = build_task(
            request,
            detected,
            role,
            snapshot.registry.tasks,
            source="detected" if choices.task is None else "declared",
            cached_tokens=_cached_tokens(request, last, self.now()),
            worth=choices.worth,
        )
        return reading, replace(task, difficulty=reading.difficulty), role

    def _reached(self, inputs: DecisionInputs, ranked: Ranked) -> tuple[str, ...]:
        every = inputs.endpoints
        chosen = next((one for one in every if one.id == ranked.chosen), None)
        if chosen is None:
            return ()
        return reachability_notes(
            self._db, chosen, every, ranked.excluded, self.now(), self._connect
        )

    def _decision(
        self,
        request: Request,
        choices: RoutingChoices,
        inputs: DecisionInputs,
        ranked: Ranked,
        layers: Layers,
    ) -> Decision:
        now = self.now()
        prompt = "\n\n".join(message.text for message in request.messages[request.history :])
        return Decision(
            id=new_id(now),
            created_at=stamp(now),
            task=inputs.task,
            role=inputs.role.id if inputs.role else None,
            strategy=inputs.strategy,
            strategy_layers=layers.names,
            app=choices.app,
            user=choices.user,
            conversation_id=choices.conversation_id,
            incumbent=inputs.incumbent,
            chosen=ranked.chosen,
            runner_up=ranked.runner_up,
            margin_usd=ranked.margin_usd,
            reasons=ranked.reasons,
            candidates=ranked.candidates,
            excluded=ranked.excluded,
            fallbacks=ranked.fallbacks,
            registry_revision=self.registry.revision,
            scorer_version=self._scorer.version,
            elapsed_ms=0.0,
            prompt=prompt if layers.log_prompts else None,
            notes=request.notes + layers.notes + inputs.notes + ranked.notes,
            prompt_sha256=hashlib.sha256(prompt.encode(errors="surrogatepass")).hexdigest(),
        )


def load_router(db: Database, loading: Loading) -> Router:
    """Return a router with the shipped scorer, once it is loaded. Raises ScorerUnusable."""
    return Router(
        db,
        scorer=loading.scorer(),
        environment=os.environ,
        tell=loading.tell,
        connect=is_reached,
    )


def chosen_endpoint(decision: Decision, endpoints: Iterable[Endpoint]) -> str:
    """Return the chosen endpoint's id; `endpoints` are those that were to choose from.

    Raises BudgetExceeded when only a spending limit stands in the way, else NothingEligible.
    """
    if decision.chosen is not None:
        return decision.chosen
    message, hint, is_only_budget = nothing_eligible_message(decision.excluded, endpoints)
    held = [one for one in decision.strategy_layers if one.startswith(f"{CONVERSATION}: ")]
    if held and not is_only_budget:
        message, hint = f"{message}; this {held[0]}", START_ANEW
    raise (BudgetExceeded if is_only_budget else NothingEligible)(message, hint=hint)


def _kind_and_role(
    snapshot: Snapshot,
    request: Request,
    choices: RoutingChoices,
    reading: Reading,
    followed: LastTurn | None,
) -> tuple[Detected, Role | None]:
    """Return the kind of task and who does it, what is declared before what is detected."""
    roles, kinds = snapshot.registry.roles, snapshot.registry.tasks
    declared = None if choices.role is None else named(roles, "role", choices.role)
    by_example = None
    if choices.task is not None:
        learned = snapshot.index.classifier.kinds
        detected = Detected(known_kind(snapshot.registry, learned, choices.task), 1.0, "declared")
    elif followed is not None:
        detected = Detected(followed.task_kind, FOLLOW_UP_CONFIDENCE, "a short follow-up")
    else:
        detected, by_example = snapshot.index.detect(request, reading)
    if declared is not None:
        return (fit_to_role(detected, declared) if choices.task is None else detected), declared
    return detected, by_example or resolve_role(roles, detected.kind, kinds)


def _cached_tokens(request: Request, last: LastTurn | None, now: datetime) -> int:
    """Return how much of the request the endpoint of the last turn still has in its cache."""
    if last is None or abs(now - datetime.fromisoformat(last.created_at)) > CACHE_LIFETIME:
        return 0
    before = estimate_tokens(replace(request, messages=request.messages[:-1]))
    return before if before >= CACHE_LEAST_TOKENS else 0


def _is_run(request: Request, kind: str) -> bool | None:
    """Tell whether an agent's whole run is asked for; null for other work that has tools.

    Labels of whole runs say nothing of single answers, nor these of runs.
    """
    if covers(AGENT, kind):
        return True
    return None if request.tool_names else False


@lru_cache(maxsize=64)
def _api_gaps(parameters: tuple[str, ...], modalities: tuple[str, ...]) -> dict[Api, ApiGaps]:
    """Return what of a request each API has no place for."""
    return {
        api: ApiGaps(
            frozenset(uncarried(api, parameters)), frozenset(lost_modalities(api, modalities))
        )
        for api in APIS
    }


def _untaken_forms(snapshot: Snapshot, forms: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return what of a request's forms each endpoint refuses."""
    if not forms:
        return {}
    # Imported here: a request without attachments does not pay for it.
    from rolecall.registry.providers.forms import untaken_by

    return untaken_by(snapshot.registry.endpoints, snapshot.models, forms)
