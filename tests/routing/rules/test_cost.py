from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.registry.core.chat import Usage
from rolecall.registry.core.decisions import SpendLimit
from rolecall.registry.core.entities import Endpoint, Price, Strategy
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.cost import (
    affordable_tokens,
    cost_of,
    over_spend_limit,
    usd_for,
    worst_usd,
)
from rolecall.registry.routing.rules.media_tokens import FAMILIES
from tests.routing.rules.candidates import candidate

PRICE = Price(3.0, 15.0, 0.3, 3.75)
ENDPOINT = Endpoint("p/m", "m", price=PRICE)
TASK = Task("code", "declared", 1.0, "declared", input_tokens=1_000, input_tokens_declared=True)
STRATEGY = Strategy("balanced")


def test_cached_tokens_are_part_of_the_input_and_priced_apart() -> None:
    usage = Usage(1_000, 100, cache_read_input_tokens=600, cache_write_input_tokens=100)
    expected = (300 * 3.0 + 600 * 0.3 + 100 * 3.75 + 100 * 15.0) / 1e6
    assert cost_of(usage, PRICE) == pytest.approx(expected)


def test_without_a_cache_price_cached_tokens_cost_what_fresh_ones_do() -> None:
    usage = Usage(1_000, 0, cache_read_input_tokens=600)
    assert cost_of(usage, Price(3.0, 15.0)) == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("usage", "price"),
    [
        (None, PRICE),
        (Usage(None, 5), PRICE),
        (Usage(5, None), PRICE),
        (Usage(5, 5), None),
        (Usage(5, 5), Price(3.0, None)),
    ],
)
def test_what_is_not_known_costs_an_unknown_amount(usage: Usage, price: Price) -> None:
    assert cost_of(usage, price) is None


@pytest.mark.parametrize("usage", [Usage(5, 5), Usage(5, None), None])
def test_a_free_endpoint_costs_nothing_and_not_an_unknown_amount(usage: Usage | None) -> None:
    assert cost_of(usage, Price(0.0, 0.0)) == 0.0
    assert cost_of(None, Price(0.0, 0.0, cache_write_usd_per_mtok=1.0)) is None


def test_a_ceiling_without_end_sets_no_limit() -> None:
    assert affordable_tokens(ENDPOINT, TASK, STRATEGY, 1e308) is None


def test_an_unknown_price_is_the_strategys_default() -> None:
    assert usd_for(Endpoint("p/m", "m"), STRATEGY, 1_000_000, 1_000_000) == 30.0


def test_what_is_affordable_never_costs_more_than_the_ceiling() -> None:
    count = affordable_tokens(ENDPOINT, TASK, STRATEGY, 0.02)
    assert count is not None
    assert count > 0
    worst = (1_000 * 3.75 + count * 15.0) / 1e6
    assert worst <= 0.02 < worst + 15.0 / 1e6


def test_an_estimated_input_is_paid_for_at_the_most_that_it_may_be() -> None:
    most = tuple(TASK.input_tokens + 100 * (place + 1) for place in range(len(FAMILIES)))
    estimated = replace(TASK, input_tokens_declared=False, most_input_tokens=most)
    by_endpoint = [
        affordable_tokens(endpoint, estimated, STRATEGY, 0.02)
        for endpoint in (
            replace(ENDPOINT, api="anthropic"),
            replace(ENDPOINT, remote_model="anthropic/claude-opus-4-7"),
            replace(ENDPOINT, api="gemini"),
            replace(ENDPOINT, remote_model="gpt-5"),
            replace(ENDPOINT, remote_model="gpt-4o-mini-2024-07-18"),
            ENDPOINT,
        )
    ]
    price = ENDPOINT.price
    assert price is not None
    assert price.input_usd_per_mtok is not None
    assert price.output_usd_per_mtok is not None
    step = 100 * max(price.input_usd_per_mtok, price.cache_write_usd_per_mtok or 0)
    sure = affordable_tokens(ENDPOINT, TASK, STRATEGY, 0.02)
    assert sure is not None
    fewer = step / price.output_usd_per_mtok
    assert by_endpoint == [pytest.approx(sure - fewer * n, abs=1) for n in (1, 1, 2, 3, 4, 5)]


def test_an_input_of_unknown_size_is_never_affordable_unless_it_is_free() -> None:
    unknown = replace(TASK, most_input_tokens=(None,) * len(FAMILIES))
    limit = SpendLimit(1_000.0, "at most $1,000")
    assert worst_usd(ENDPOINT, STRATEGY, unknown, 10) is None
    assert affordable_tokens(ENDPOINT, unknown, STRATEGY, 1_000.0) == -1
    against = over_spend_limit(candidate("p/m"), ENDPOINT, unknown, STRATEGY, limit)
    assert against is not None
    assert against.detail == "the size of an attachment is unknown; at most $1,000"
    free = Endpoint("p/m", "m", price=Price(0.0, 0.0))
    assert over_spend_limit(candidate("p/m"), free, unknown, STRATEGY, limit) is None


def test_what_costs_nothing_is_affordable_in_any_length() -> None:
    free = Endpoint("p/m", "m", price=Price(0.0, 0.0))
    assert affordable_tokens(free, TASK, STRATEGY, 0.0) is None


def test_with_max_tokens_the_worst_case_must_fit() -> None:
    spend_limit = SpendLimit(0.02, "at most $0.02")
    asked = replace(TASK, max_tokens=2_000)
    against = over_spend_limit(candidate("p/m"), ENDPOINT, asked, STRATEGY, spend_limit)
    assert against is not None
    assert against.code == "BUDGET_EXCEEDED"
    assert against.detail == "at worst $0.0338; at most $0.02"
    few = replace(TASK, max_tokens=500)
    assert over_spend_limit(candidate("p/m"), ENDPOINT, few, STRATEGY, spend_limit) is None


def test_without_max_tokens_the_expected_length_must_fit() -> None:
    short = candidate("p/m")._replace(output_tokens=500)
    long = candidate("p/m")._replace(output_tokens=5_000)
    spend_limit = SpendLimit(0.02, "at most $0.02")
    assert over_spend_limit(short, ENDPOINT, TASK, STRATEGY, spend_limit) is None
    assert over_spend_limit(long, ENDPOINT, TASK, STRATEGY, spend_limit) is not None
