"""One plan per call: where it goes, what is sent and what it may cost, settled before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rolecall.registry.calls.refusals import renaming
from rolecall.registry.core.chat import Chat, Usage
from rolecall.registry.core.decisions import Candidate, Decision, SpendLimit
from rolecall.registry.core.entities import Endpoint, Model, Registry, Strategy
from rolecall.registry.core.errors import BudgetExceeded
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Call
from rolecall.registry.policy.budget import Remaining, spend_limit
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import SentChat, sent_chat
from rolecall.registry.routing.rules.cost import (
    affordable_tokens,
    usd_at_most,
    usd_for,
)
from rolecall.registry.routing.rules.eligibility import max_output_tokens
from rolecall.registry.routing.rules.token_estimate import most_input_tokens

# The longest an answer is taken to be where neither the request nor the model says.
USUAL_MOST_TOKENS = 8_192
# By how much the server's figure may differ from what the tokens cost by the known price.
_ALIKE = 0.1
BY_SERVER = "server"
_BY_CIRCUIT = {"PROVIDER_OFFLINE", "QUOTA_EXHAUSTED"}


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call of one endpoint.

    `chat` is what is sent, its `max_tokens` the limit of the output; `dropped` names the
    parameters that the chat lost. `task` and `most_output_tokens` say how much it may use at
    worst, `strategy` what that costs where no price is known. `limit` is what it may cost.
    """

    endpoint: Endpoint
    model: Model
    chat: Chat
    task: Task
    strategy: Strategy
    most_output_tokens: int
    limit: SpendLimit | None = None
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reserved_usd(self) -> float:
        """The worst case, held against budgets while the call runs."""
        return self.usd_at_most(self.most_output_tokens)

    def usd_at_most(self, output_tokens: int, seen: Usage | None = None) -> float:
        """Return what so many output tokens cost at worst, where some usage is known.

        Input of which nobody knows the length counts as long as expected.
        """
        endpoint, strategy, task = self.endpoint, self.strategy, self.task
        worst = usd_at_most(endpoint, strategy, task, output_tokens, seen)
        if worst is None:
            return usd_for(endpoint, strategy, task.input_tokens, output_tokens)
        return worst


def plan_call(
    registry: Registry,
    decision: Decision,
    candidate: Candidate,
    chat: Chat,
    limit: SpendLimit | None,
    refused: tuple[str, ...] = (),
) -> CallPlan:
    """Return the plan of a call that costs no more than `limit` even at worst.

    `refused` names parameters that the endpoint's server has refused before. Raises BudgetExceeded
    where the limit does not pay for the answer that is asked for, or expected.
    """
    endpoint = next(one for one in registry.endpoints if one.id == candidate.endpoint)
    model = next(one for one in registry.models if one.id == endpoint.model)
    endpoint = _less(endpoint, refused)
    most = chat.max_tokens or max_output_tokens(endpoint, model)
    affordable = _affordable(endpoint, decision, candidate, limit)
    if affordable is not None and (most is None or affordable < most):
        # A server refuses more than its model can give: what is left may be too much to ask.
        most = min(affordable, most or max(USUAL_MOST_TOKENS, candidate.output_tokens))
        chat = replace(chat, max_tokens=most)
    sent = sent_chat(Target(endpoint, model), chat)
    gone = [name for name in refused if renaming(name) is None]
    dropped = (*(name for name in sent.dropped if name not in refused), *gone)
    return CallPlan(
        endpoint,
        model,
        sent.chat,
        decision.task,
        decision.strategy,
        most or USUAL_MOST_TOKENS,
        limit,
        dropped=dropped,
        notes=(
            *_price_notes(endpoint, registry, decision, candidate),
            *_chat_notes(endpoint, sent, dropped, refused),
        ),
    )


def call_limit(
    strategy: Strategy, left: Iterable[Remaining], spent_usd: float
) -> SpendLimit | None:
    """Return what the next call may cost after `spent_usd` went into those before; null: any.

    What is `left` of budgets knows of that money already, the strategy's own limit does not.
    """
    own, _ = spend_limit(strategy, ())
    shared, _ = spend_limit(replace(strategy, max_cost_usd=None), left)
    if own is not None and spent_usd > 0:
        because = f"{own.because}, of which the tries before may have cost {usd(spent_usd, 'up')}"
        own = SpendLimit(max(own.usd - spent_usd, 0.0), because)
    limits = [one for one in (own, shared) if one is not None]
    return min(limits, key=lambda one: one.usd, default=None)


def cost_notes(plan: CallPlan, call: Call, told_usd: float | None) -> Iterable[str]:
    """Yield what a person should know of what a call cost, `told_usd` being the server's figure.

    A cost is over the limit only where the server counted more than was bounded, or not by the
    price that is known.
    """
    cost_usd, limit, advised = call.cost_usd, plan.limit, plan.strategy.max_cost_usd
    if cost_usd is None:
        return
    if limit is None and advised is not None:
        limit = SpendLimit(advised, f"at most {usd(advised)} is advised")
    if limit is not None and cost_usd > limit.usd:
        over = f"{plan.endpoint.id} cost {usd(cost_usd, 'up')}, over the limit ({limit.because})"
        yield f"{over}: {', '.join(_beyond(plan, call)) or 'the server asks for more'}"
    if told_usd is None or call.price_source == BY_SERVER:
        return
    if abs(told_usd - cost_usd) > _ALIKE * max(told_usd, cost_usd):
        told = f"{plan.endpoint.id} says that this cost {usd(told_usd)}"
        edit = f"rolecall endpoints edit {plan.endpoint.id}"
        yield f"{told}; by its price here, which is booked, {usd(cost_usd)}: {edit}"


def _beyond(plan: CallPlan, call: Call) -> Iterable[str]:
    """Yield which counts of a call are beyond what was expected at most."""
    for what, count, most in (
        ("input", call.input_tokens, most_input_tokens(plan.task, plan.endpoint)),
        ("output", call.output_tokens, plan.most_output_tokens),
    ):
        if count is not None and most is not None and count > most:
            yield f"{count:,} {what} tokens were counted, {most:,} expected at most"


def _less(endpoint: Endpoint, refused: tuple[str, ...]) -> Endpoint:
    """Return an endpoint that does not take these parameters either."""
    return replace(endpoint, unsupported_parameters=(*endpoint.unsupported_parameters, *refused))


def _affordable(
    endpoint: Endpoint, decision: Decision, candidate: Candidate, limit: SpendLimit | None
) -> int | None:
    """Return the output tokens that the limit pays for; null: any number."""
    if limit is None:
        return None
    affordable = affordable_tokens(endpoint, decision.task, decision.strategy, limit.usd)
    needed = decision.task.max_tokens or candidate.output_tokens
    if affordable is not None and affordable < needed:
        raise BudgetExceeded(f"{endpoint.id} may cost too much: {limit.because}")
    return affordable


def _price_notes(
    endpoint: Endpoint, registry: Registry, decision: Decision, candidate: Candidate
) -> Iterable[str]:
    """Yield what a person should know of the price before this candidate is asked."""
    first = decision.candidates[0]
    if candidate.cost_usd > first.cost_usd:
        against = f"{usd(candidate.cost_usd)} against {usd(first.cost_usd)} expected"
        yield f"{endpoint.id} is more expensive than {first.endpoint}: {against}"
    elif candidate is first:
        yield from _cheaper_offline(decision, registry.endpoints)
    if candidate.is_unpriced and decision.strategy.max_cost_usd is not None:
        yield f"the price of {endpoint.id} is unknown: default used"


def _cheaper_offline(decision: Decision, endpoints: Sequence[Endpoint]) -> list[str]:
    """Say in a note which cheaper endpoint cannot be asked now; of several, the most expensive.

    Both are computed at their prices for as many tokens as the chosen one is expected to give.
    """
    codes: dict[str, set[str]] = {}
    for each in decision.excluded:
        codes.setdefault(each.endpoint, set()).add(each.code)
    offline = {one for one, against in codes.items() if against <= _BY_CIRCUIT}
    if not offline:
        return []
    chosen = decision.candidates[0]
    size = (decision.task.input_tokens, chosen.output_tokens)
    costs = {
        one.id: usd_for(one, decision.strategy, *size)
        for one in endpoints
        if one.id in {*offline, chosen.endpoint}
    }
    cost = costs.pop(chosen.endpoint)
    cheaper = [(each, one) for one, each in costs.items() if each < cost]
    if not cheaper:
        return []
    most, named = max(cheaper)
    why = next(each.detail for each in decision.excluded if each.endpoint == named)
    price = f"{usd(cost)} against {usd(most)}"
    return [f"{chosen.endpoint} is more expensive than {named}, {price}, which {why}"]


def _chat_notes(
    endpoint: Endpoint, sent: SentChat, dropped: tuple[str, ...], refused: tuple[str, ...]
) -> Iterable[str]:
    """Yield where the chat is not sent as it was asked."""
    if sent.note is not None:
        yield sent.note
    for note in sent.notes:
        yield f"{endpoint.id}: {note}"
    if dropped:
        yield f"{endpoint.id} takes no {', '.join(dropped)}: left out"
    for how in filter(None, map(renaming, refused)):
        yield f"{endpoint.id} {how}"
