"""Decide which endpoint should answer a request, and keep the decision."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from rolecall.registry.catalog.facts import facts_of
from rolecall.registry.core.clock import Now, utc_now
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.entities import Api, Registry, Role
from rolecall.registry.core.errors import BudgetExceeded, NothingEligible
from rolecall.registry.core.ids import new_id
from rolecall.registry.core.predictions import ModelFacts, Prediction
from rolecall.registry.core.reporting import Tell, say_nothing
from rolecall.registry.core.requests import Request, RoutingChoices, Task
from rolecall.registry.core.suggestions import named, unknown
from rolecall.registry.editing.open import open_registry
from rolecall.registry.learning.loading import Loading, with_fits
from rolecall.registry.policy.budget import remaining, spend_limit
from rolecall.registry.policy.layers import Layers, policy_layers
from rolecall.registry.policy.strategies import matches
from rolecall.registry.providers.support import lost_modalities, uncarried
from rolecall.registry.routing.rules.decide import decide, nothing_eligible_message
from rolecall.registry.routing.rules.eligibility import find_eligible
from rolecall.registry.routing.rules.inputs import DecisionInputs, Ranked
from rolecall.registry.routing.rules.request_structure import Detected
from rolecall.registry.routing.rules.tasks import build_task, covers, resolve_role
from rolecall.registry.routing.rules.token_estimate import estimate_tokens
from rolecall.registry.routing.task_detection import (
    ExampleIndex,
    detect_task,
    fit_to_role,
    is_follow_up,
    known_kind,
    turns_of,
)
from rolecall.registry.scorer.model import Reading, Scorer
from rolecall.registry.scorer.text import text_read
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import (
    LastTurn,
    insert_decision,
    last_in_conversation,
    last_prompt,
)
from rolecall.registry.storage.registry import read_registry, read_revision
from rolecall.registry.telemetry.availability import read_standing

CACHE_LIFETIME = timedelta(minutes=5)
CACHE_LEAST_TOKENS = 1024
FOLLOW_UP_CONFIDENCE = 0.8
SUBJECT_LEAST_CHARS = 40
AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A registry's content at one revision, with what is derived from it once."""

    registry: Registry
    facts: Mapping[str, ModelFacts]
    index: ExampleIndex


class Router:
    """Decides requests against one registry; keeps a snapshot of it until it changes.

    `now` is its clock, by which the calls that follow a decision are dated too. What takes long
    is told by `tell`.
    """

    def __init__(
        self,
        db: Database,
        *,
        scorer: Scorer,
        environment: Mapping[str, str],
        now: Now = utc_now,
        tell: Tell = say_nothing,
    ) -> None:
        self._db = db
        self._scorer = scorer
        self._tell = tell
        self._keys = frozenset(name for name, value in environment.items() if value)
        self.now = now
        self._snapshot: Snapshot | None = None

    def decide(
        self,
        request: Request,
        choices: RoutingChoices,
        *,
        record: bool = True,
        will_call: bool = False,
    ) -> Decision:
        """Return the decision for one request, stored unless `record` is false.

        Where a call follows, nobody may cost more than the limits allow even at worst. A decision
        in which nothing is eligible is returned (and stored) like any other, with `chosen` null.
        Its `elapsed_ms` counts reading the prompt and deciding, not start-up.
        Raises UnknownRecord for a role, strategy or endpoint that is not there,
        RegistryUnusable when the file cannot be read or written.
        """
        snapshot = self._current_snapshot()
        started = time.perf_counter()
        last = self._last_turn(choices)
        reading, task, role = self._task(snapshot, request, choices, last)
        layers = policy_layers(snapshot.registry, choices, role)
        inputs = self._question(snapshot, task, choices, layers, will_call=will_call)
        inputs = replace(inputs, role=role, incumbent=last.chosen if last else None)
        verdict = self._judge(snapshot, inputs, reading)
        decision = replace(
            self._decision(request, choices, inputs, verdict, layers),
            registry_revision=snapshot.registry.revision,
            elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        if record:
            insert_decision(self._db, decision)
        return decision

    @property
    def registry(self) -> Registry:
        """The registry's content as the latest decision saw it."""
        return (self._snapshot or self._current_snapshot()).registry

    def _question(
        self,
        snapshot: Snapshot,
        task: Task,
        choices: RoutingChoices,
        layers: Layers,
        *,
        will_call: bool,
    ) -> DecisionInputs:
        now, registry = self.now(), snapshot.registry
        standing = read_standing(self._db, task.kind, now)
        left = remaining(self._db, registry.scopes, choices.app, choices.user, now)
        limit, notes = spend_limit(layers.strategy, left, will_call=will_call)
        return DecisionInputs(
            endpoints=registry.endpoints,
            models={model.id: model for model in registry.models},
            task=task,
            strategy=layers.strategy,
            kinds=registry.tasks,
            selection=_selection(registry, choices),
            available_env=self._keys,
            offline=standing.offline,
            exhausted=standing.exhausted,
            measured=standing.measured,
            uncarried=_uncarried(task),
            untaken=_untaken(task),
            allow_drop=choices.allow_drop,
            spend_limit=limit,
            notes=notes,
        )

    def _current_snapshot(self) -> Snapshot:
        kept = self._snapshot
        if kept is None or kept.registry.revision != read_revision(self._db):
            registry = read_registry(self._db)
            self._scorer = with_fits(self._db, self._scorer, self._tell)
            index = ExampleIndex(self._db, self._scorer, registry)
            kept = self._snapshot = Snapshot(registry, facts_of(registry), index)
        return kept

    def _last_turn(self, choices: RoutingChoices) -> LastTurn | None:
        if choices.conversation_id is None:
            return None
        return last_in_conversation(self._db, choices.conversation_id)

    def _task(
        self, snapshot: Snapshot, request: Request, choices: RoutingChoices, last: LastTurn | None
    ) -> tuple[Reading, Task, Role | None]:
        followed = last if last is not None and is_follow_up(request) else None
        text = self._text(request, choices.conversation_id if followed else None)
        expected = _is_run(request, choices.task or (AGENT if request.tool_names else ""))
        reading = self._scorer.read(text, is_agent=expected)
        detected, role = self._kind_and_role(snapshot, request, choices, reading, followed)
        is_run = _is_run(request, detected.kind)
        if is_run != expected:
            reading = self._scorer.read(text, is_agent=is_run)
        task = build_task(
            request,
            detected,
            role,
            snapshot.registry.tasks,
            source="detected" if choices.task is None else "declared",
            cached_tokens=self._cached_tokens(request, last),
            worth=choices.worth,
        )
        return reading, replace(task, difficulty=reading.difficulty), role

    def _text(self, request: Request, followed: str | None) -> str:
        """Return what is read of the request, led by what the conversation it follows was about."""
        before = None
        if followed is not None:
            before = last_prompt(self._db, followed, least_chars=SUBJECT_LEAST_CHARS)
        return text_read(turns_of(request), before, request.tool_names)

    def _kind_and_role(
        self,
        snapshot: Snapshot,
        request: Request,
        choices: RoutingChoices,
        reading: Reading,
        followed: LastTurn | None,
    ) -> tuple[Detected, Role | None]:
        roles, kinds = snapshot.registry.roles, snapshot.registry.tasks
        declared = None if choices.role is None else named(roles, "role", choices.role)
        hinted = None
        if choices.task is not None:
            learned = snapshot.index.classifier.kinds
            kind = known_kind(snapshot.registry, learned, choices.task)
            detected = Detected(kind, 1.0, "declared")
        elif followed is not None:
            detected = Detected(followed.task_kind, FOLLOW_UP_CONFIDENCE, "a short follow-up")
        else:
            detected, hinted = detect_task(request, reading, snapshot.index)
        if declared is not None:
            return (fit_to_role(detected, declared) if choices.task is None else detected), declared
        by_example = next((role for role in roles if role.id == hinted), None)
        return detected, by_example or resolve_role(roles, detected.kind, kinds)

    def _cached_tokens(self, request: Request, last: LastTurn | None) -> int:
        """Return how much of the request the endpoint of the last turn still has in its cache."""
        if last is None or self.now() - datetime.fromisoformat(last.created_at) > CACHE_LIFETIME:
            return 0
        before = estimate_tokens(replace(request, messages=request.messages[:-1]))
        return before if before >= CACHE_LEAST_TOKENS else 0

    def _judge(self, snapshot: Snapshot, inputs: DecisionInputs, reading: Reading) -> Ranked:
        eligible = find_eligible(inputs)
        facts = [snapshot.facts[variant] for variant in eligible.variants]
        predictions: Mapping[str, Prediction] = {}
        if facts:
            predictions = {one.model: one for one in self._scorer.predict(reading, facts)}
        return decide(inputs, predictions, eligible)

    def _decision(
        self,
        request: Request,
        choices: RoutingChoices,
        inputs: DecisionInputs,
        verdict: Ranked,
        layers: Layers,
    ) -> Decision:
        now = self.now()
        prompt = "\n\n".join(message.text for message in request.messages[request.history :])
        return Decision(
            id=new_id(now),
            created_at=now.isoformat(timespec="milliseconds"),
            task=inputs.task,
            role=inputs.role.id if inputs.role else None,
            strategy=inputs.strategy,
            strategy_layers=layers.names,
            app=choices.app,
            user=choices.user,
            conversation_id=choices.conversation_id,
            incumbent=inputs.incumbent,
            chosen=verdict.chosen,
            runner_up=verdict.runner_up,
            margin_usd=verdict.margin_usd,
            reasons=verdict.reasons,
            candidates=verdict.candidates,
            excluded=verdict.excluded,
            fallbacks=verdict.fallbacks,
            registry_revision=0,
            scorer_version=self._scorer.version,
            elapsed_ms=0.0,
            prompt=prompt if layers.log_prompts else None,
            notes=layers.notes + inputs.notes + verdict.notes,
            prompt_sha256=hashlib.sha256(prompt.encode(errors="surrogatepass")).hexdigest(),
        )


@contextmanager
def open_router(given: Path | None, loading: Loading | None = None) -> Iterator[Router]:
    """Open the registry (seeded on first use) and the shipped scorer, ready to decide.

    `loading` is a scorer whose loading began earlier. Raises RegistryUnusable and ScorerUnusable.
    """
    loading = loading or Loading()
    with open_registry(given) as db:
        yield Router(db, scorer=loading.scorer(), environment=os.environ, tell=loading.tell)


def chosen_endpoint(decision: Decision) -> str:
    """Return the chosen endpoint's id.

    Raises BudgetExceeded when only a spending limit stands in the way, else NothingEligible.
    """
    if decision.chosen is not None:
        return decision.chosen
    message, hint, is_only_budget = nothing_eligible_message(decision.excluded)
    raise (BudgetExceeded if is_only_budget else NothingEligible)(message, hint=hint)


def _is_run(request: Request, kind: str) -> bool | None:
    """Tell whether an agent's whole run is asked for; null for other work that has tools.

    Labels of whole runs say nothing of single answers, nor these of runs.
    """
    if covers(AGENT, kind):
        return True
    return None if request.tool_names else False


def _uncarried(task: Task) -> dict[Api, frozenset[str]]:
    """Return which of the request's parameters each API has no place for."""
    if not task.parameters:
        return {}
    apis: tuple[Api, ...] = get_args(Api)
    return {api: frozenset(uncarried(api, task.parameters)) for api in apis}


def _untaken(task: Task) -> dict[Api, frozenset[str]]:
    """Return which modalities of the request's attachments each API has no place for."""
    if set(task.modalities) <= {"text"}:
        return {}
    apis: tuple[Api, ...] = get_args(Api)
    return {api: frozenset(lost_modalities(api, task.modalities)) for api in apis}


def _selection(registry: Registry, choices: RoutingChoices) -> tuple[str, ...]:
    """Return the globs of `--endpoint`; one that matches nothing is a mistyped name."""
    ids = [endpoint.id for endpoint in registry.endpoints]
    for glob in choices.endpoints:
        if not any(matches(one, (glob,)) for one in ids):
            raise unknown("endpoint", glob, ids)
    return choices.endpoints
