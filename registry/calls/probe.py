"""Measure endpoints by short real calls."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from rolecall.registry.calls.attempt import Attempt, Caller, Purpose
from rolecall.registry.calls.plan import CallPlan
from rolecall.registry.core.chat import Chat, Text, Timeouts, Turn
from rolecall.registry.core.clock import Now, utc_now
from rolecall.registry.core.credentials import key_in
from rolecall.registry.core.entities import Endpoint, Model, Strategy
from rolecall.registry.core.errors import CallFailed, UsageError
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Call, EndpointStatistics
from rolecall.registry.policy.layers import default_strategy
from rolecall.registry.policy.strategies import selected
from rolecall.registry.providers.client import Client
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from rolecall.registry.routing.rules.cost import is_unpriced
from rolecall.registry.routing.rules.eligibility import (
    against_policy,
    made_by,
    max_output_tokens,
)
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import read_registry
from rolecall.registry.storage.statistics import read_endpoint_statistics
from rolecall.registry.telemetry.recorder import Recorder

PROMPT = "Count from one to thirty in words, separated by commas. Write nothing else."
PROMPT_TOKENS = 60  # at most: no tokenizer makes more than half of it
MOST_TOKENS = 256
# A model that thinks before it speaks must have room for both.
MOST_THINKING_TOKENS = 2_048


@dataclass(frozen=True, slots=True)
class Probed:
    """One endpoint's probe: its call and the statistics before it, or why there was none.

    `unrecorded` says why the call is not in the registry.
    """

    endpoint: str
    call: Call | None = None
    before: EndpointStatistics | None = None
    skipped: str | None = None
    unrecorded: str | None = None

    @property
    def tokens_per_s(self) -> float | None:
        """Output tokens per second after the first."""
        itl_s = None if self.call is None else self.call.time_per_output_token_s
        return 1.0 / itl_s if itl_s else None

    @property
    def ttft_change_s(self) -> float | None:
        """How much longer the first token took than the median so far."""
        if self.call is None or self.before is None:
            return None
        now, then = self.call.time_to_first_chunk_s, self.before.ttft_p50_s
        return None if now is None or then is None else now - then


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """What one round of probes is: which endpoints, from where, and for how much at worst."""

    globs: tuple[str, ...] = ()
    region: str | None = None
    max_cost_usd: float = 0.10


def probe_endpoints(
    db: Database,
    client: Client,
    environment: Mapping[str, str],
    wanted: ProbeRequest,
    *,
    now: Now = utc_now,
) -> Generator[Probed]:
    """Yield each endpoint's probe as it ends, one after the other.

    Where the default strategy lets no prompt go, an endpoint is skipped, named or not, and said
    so. The whole round never costs more than `max_cost_usd` at worst: an endpoint that might go
    beyond is skipped, and said so. One of unknown price is skipped unless it is named. Raises
    UnknownRecord for a glob that matches nothing, UsageError where there is no endpoint.
    """
    registry = read_registry(db)
    chosen = selected([endpoint.id for endpoint in registry.endpoints], wanted.globs)
    if not chosen:
        raise UsageError("no endpoint is registered", hint="rolecall endpoints add --help")
    recorder, strategy = Recorder(db, now=now), default_strategy(registry)
    caller = Caller(recorder, client, environment, now=now)
    models = {model.id: model for model in registry.models}
    left_usd = wanted.max_cost_usd
    for endpoint in registry.endpoints:
        if endpoint.id not in chosen:
            continue
        why = _against(endpoint, strategy, environment, is_named=bool(wanted.globs))
        made = made_by(endpoint, models[endpoint.model])
        why = f"makes {made}, no text" if made else why
        if why is not None:
            yield Probed(endpoint.id, skipped=why)
            continue
        attempt = _attempt(endpoint, models[endpoint.model], strategy, wanted.region)
        worst_usd = attempt.plan.reserved_usd
        if worst_usd > left_usd:
            worst = f"{usd(worst_usd)} at worst, {usd(left_usd)} left of --max-cost"
            yield Probed(endpoint.id, skipped=worst)
            continue
        before = read_endpoint_statistics(db, endpoint.id)
        # A failure is in the call's own row.
        try:
            with closing(caller.events(attempt)) as events, suppress(CallFailed):
                for _ in events:
                    pass
        finally:
            unrecorded = recorder.flush()
        # What broke off may have cost its worst: nobody said what was made of it.
        cost_usd = attempt.call.cost_usd
        left_usd -= worst_usd if cost_usd is None else cost_usd
        yield Probed(endpoint.id, attempt.call, before, unrecorded=unrecorded)


def probe_round(db: Database, timeouts: Timeouts, wanted: ProbeRequest) -> Generator[Probed]:
    """Yield the probes of one round, with the keys of the environment and a client of its own."""
    with Client(timeouts=timeouts) as client:
        yield from probe_endpoints(db, client, os.environ, wanted)


def _against(
    endpoint: Endpoint, strategy: Strategy, environment: Mapping[str, str], *, is_named: bool
) -> str | None:
    """Return why an endpoint is not probed: naming it overrides `disabled`, and no policy."""
    denied = "; ".join(detail for _, detail in against_policy(endpoint, strategy))
    if denied:
        return f"the policy of {strategy.id}: {denied}"
    if endpoint.status == "disabled" and not is_named:
        return "disabled"
    key = endpoint.key_env
    if key and not endpoint.key_command and not key_in(environment, key):
        return f"{key} is not set"
    if is_unpriced(endpoint) and not is_named:
        return "price unknown: name it to probe it at the default price"
    return None


def _attempt(endpoint: Endpoint, model: Model, strategy: Strategy, region: str | None) -> Attempt:
    is_asked_to = endpoint.reasoning_effort not in (None, "none")
    may_think = is_asked_to or "reasoning" in model.capabilities
    most = MOST_THINKING_TOKENS if may_think else MOST_TOKENS
    most = min(most, max_output_tokens(endpoint, model) or most)
    asked = Chat((Turn("user", (Text(PROMPT),)),), max_tokens=most)
    plan = CallPlan(
        endpoint,
        model,
        sent_chat(Target(endpoint, model), asked).chat,
        Task(
            "general",
            "declared",
            1.0,
            "probe",
            input_tokens=PROMPT_TOKENS,
            input_tokens_declared=True,
        ),
        strategy,
        most,
    )
    return Attempt(plan, purpose=Purpose(sample_source="probe", region=region))


def probe_command(wanted: ProbeRequest, registry: Path) -> list[str]:
    """Return the command line of one round, with full paths, as a timer needs it."""
    program = shutil.which("rolecall") or sys.argv[0]
    command = [program, "probe", *wanted.globs, "--max-cost", f"{wanted.max_cost_usd:g}"]
    if wanted.region is not None:
        command += ["--region", wanted.region]
    return [*command, "--registry", str(registry.absolute())]
