"""What a call cost, and what it may cost at worst."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rolecall.registry.core.decisions import PRICE_UNKNOWN, Candidate, Exclusion, SpendLimit
from rolecall.registry.core.entities import Endpoint, Price, PriceTier, Source, Strategy
from rolecall.registry.core.formatting import usd
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.token_estimate import most_input_tokens

if TYPE_CHECKING:
    from rolecall.registry.core.chat import Usage

_NO_PRICE = Price()
UNKNOWN_SIZE = "the size of an attachment is unknown"
_NO_LIMIT = 1e12  # tokens: more than any answer has
_ANY_LENGTH = 10**12  # tokens: more than any input has
# What Anthropic asks for a token kept for an hour, in terms of a token read.
_HOUR_FACTOR = 2.0
# By how much a tier raises at most what it says nothing of; those listed raise it fourfold.
_STEEPEST = 10.0


class Amounts(NamedTuple):
    """How many tokens of each kind; `input` and `output` include all others."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output_audio: int = 0
    reasoning: int = 0


class Rates(NamedTuple):
    """USD per million tokens of each kind, for a request whose input is of one size."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_write_1h: float
    input_audio: float
    output_audio: float
    reasoning: float

    def usd(self, tokens: Amounts) -> float:
        """Return what so many tokens cost: the one place where prices are multiplied."""
        for_an_hour = min(tokens.cache_write_1h, tokens.cache_write)
        fresh = max(tokens.input - tokens.cache_read - tokens.cache_write, 0)
        heard = min(tokens.input_audio, fresh)
        spoken = min(tokens.output_audio, tokens.output)
        thought = min(tokens.reasoning, tokens.output - spoken)
        per_million = (
            (fresh - heard) * self.input
            + heard * self.input_audio
            + tokens.cache_read * self.cache_read
            + (tokens.cache_write - for_an_hour) * self.cache_write
            + for_an_hour * self.cache_write_1h
            + (tokens.output - spoken - thought) * self.output
            + thought * self.reasoning
            + spoken * self.output_audio
        )
        return per_million / 1e6

    def dearest_input(self, endpoint: Endpoint, task: Task) -> float:
        """Return the most that a token of the task's input may cost at an endpoint.

        Anthropic's API writes to its cache what is asked to be kept; others may of their own
        accord, though never for an hour.
        """
        rates = [self.input, self.cache_read]
        if task.cache_ttl is not None or endpoint.api != "anthropic":
            rates.append(self.cache_write)
        if task.cache_ttl == "1h":
            rates.append(self.cache_write_1h)
        if hears(task) or "video" in task.modalities:  # a video has a sound track
            rates.append(self.input_audio)
        return max(rates)

    def dearest_output(self, task: Task) -> float:
        """Return the most that a token of the task's answer may cost."""
        speaks = "modalities" in task.parameters or "audio" in task.parameters
        return max(self.output, self.reasoning, self.output_audio if speaks else 0.0)


class FilledPrice(NamedTuple):
    """A price without gaps; `source` is `default` where a gap was filled.

    `levels` are the rates above each number of input tokens, the lowest first; `told_by` is where
    the price was read.
    """

    levels: tuple[tuple[int, Rates], ...]
    source: Source
    told_by: str | None

    def level(self, input_tokens: int) -> tuple[int, Rates]:
        """Return what a request pays whose whole input is so long: the highest tier passed.

        Before it stands above how many tokens that begins, below 0 where it is no tier.
        """
        found = self.levels[0]
        for level in self.levels[1:]:
            if input_tokens > level[0]:
                found = level
        return found

    def rates_at_most(self, input_tokens: int) -> Rates:
        """Return the highest rates that a request of at most so much input may pay."""
        within = [rates for above, rates in self.levels if input_tokens > above]
        return within[0] if len(within) == 1 else Rates(*map(max, zip(*within, strict=True)))

    @property
    def is_free(self) -> bool:
        """Whether every token costs nothing."""
        return not any(any(rates) for _, rates in self.levels)


def filled_price(endpoint: Endpoint, strategy: Strategy) -> FilledPrice:
    """Return what an endpoint asks for; the strategy's defaults stand for what is unknown.

    A local endpoint bills nobody: there the default is 0.
    """
    if endpoint.is_local:
        return _filled(endpoint.price or _NO_PRICE, 0.0, 0.0)
    return _filled(
        endpoint.price or _NO_PRICE,
        strategy.default_input_usd_per_mtok,
        strategy.default_output_usd_per_mtok,
    )


def known_price(price: Price) -> FilledPrice:
    """Return the rates of a price whose input and output are known."""
    return _filled(price, 0.0, 0.0)


@lru_cache(maxsize=4096)
def _filled(price: Price, incoming: float, outgoing: float) -> FilledPrice:
    source: Source = "declared" if _is_known(price) else "default"
    levels = [(-1, _base_rates(price, incoming, outgoing))]
    for tier in sorted(price.tiers, key=lambda one: one.above_tokens):
        levels.append((tier.above_tokens, _tier_rates(tier, levels[0][1])))
    return FilledPrice(tuple(levels), source, price.source)


def _base_rates(price: Price, incoming: float, outgoing: float) -> Rates:
    incoming = _known(price.input_usd_per_mtok, incoming)
    outgoing = _known(price.output_usd_per_mtok, outgoing)
    written = _known(price.cache_write_usd_per_mtok, incoming)
    is_billed_apart = price.cache_write_usd_per_mtok is not None
    hour = max(written, _HOUR_FACTOR * incoming) if is_billed_apart else incoming
    return Rates(
        incoming,
        outgoing,
        _known(price.cache_read_usd_per_mtok, incoming),
        written,
        _known(price.cache_write_1h_usd_per_mtok, hour),
        _known(price.input_audio_usd_per_mtok, incoming),
        _known(price.output_audio_usd_per_mtok, outgoing),
        _known(price.reasoning_usd_per_mtok, outgoing),
    )


def _tier_rates(tier: PriceTier, base: Rates) -> Rates:
    """Return a tier's rates; what it leaves out rises as its input (or output) does."""
    incoming = _known(tier.input_usd_per_mtok, base.input)
    outgoing = _known(tier.output_usd_per_mtok, base.output)

    def raised(told: float | None, below: float, *, is_input: bool) -> float:
        plain, was = (incoming, base.input) if is_input else (outgoing, base.output)
        factor = min(plain / was, _STEEPEST) if was else 1.0
        return _known(told, max(plain, below * factor))

    return Rates(
        incoming,
        outgoing,
        raised(tier.cache_read_usd_per_mtok, base.cache_read, is_input=True),
        raised(tier.cache_write_usd_per_mtok, base.cache_write, is_input=True),
        raised(tier.cache_write_1h_usd_per_mtok, base.cache_write_1h, is_input=True),
        raised(tier.input_audio_usd_per_mtok, base.input_audio, is_input=True),
        raised(tier.output_audio_usd_per_mtok, base.output_audio, is_input=False),
        raised(tier.reasoning_usd_per_mtok, base.reasoning, is_input=False),
    )


def cost_of(usage: Usage | None, asks: FilledPrice) -> float | None:
    """Return the USD that a call cost by what it used; null where either is unknown.

    What is free costs nothing, whatever was used.
    """
    if asks.is_free:
        return 0.0
    if usage is None or asks.source == "default":
        return None
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return asks.level(usage.input_tokens)[1].usd(_amounts(usage))


def _amounts(usage: Usage) -> Amounts:
    """Return what was used; of what is not known there was none."""
    return Amounts(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_input_tokens or 0,
        usage.cache_write_input_tokens or 0,
        usage.cache_write_1h_input_tokens or 0,
        usage.audio_input_tokens or 0,
        usage.audio_output_tokens or 0,
        usage.reasoning_output_tokens or 0,
    )


def is_unpriced(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint may ask for something, and nobody knows what."""
    return not endpoint.is_local and not _is_known(endpoint.price or _NO_PRICE)


def usd_for(endpoint: Endpoint, strategy: Strategy, input_tokens: int, output_tokens: int) -> float:
    """Return the USD for so many tokens, by the strategy's default where no price is known."""
    _, rates = filled_price(endpoint, strategy).level(input_tokens)
    return rates.usd(Amounts(input_tokens, output_tokens))


def hears(task: Task) -> bool:
    """Tell whether audio is attached; all of the input is then taken for audio."""
    return "audio" in task.modalities


def usd_at_most(
    endpoint: Endpoint,
    strategy: Strategy,
    task: Task,
    output_tokens: int,
    seen: Usage | None = None,
) -> float | None:
    """Return the USD of a call at worst, of which some usage may have been `seen`.

    Input that is not known is the longest that the task's can be, all of it of the dearest kind
    and at the dearest tier that it may reach; output that is not known, `output_tokens` of the
    dearest kind. Null where nobody knows how long the input is, unless input is free.
    """
    if seen is None or seen.input_tokens is None:
        most, rates = _most_input(endpoint, strategy, task)
        dearest = rates.dearest_input(endpoint, task)
        if most is None and dearest:
            return None
        input_usd = (most or 0) * dearest / 1e6
    else:
        _, rates = filled_price(endpoint, strategy).level(seen.input_tokens)
        input_usd = rates.usd(_amounts(seen)._replace(output=0))
    if seen is not None and seen.output_tokens is not None:
        output_tokens = seen.output_tokens
    return input_usd + output_tokens * rates.dearest_output(task) / 1e6


def _most_input(endpoint: Endpoint, strategy: Strategy, task: Task) -> tuple[int | None, Rates]:
    """Return the most tokens that a task's input is, null if unknown, and the rates it may pay."""
    most = most_input_tokens(task, endpoint)
    price = filled_price(endpoint, strategy)
    return most, price.rates_at_most(_ANY_LENGTH if most is None else most)


def affordable_tokens(
    endpoint: Endpoint, task: Task, strategy: Strategy, limit_usd: float
) -> int | None:
    """Return how many output tokens `limit_usd` pays for after the input; null: any number.

    Below 0 where it does not even pay for the input, or where that may be of any length.
    """
    worst_usd = usd_at_most(endpoint, strategy, task, 0)
    if worst_usd is None or worst_usd > limit_usd:
        return -1
    _, rates = _most_input(endpoint, strategy, task)
    dearest = rates.dearest_output(task)
    if dearest == 0:
        return None
    count = (limit_usd - worst_usd) * 1e6 / dearest + 1e-9
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
    if candidate.is_unpriced:
        detail = f"{PRICE_UNKNOWN}; {spend_limit.because}"
        return Exclusion(candidate.endpoint, "BUDGET_EXCEEDED", detail)
    unknown = of_unknown_cost(candidate, endpoint, task, strategy, spend_limit.because)
    if unknown is not None:
        return unknown
    affordable = affordable_tokens(endpoint, task, strategy, spend_limit.usd)
    if affordable is None:
        return None
    if task.max_tokens is not None:
        if task.max_tokens <= affordable:
            return None
        worst = usd_at_most(endpoint, strategy, task, task.max_tokens) or 0.0
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
    if usd_at_most(endpoint, strategy, task, 0) is not None:
        return None
    detail = f"{UNKNOWN_SIZE}; {because}"
    return Exclusion(candidate.endpoint, "BUDGET_EXCEEDED", detail)


def _is_known(price: Price) -> bool:
    return price.input_usd_per_mtok is not None and price.output_usd_per_mtok is not None


def _known(price: float | None, otherwise: float) -> float:
    return otherwise if price is None else price
