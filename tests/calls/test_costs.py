"""What an answer cost, by the usage that each API tells: once, twice, not at all, cached."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Api, Locality, Price, PriceTier
from tests.calls.matrix import APIS
from tests.calls.serving import PLAIN, Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan

STREAM = pytest.mark.parametrize("stream", ["--stream", "--no-stream"])


@STREAM
@pytest.mark.parametrize("usage", ["twice", "missing", "null"])
@pytest.mark.parametrize("api", APIS)
def test_usage_that_is_told_twice_counts_once_and_what_is_not_told_is_unknown(
    serving: Serving, rolecall: Rolecall, api: Api, usage: str, stream: str
) -> None:
    serving.one(api, capabilities=PLAIN)
    serving.server.plan("m", Plan(usage=usage))  # type: ignore[arg-type]
    result = rolecall("ask", "hello", stream, "--json")
    told = json.loads(result.stdout)
    [call] = serving.calls()
    tokens = (told["usage"]["input_tokens"], told["usage"]["output_tokens"])
    assert result.exit_code == 0
    assert told["cost_usd"] == call.cost_usd
    if usage == "twice":
        assert tokens == (12, 8)
        assert call.cost_usd == pytest.approx(28e-6)
        assert (call.price_source, call.reserved_usd) == ("test", None)
    else:
        assert tokens == (None, None)
        assert (call.cost_usd, call.price_source) == (None, None)
        assert call.reserved_usd is not None
        assert 0 < call.reserved_usd < 200e-6, "its text bounds its tokens"
        assert told["reserved_usd"] == call.reserved_usd
        assert "cost unknown, at most $0.00" in result.stderr
        assert "? in, ? out" in result.stderr
    assert serving.spent_usd() == pytest.approx(call.cost_usd or call.reserved_usd)


@STREAM
@pytest.mark.parametrize("locality", ["local", "remote"])
def test_what_the_server_says_is_taken_where_no_price_is_known(
    serving: Serving, rolecall: Rolecall, locality: Locality, stream: str
) -> None:
    serving.one(price=None, locality=locality)
    serving.server.plan("m", Plan(told_usd=0.0125))
    result = rolecall("ask", "hello", stream, "--json")
    [call] = serving.calls()
    assert json.loads(result.stdout)["cost_usd"] == call.cost_usd == 0.0125
    assert (call.price_source, call.reserved_usd) == ("server", None)
    assert serving.spent_usd() == pytest.approx(0.0125)
    assert "$0.0125" in result.stderr


@pytest.mark.parametrize("usage", ["missing", "null"])
def test_without_any_figure_the_cost_stays_unknown(
    serving: Serving, rolecall: Rolecall, usage: str
) -> None:
    serving.one(price=None)
    serving.server.plan("m", Plan(usage=usage, told_usd=0.1))  # type: ignore[arg-type]
    assert json.loads(rolecall("ask", "hello", "--json").stdout)["cost_usd"] is None


def test_a_known_price_is_booked_and_a_server_that_says_otherwise_is_quoted(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan("m", Plan(told_usd=0.0125))
    result = rolecall("ask", "hello", "--json")
    said = (
        "openai/m says that this cost $0.0125; by its price here, which is booked, $0.000028: "
        "rolecall endpoints edit openai/m"
    )
    assert json.loads(result.stdout)["notes"] == [said]
    assert f"note: {said}" in result.stderr
    [call] = serving.calls()
    assert call.cost_usd == pytest.approx(28e-6)
    assert call.price_source == "test"
    serving.server.plan("m", Plan(told_usd=29e-6))
    assert json.loads(rolecall("ask", "hello", "--json").stdout)["notes"] == []


TIERED = Price(1.0, 2.0, tiers=(PriceTier(1_000, 3.0, 5.0),), source="test")


@pytest.mark.parametrize(("size", "cost_usd"), [(1_000, 0.001016), (1_001, 0.003043)])
@pytest.mark.parametrize("api", APIS)
def test_a_call_is_booked_at_the_tier_that_it_reached(
    serving: Serving, rolecall: Rolecall, api: Api, size: int, cost_usd: float
) -> None:
    serving.one(api, price=TIERED)
    serving.server.plan("m", Plan(input_tokens=size))
    told = json.loads(rolecall("ask", "hello", "--json").stdout)
    assert told["cost_usd"] == pytest.approx(cost_usd)


def test_a_decision_and_its_limit_take_the_tier_that_applies(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(price=TIERED)
    words = ("route", "hello", "--max-tokens", "100", "--json", "--input-tokens")
    for size, incoming, outgoing in (("1000", 1, 2), ("1001", 3, 5)):
        [candidate] = json.loads(rolecall(*words, size).stdout)["candidates"]
        paid = (int(size) * incoming + candidate["output_tokens"] * outgoing) / 1e6
        expected = paid / (1 - candidate["failure_rate"])
        assert candidate["cost_usd"] == pytest.approx(expected, rel=1e-5)
    assert rolecall(*words, "1001", "--max-cost", "0.003").exit_code == 6


def test_a_tool_call_that_nobody_counts_is_bounded_by_its_name_and_arguments(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN)
    call = ("get_weather", json.dumps({"city": "Oslo"}))
    serving.server.plan("m", Plan(usage="missing", tool_calls=(call,)))
    assert rolecall("ask", "hello", "--input-tokens", "10").exit_code == 0
    [stored] = serving.calls()
    seen = len(call[0]) + len(call[1])
    assert stored.reserved_usd == pytest.approx((10 + (seen + 32) * 2) / 1e6)


def test_where_thinking_may_be_hidden_the_text_bounds_nothing(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(max_output_tokens=1_000)
    serving.server.plan("m", Plan(usage="missing"))
    assert rolecall("ask", "hello", "--input-tokens", "10").exit_code == 0
    [call] = serving.calls()
    assert call.cost_usd is None
    assert call.reserved_usd == pytest.approx((10 * 1.0 + 1_000 * 2.0) / 1e6)


def test_a_cost_that_is_not_told_is_taken_for_no_more_than_was_reserved(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    serving.server.plan("m", Plan(usage="missing"))
    asked = ("ask", "hello", "--input-tokens", "6", "--max-tokens", "1")
    assert rolecall(*asked).exit_code == 0
    [call] = serving.calls()
    # At worst the 6 tokens in that were declared, and 1 out.
    assert call.reserved_usd == pytest.approx((6 * 1.0 + 1 * 2.0) / 1e6)
    assert serving.spent_usd() == pytest.approx(call.reserved_usd)


@STREAM
@pytest.mark.parametrize("api", APIS)
def test_cached_tokens_are_part_of_the_input_and_have_their_own_price(
    serving: Serving, rolecall: Rolecall, api: Api, stream: str
) -> None:
    serving.one(api, price=Price(1.0, 2.0, cache_read_usd_per_mtok=0.1, source="test"))
    serving.server.plan("m", Plan(input_tokens=100, cached_tokens=60))
    told = json.loads(rolecall("ask", "hello", stream, "--json").stdout)
    assert told["usage"]["input_tokens"] == 100
    assert told["usage"]["cache_read_input_tokens"] == 60
    assert told["cost_usd"] == pytest.approx((40 * 1.0 + 60 * 0.1 + 8 * 2.0) / 1e6)


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_tokens_written_to_a_cache_have_their_own_price(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    price = Price(1.0, 2.0, cache_read_usd_per_mtok=0.1, cache_write_usd_per_mtok=1.25)
    serving.one(api, price=price)
    serving.server.plan("m", Plan(input_tokens=100, cached_tokens=60, cache_write_tokens=30))
    told = json.loads(rolecall("ask", "hello", "--json").stdout)
    assert told["usage"]["input_tokens"] == 100
    assert told["usage"]["cache_write_input_tokens"] == 30
    assert told["cost_usd"] == pytest.approx((10 + 60 * 0.1 + 30 * 1.25 + 8 * 2) / 1e6)


@pytest.mark.parametrize("api", APIS)
def test_a_price_of_nothing_is_known_to_be_nothing(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api, price=Price(0.0, 0.0, source="local"))
    told = json.loads(rolecall("ask", "hello", "--json", "--max-cost", "0").stdout)
    assert told["cost_usd"] == 0
    [call] = serving.calls()
    assert (call.cost_usd, call.price_source) == (0.0, "local")


def test_the_time_to_load_a_model_is_not_in_the_time_to_its_first_token(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one("ollama")
    serving.server.plan("m", Plan(load_s=0.3, first_delay_s=0.1))
    assert rolecall("ask", "hello").exit_code == 0
    [call] = serving.calls()
    assert call.load_duration_s == pytest.approx(0.3)
    assert call.time_to_first_chunk_s is not None
    assert 0.09 < call.time_to_first_chunk_s < 0.25
    assert call.duration_s is not None
    assert call.duration_s > 0.39
