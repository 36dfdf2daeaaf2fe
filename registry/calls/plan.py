"""One plan per call: where it goes, what is sent and what it may cost, settled before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rolecall.registry.calls.refusals import renaming
from rolecall.registry.core.chat import Chat
from rolecall.registry.core.decisions import Candidate, Decision, SpendLimit
from rolecall.registry.core.entities import Endpoint, Model, Registry, Strategy
from rolecall.registry.core.errors import BudgetExceeded
from rolecall.registry.core.formatting import usd
from rolecall.registry.policy.budget import Remaining, spend_limit
from rolecall.registry.providers.protocol import Target
from rolecall.registry.providers.sent_chat import sent_chat
from rolecall.registry.routing.rules.cost import affordable_tokens, usd_for, worst_usd
from rolecall.registry.routing.rules.eligibility import max_output_tokens

# The longest an answer is taken to be where neither the request nor the model says.
USUAL_MOST_TOKENS = 8_192
_BY_CIRCUIT = {"PROVIDER_OFFLINE", "QUOTA_EXHAUSTED"}


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call of one endpoint.

    `chat` is what is sent, its `max_tokens` the limit of the output; `dropped` names the
    parameters that the chat lost. `reserved_usd` is the worst case, held against budgets while
    the call runs; `input_tokens` and `strategy` price it where nobody says what was used.
    """

    endpoint: Endpoint
    model: Model
    chat: Chat
    input_tokens: int
    strategy: Strategy
    reserved_usd: float
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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
        decision.task.input_tokens,
        decision.strategy,
        reserved_usd=worst_usd(
            endpoint, decision.strategy, decision.task, most or USUAL_MOST_TOKENS
        ),
        dropped=dropped,
        notes=(
            *_price_notes(endpoint, registry, decision, candidate),
            *_chat_notes(endpoint, sent.note, dropped, refused),
        ),
    )


def call_limit(
    strategy: Strategy, left: Iterable[Remaining], spent_usd: float
) -> SpendLimit | None:
    """Return what the next call may cost after `spent_usd` went into those before; null: any.

    What is `left` of budgets knows of that money already, the strategy's own limit does not.
    """
    own, _ = spend_limit(strategy, (), will_call=True)
    shared, _ = spend_limit(replace(strategy, max_cost_usd=None), left, will_call=True)
    if own is not None:
        own = replace(own, usd=own.usd - spent_usd)
    limits = [one for one in (own, shared) if one is not None]
    return min(limits, key=lambda one: one.usd, default=None)


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
    if endpoint.price is None and decision.strategy.max_cost_usd is not None:
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
    endpoint: Endpoint,
    on_effort: str | None,
    dropped: tuple[str, ...],
    refused: tuple[str, ...],
) -> Iterable[str]:
    """Yield where the chat is not sent as it was asked."""
    if on_effort is not None:
        yield on_effort
    if dropped:
        yield f"{endpoint.id} takes no {', '.join(dropped)}: left out"
    for how in filter(None, map(renaming, refused)):
        yield f"{endpoint.id} {how}"
