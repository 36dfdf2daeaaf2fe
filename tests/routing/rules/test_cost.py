"""What calls cost and may cost: every kind of token at its own price, at the tier that applies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.core.chat import Usage
from rolecall.registry.core.decisions import SpendLimit
from rolecall.registry.core.entities import Api, Endpoint, Price, PriceTier, Strategy
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.cost import (
    affordable_tokens,
    cost_of,
    filled_price,
    over_spend_limit,
    usd_at_most,
    usd_for,
)
from rolecall.registry.routing.rules.media_tokens import FAMILIES
from tests.routing.rules.candidates import candidate

PRICE = Price(3.0, 15.0, 0.3, 3.75)
TIERED = Price(
    *(2.0, 12.0, 0.2, 2.5),
    tiers=(
        PriceTier(400_000, 6.0, 24.0),
        PriceTier(200_000, 4.0, 18.0, cache_read_usd_per_mtok=0.4),
    ),
)
ENDPOINT = Endpoint("p/m", "m", price=PRICE)
TASK = Task("code", "declared", 1.0, "declared", input_tokens=1_000, input_tokens_declared=True)
STRATEGY = Strategy("balanced")


def cost(usage: Usage | None, price: Price | None) -> float | None:
    return cost_of(usage, filled_price(Endpoint("p/m", "m", price=price), STRATEGY))


def test_cached_tokens_are_part_of_the_input_and_priced_apart() -> None:
    usage = Usage(1_000, 100, cache_read_input_tokens=600, cache_write_input_tokens=100)
    expected = (300 * 3.0 + 600 * 0.3 + 100 * 3.75 + 100 * 15.0) / 1e6
    assert cost(usage, PRICE) == pytest.approx(expected)


def test_without_a_cache_price_cached_tokens_cost_what_fresh_ones_do() -> None:
    usage = Usage(1_000, 0, cache_read_input_tokens=600)
    assert cost(usage, Price(3.0, 15.0)) == pytest.approx(0.003)


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
    assert cost(usage, price) is None


@pytest.mark.parametrize("usage", [Usage(5, 5), Usage(5, None), None])
def test_a_free_endpoint_costs_nothing_and_not_an_unknown_amount(usage: Usage | None) -> None:
    assert cost(usage, Price(0.0, 0.0)) == 0.0
    assert cost(None, Price(0.0, 0.0, cache_write_usd_per_mtok=1.0)) is None


def test_a_ceiling_without_end_sets_no_limit() -> None:
    assert affordable_tokens(ENDPOINT, TASK, STRATEGY, 1e308) is None


def test_an_unknown_price_is_the_strategys_default() -> None:
    assert usd_for(Endpoint("p/m", "m"), STRATEGY, 1_000_000, 1_000_000) == 30.0


@pytest.mark.parametrize(
    ("price", "per_token"),
    [(None, 0.0), (Price(source="mine"), 0.0), (Price(1.0), 1.0), (Price(None, 2.0), 2.0)],
)
def test_a_local_endpoint_without_a_price_costs_nothing(price: Price, per_token: float) -> None:
    local = Endpoint("p/m", "m", locality="local", price=price)
    filled = filled_price(local, STRATEGY)
    assert usd_for(local, STRATEGY, 1_000_000, 1_000_000) == per_token
    assert filled.source == "default"
    assert cost_of(Usage(5, 5), filled) == (0.0 if per_token == 0 else None)


def test_an_hour_in_the_cache_costs_what_is_asked_for_it_else_twice_the_input() -> None:
    usage = Usage(1_000, 0, cache_write_input_tokens=800, cache_write_1h_input_tokens=500)
    assert cost(usage, PRICE) == pytest.approx((200 * 3.0 + 300 * 3.75 + 500 * 6.0) / 1e6)
    stated = replace(PRICE, cache_write_1h_usd_per_mtok=9.0)
    assert cost(usage, stated) == pytest.approx((200 * 3.0 + 300 * 3.75 + 500 * 9.0) / 1e6)
    plain = Price(3.0, 15.0)
    assert cost(usage, plain) == pytest.approx(1_000 * 3.0 / 1e6), "nothing is asked for writing"


def test_audio_and_reasoning_have_their_own_prices() -> None:
    price = Price(
        *(0.3, 2.5),
        input_audio_usd_per_mtok=1.0,
        output_audio_usd_per_mtok=8.0,
        reasoning_usd_per_mtok=4.0,
    )
    usage = Usage(
        *(1_000, 100),
        cache_read_input_tokens=100,
        reasoning_output_tokens=50,
        audio_input_tokens=600,
        audio_output_tokens=20,
    )
    expected = (300 * 0.3 + 100 * 0.3 + 600 * 1.0 + 30 * 2.5 + 50 * 4.0 + 20 * 8.0) / 1e6
    assert cost(usage, price) == pytest.approx(expected)
    plain = (1_000 * 0.3 + 100 * 2.5) / 1e6
    assert cost(usage, Price(0.3, 2.5)) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("input_tokens", "rates"),
    [
        (200_000, (2.0, 12.0)),
        (200_001, (4.0, 18.0)),
        (400_000, (4.0, 18.0)),
        (400_001, (6.0, 24.0)),
    ],
)
def test_a_whole_request_pays_the_highest_tier_that_its_input_has_passed(
    input_tokens: int, rates: tuple[float, float]
) -> None:
    incoming, outgoing = rates
    paid = (input_tokens * incoming + 1_000 * outgoing) / 1e6
    endpoint = Endpoint("p/m", "m", price=TIERED)
    assert cost(Usage(input_tokens, 1_000), TIERED) == pytest.approx(paid)
    assert usd_for(endpoint, STRATEGY, input_tokens, 1_000) == pytest.approx(paid)


def test_cached_tokens_count_for_the_tier_and_pay_its_price() -> None:
    usage = Usage(250_000, 0, cache_read_input_tokens=240_000)
    assert cost(usage, TIERED) == pytest.approx((10_000 * 4.0 + 240_000 * 0.4) / 1e6)


def test_what_a_tier_leaves_out_rises_with_its_input() -> None:
    usage = Usage(250_000, 0, cache_write_input_tokens=250_000)
    assert cost(usage, TIERED) == pytest.approx(250_000 * 5.0 / 1e6), "2.5 times 4 / 2"
    unstated = Price(2.0, 12.0, 0.2, tiers=(PriceTier(100, 4.0),))
    read = Usage(1_000, 0, cache_read_input_tokens=1_000)
    assert cost(read, unstated) == pytest.approx(1_000 * 4.0 / 1e6), "never under its plain input"


def test_near_a_threshold_the_worst_case_is_that_of_the_dearer_tier() -> None:
    endpoint = Endpoint("p/m", "m", price=Price(2.0, 12.0, tiers=TIERED.tiers[1:]))
    most = (210_000,) * len(FAMILIES)
    near = Task("code", "declared", 1.0, "declared", input_tokens=190_000, most_input_tokens=most)
    assert usd_at_most(endpoint, STRATEGY, near, 1_000) == pytest.approx(
        (210_000 * 4.0 + 1_000 * 18.0) / 1e6
    )
    sure = replace(near, most_input_tokens=(), input_tokens_declared=True)
    paid = (190_000 * 2.0 + 1_000 * 12.0) / 1e6
    assert usd_at_most(endpoint, STRATEGY, sure, 1_000) == pytest.approx(paid)


def test_what_is_known_of_a_broken_call_takes_the_place_of_its_worst_case() -> None:
    seen = Usage(500, None, cache_read_input_tokens=400)
    paid = (100 * 3.0 + 400 * 0.3 + 2_000 * 15.0) / 1e6
    assert usd_at_most(ENDPOINT, STRATEGY, TASK, 2_000, seen) == pytest.approx(paid)


def test_an_endpoint_of_unknown_price_passes_no_limit() -> None:
    unknown = Endpoint("p/m", "m")
    sources = (("price", "default"),)
    limit = SpendLimit(1e9, "at most $1e9")
    guessed = candidate("p/m")._replace(sources=sources)  # type: ignore[arg-type]
    against = over_spend_limit(guessed, unknown, TASK, STRATEGY, limit)
    assert against is not None
    assert (against.code, against.detail) == ("BUDGET_EXCEEDED", "price unknown; at most $1e9")
    local = guessed._replace(locality="local")
    at_home = replace(unknown, locality="local")
    assert over_spend_limit(local, at_home, TASK, STRATEGY, SpendLimit(0.0, "nothing")) is None


RATES = st.none() | st.floats(0, 100)
TIERS = st.lists(
    st.builds(PriceTier, st.integers(1, 5_000), *[RATES] * 8),
    max_size=3,
    unique_by=lambda tier: tier.above_tokens,
).map(tuple)
KNOWN = st.floats(0, 100)
PRICES = st.builds(Price, KNOWN, KNOWN, *[RATES] * 6, tiers=TIERS)


def rising(price: Price) -> Price:
    """Return the price with tiers that never cost less than what is below them."""
    tiers = [PriceTier(0)]
    base = [price.input_usd_per_mtok or 0.0, price.output_usd_per_mtok or 0.0]
    for tier in sorted(price.tiers, key=lambda one: one.above_tokens):
        base[0] = max(base[0], tier.input_usd_per_mtok or 0.0)
        base[1] = max(base[1], tier.output_usd_per_mtok or 0.0)
        tiers.append(PriceTier(tier.above_tokens, *base))
    return Price(price.input_usd_per_mtok, price.output_usd_per_mtok, tiers=tuple(tiers[1:]))


@given(PRICES.map(rising), *[st.integers(0, 6_000)] * 4)
def test_more_tokens_never_cost_less(
    price: Price, input_tokens: int, more: int, output_tokens: int, longer: int
) -> None:
    less = cost(Usage(input_tokens, output_tokens), price)
    dearer = cost(Usage(input_tokens + more, output_tokens + longer), price)
    assert less is not None
    assert dearer is not None
    assert less <= dearer * (1 + 1e-12)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Return counts as a server may tell them: parts add up to no more than their whole."""
    read, written, heard, other = (draw(st.integers(0, 2_000)) for _ in range(4))
    thought, spoken, said = (draw(st.integers(0, 2_000)) for _ in range(3))
    return Usage(
        *(read + written + heard + other, thought + spoken + said, read, written, thought),
        cache_write_1h_input_tokens=draw(st.integers(0, written)),
        audio_input_tokens=heard,
        audio_output_tokens=spoken,
    )


@given(PRICES, usages(), st.integers(0, 2_000), st.integers(0, 2_000))
def test_the_worst_case_is_never_under_what_is_booked(
    price: Price, usage: Usage, spare_input: int, spare_output: int
) -> None:
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    endpoint = Endpoint("p/m", "m", price=price)
    task = replace(
        TASK,
        input_tokens=usage.input_tokens + spare_input,
        modalities=("text", "audio"),
        parameters=("modalities",),
        cache_ttl="1h",
    )
    most = usage.output_tokens + spare_output
    booked = cost(usage, price)
    assert booked is not None
    # Once the input is known, the rest is still a worst case.
    for seen in (None, replace(usage, output_tokens=None)):
        worst = usd_at_most(endpoint, STRATEGY, task, most, seen)
        assert worst is not None
        assert booked <= worst * (1 + 1e-12)


@given(PRICES, st.integers(0, 5_000), st.floats(0, 1))
def test_what_is_affordable_is_paid_for_at_worst(price: Price, size: int, limit: float) -> None:
    endpoint, task = Endpoint("p/m", "m", price=price), replace(TASK, input_tokens=size)
    count = affordable_tokens(endpoint, task, STRATEGY, limit)
    if count is not None and count >= 0:
        worst = usd_at_most(endpoint, STRATEGY, task, count)
        assert worst is not None
        assert worst <= limit + 1e-9


def test_what_is_affordable_never_costs_more_than_the_ceiling() -> None:
    count = affordable_tokens(ENDPOINT, TASK, STRATEGY, 0.02)
    assert count is not None
    assert count > 0
    worst = (1_000 * 3.75 + count * 15.0) / 1e6  # if all of it is written to a cache
    assert worst <= 0.02 < worst + 15.0 / 1e6


@pytest.mark.parametrize(
    ("api", "ttl", "price"),
    [
        ("anthropic", None, 3.0),
        ("anthropic", "5m", 3.75),
        ("anthropic", "1h", 6.0),
        ("openai", None, 3.75),
    ],
)
def test_the_worst_input_is_written_to_a_cache_only_where_that_may_be(
    api: Api, ttl: str | None, price: float
) -> None:
    endpoint, task = replace(ENDPOINT, api=api), replace(TASK, cache_ttl=ttl)
    assert usd_at_most(endpoint, STRATEGY, task, 0) == pytest.approx(1_000 * price / 1e6)


def test_the_sound_of_a_video_may_cost_what_audio_does() -> None:
    price = Price(0.3, 2.5, input_audio_usd_per_mtok=1.0)
    endpoint = replace(ENDPOINT, api="gemini", price=price)
    for modality, per_mtok in (("image", 0.3), ("video", 1.0), ("audio", 1.0)):
        task = replace(TASK, modalities=("text", modality))
        worst = usd_at_most(endpoint, STRATEGY, task, 0)
        assert worst == pytest.approx(task.input_tokens * per_mtok / 1e6)


def test_an_estimated_input_is_paid_for_at_the_most_that_it_may_be() -> None:
    most = tuple(TASK.input_tokens + 100 * (place + 1) for place in range(len(FAMILIES)))
    estimated = replace(TASK, input_tokens_declared=False, most_input_tokens=most, cache_ttl="5m")
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
    assert usd_at_most(ENDPOINT, STRATEGY, unknown, 10) is None
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
