"""What an answer cost, by the usage that each API tells: once, twice, not at all, cached."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Api, Price
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan

STREAM = pytest.mark.parametrize("stream", ["--stream", "--no-stream"])


@STREAM
@pytest.mark.parametrize("usage", ["twice", "missing", "null"])
@pytest.mark.parametrize("api", APIS)
def test_usage_that_is_told_twice_counts_once_and_what_is_not_told_is_unknown(
    serving: Serving, rolecall: Rolecall, api: Api, usage: str, stream: str
) -> None:
    serving.one(api)
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
        assert 0 < call.reserved_usd < 100e-6
        assert "cost unknown" in result.stderr
        assert "? in, ? out" in result.stderr
    assert serving.spent_usd() == pytest.approx(call.cost_usd or call.reserved_usd)


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
