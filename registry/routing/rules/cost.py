"""What a call cost, and what it may cost at worst."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rolecall.registry.core.decisions import Candidate, Exclusion, SpendLimit
from rolecall.registry.core.entities import Endpoint, Price, Source, Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.token_estimate import most_input_tokens

if TYPE_CHECKING:
    from rolecall.registry.core.chat import Usage

_NO_PRICE = Price()
UNKNOWN_SIZE = "the size of an attachment is unknown"
_NO_LIMIT = 1e12  # tokens: more than any answer has


class Prices(NamedTuple):
    """USD per million tokens; an unknown cache price is the input price.

    `source` is `default` where the strategy's figure is taken for an unknown price.
    """

    input: float
    output: float
    cache_read: float
    source: Source


def prices(endpoint: Endpoint, strategy: Strategy) -> Prices:
    """Return an endpoint's prices, the strategy's defaults for unknown ones."""
    price = endpoint.price or _NO_PRICE
    incoming, outgoing = price.input_usd_per_mtok, price.output_usd_per_mtok
    source: Source = "default" if incoming is None or outgoing is None else "declared"
    if incoming is None:
        incoming = strategy.default_input_usd_per_mtok
    if outgoing is None:
        outgoing = strategy.default_output_usd_per_mtok
    return Prices(
        incoming,
        outgoing,
        _known(price.cache_read_usd_per_mtok, incoming),
        source,
    )


def cost_of(usage: Usage | None, price: Price | None) -> float | None:
    """Return the USD that a call cost by what it used; null where either is unknown.

    Cached tokens are part of the input and are priced apart; where no cache price is known they
    cost what fresh input does. What is free costs nothing, whatever was used.
    """
    if price is not None and is_free(price):
        return 0.0
    if usage is None or price is None:
        return None
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    incoming, outgoing = price.input_usd_per_mtok, price.output_usd_per_mtok
    if incoming is None or outgoing is None:
        return None
    read = usage.cache_read_input_tokens or 0
    written = usage.cache_write_input_tokens or 0
    fresh = max(usage.input_tokens - read - written, 0)
    total = (
        fresh * incoming
        + read * _known(price.cache_read_usd_per_mtok, incoming)
        + written * _known(price.cache_write_usd_per_mtok, incoming)
        + usage.output_tokens * outgoing
    )
    return total / 1e6


def is_free(price: Price) -> bool:
    """Tell whether every token is known to cost nothing."""
    cached = (price.cache_read_usd_per_mtok, price.cache_write_usd_per_mtok)
    is_given_away = price.input_usd_per_mtok == 0 and price.output_usd_per_mtok == 0
    return is_given_away and not any(cached)


def usd_for(endpoint: Endpoint, strategy: Strategy, input_tokens: int, output_tokens: int) -> float:
    """Return the USD for so many tokens, by the strategy's default where no price is known."""
    price = prices(endpoint, strategy)
    return (input_tokens * price.input + output_tokens * price.output) / 1e6


def worst_usd(
    endpoint: Endpoint, strategy: Strategy, task: Task, output_tokens: int
) -> float | None:
    """Return the USD of a call at worst: its longest input, all of it written to a cache.

    Null where nobody knows how long the input is, unless input is free.
    """
    price = prices(endpoint, strategy)
    input_usd = _input_usd_at_most(endpoint, price, task)
    return None if input_usd is None else input_usd + output_tokens * price.output / 1e6


def _input_usd_at_most(endpoint: Endpoint, price: Prices, task: Task) -> float | None:
    written = (endpoint.price or _NO_PRICE).cache_write_usd_per_mtok
    per_million = max(price.input, _known(written, price.input))
    tokens = most_input_tokens(task, endpoint)
    if tokens is None:
        return None if per_million else 0.0
    return tokens * per_million / 1e6


def affordable_tokens(
    endpoint: Endpoint, task: Task, strategy: Strategy, limit_usd: float
) -> int | None:
    """Return how many output tokens `limit_usd` pays for after the input; null: any number.

    Below 0 where it does not even pay for the input, or where that may be of any length.
    """
    price = prices(endpoint, strategy)
    input_usd = _input_usd_at_most(endpoint, price, task)
    if input_usd is None:
        return -1
    left = limit_usd - input_usd
    if price.output == 0:
        return None if left >= 0 else -1
    count = left * 1e6 / price.output + 1e-9
    return math.floor(count) if count < _NO_LIMIT else None


def over_spend_limit(
    candidate: Candidate,
    endpoint: Endpoint,
    task: Task,
    strategy: Strategy,
    spend_limit: SpendLimit,
) -> Exclusion | None:
    """Return why an endpoint may cost more than the spend_limit allows, if it may.

    With `max_tokens` set, the answer is taken to be that long. Without, it can be cut off where
    the money ends, so the spend_limit only has to pay for the length that is expected.
    """
    unknown = of_unknown_cost(candidate, endpoint, task, strategy, spend_limit.because)
    if unknown is not None:
        return unknown
    affordable = affordable_tokens(endpoint, task, strategy, spend_limit.usd)
    if affordable is None:
        return None
    if task.max_tokens is not None:
        if task.max_tokens <= affordable:
            return None
        worst = worst_usd(endpoint, strategy, task, task.max_tokens) or 0.0
        detail = f"at worst {usd(worst, 'up')}; {spend_limit.because}"
    elif candidate.output_tokens <= affordable:
        return None
    else:
        detail = f"{candidate.output_tokens:,} output tokens cost more; {spend_limit.because}"
    return Exclusion(candidate.endpoint, "BUDGET_EXCEEDED", detail)


def of_unknown_cost(
    candidate: Candidate, endpoint: Endpoint, task: Task, strategy: Strategy, because: str
) -> Exclusion | None:
    """Return why a limit excludes an endpoint whose input may be of any length, if it may be."""
    if worst_usd(endpoint, strategy, task, 0) is not None:
        return None
    detail = f"{UNKNOWN_SIZE}; {because}"
    return Exclusion(candidate.endpoint, "BUDGET_EXCEEDED", detail)


def _known(price: float | None, otherwise: float) -> float:
    return otherwise if price is None else price
