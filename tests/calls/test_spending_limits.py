"""`--max-cost` and budgets: checked against the worst case, and never crossed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.events import Asking, AskRequest
from rolecall.registry.core.chat import Chat, Text, TextDelta, Turn
from rolecall.registry.core.entities import Api, Price
from rolecall.registry.core.errors import BudgetExceeded
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.editing.open import open_registry
from tests.calls.matrix import APIS
from tests.calls.serving import PLAIN, Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

# "hello" is taken for some 10 tokens in and 20 out, a letter as some 20 in and 200 out: about
# $0.0004 at $1 and $2 a million.
PLENTY, ENOUGH, TOO_LITTLE = "0.01", "0.0008", "0.000001"
LETTER = "Write an email to my team about the new schedule"


def sent_limit(api: Api, body: dict[str, Any]) -> int | None:
    """Return the most output tokens that a request asks for."""
    found: int | None
    match api:
        case "gemini":
            found = body.get("generationConfig", {}).get("maxOutputTokens")
        case "ollama":
            found = body.get("options", {}).get("num_predict")
        case _:
            found = body.get("max_completion_tokens", body.get("max_tokens"))
    return found


@pytest.mark.parametrize("api", APIS)
def test_without_max_tokens_the_answer_is_cut_where_the_money_ends(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api, capabilities=PLAIN, max_output_tokens=8000)
    assert rolecall("ask", "hello", "--max-cost", ENOUGH).exit_code == 0
    limit = sent_limit(api, serving.body())
    assert limit is not None
    assert 345 < limit <= 400  # at $2 a million, $0.0008 pays for 400 tokens, less the input
    rolecall("ask", "hello", "--max-cost", "9")
    assert sent_limit(api, serving.body()) in (8000, None)


@pytest.mark.parametrize("api", APIS)
def test_max_tokens_are_sent_and_must_be_paid_for(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api, capabilities=PLAIN)
    fits = rolecall("ask", "hello", "--max-cost", ENOUGH, "--max-tokens", "300")
    assert fits.exit_code == 0
    assert sent_limit(api, serving.body()) == 300
    over = rolecall("ask", "hello", "--max-cost", ENOUGH, "--max-tokens", "500")
    assert (over.exit_code, over.stdout) == (6, "")
    assert "BUDGET_EXCEEDED" in over.stderr
    assert len(serving.server.requests) == len(serving.calls()) == 1


def test_too_little_money_exits_6_and_sends_nothing(serving: Serving, rolecall: Rolecall) -> None:
    serving.one(capabilities=PLAIN)
    result = rolecall("ask", "hello", "--max-cost", TOO_LITTLE)
    assert (result.exit_code, result.stdout) == (6, "")
    assert (serving.server.requests, serving.calls()) == ([], [])


def test_an_endpoint_that_may_cost_too_much_is_passed_over(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.register(
        Served(endpoint="openai/dear", model="same", price=Price(100.0, 200.0), capabilities=PLAIN),
        Served(endpoint="gemini/cheap", api="gemini", model="same", capabilities=PLAIN),
    )
    serving.server.plan("cheap", Plan(fault="bad_request"))
    result = rolecall("ask", "hello", "--max-cost", ENOUGH)
    assert result.exit_code == 4
    assert serving.server.received("dear") == []


def test_what_a_broken_attempt_may_have_cost_is_not_spent_again(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(
        Plan(text="many words " * 40, fault="cut", at="middle"), api="anthropic"
    )
    assert rolecall("ask", "hello", "--max-cost", "0.0012").exit_code == 0
    broken, whole = serving.calls()
    assert (broken.endpoint, whole.endpoint) == (first, second)
    assert broken.reserved_usd is not None
    limit = sent_limit("openai", serving.body("second"))
    assert limit is not None
    assert broken.reserved_usd > 0.0001
    assert broken.reserved_usd + limit * 4 / 1e6 <= 0.0012


def test_a_second_choice_that_what_is_left_does_not_pay_for_is_not_asked(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(
        Plan(text="many words " * 200, fault="cut", at="middle")
    )
    result = rolecall("ask", LETTER, "--max-cost", "0.001", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 4
    assert [(one["endpoint"], one["error_type"]) for one in told["failures"]] == [
        (first, "stream_cut"),
        (second, None),
    ]
    assert "may cost too much: at most $0.001" in told["failures"][1]["message"]
    assert serving.server.received("second") == []
    assert len(serving.calls()) == told["attempts"] == 1


def test_a_default_is_used_for_an_unknown_price_and_said(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN, price=None)
    result = rolecall("ask", "hello", "--max-cost", PLENTY)
    assert result.exit_code == 0
    assert "note: the price of openai/m is unknown: default used" in result.stderr
    assert "cost unknown" in result.stderr
    [call] = serving.calls()
    assert (call.cost_usd, call.price_source) == (None, None)
    assert call.reserved_usd == pytest.approx((12 * 5 + 8 * 25) / 1e6)


def scope(usd: str, mode: str = "hard", name: str = "app: desk") -> str:
    return f"scopes:\n  - {{{name}, budget: {{usd: {usd}, per: day, mode: {mode}}}}}\n"


@pytest.mark.parametrize("name", ["app: desk", "user: ada"])
def test_a_hard_budget_refuses_what_it_does_not_pay_for(
    serving: Serving, rolecall: Rolecall, name: str
) -> None:
    serving.one(capabilities=PLAIN)
    serving.server.plan("m", Plan(output_tokens=393))
    serving.apply(scope(ENOUGH, name=name))
    words = ("ask", "hello", f"--{name.replace(': ', '=')}")
    assert rolecall(*words).exit_code == 0
    assert sent_limit("openai", serving.body()) in range(345, 401)
    refused = rolecall(*words)
    assert (refused.exit_code, refused.stdout) == (6, "")
    assert "budget" in refused.stderr
    assert len(serving.server.requests) == len(serving.calls()) == 1
    assert serving.spent_usd(name.replace(": ", ":")) == pytest.approx(798e-6)
    assert rolecall("ask", "hello").exit_code == 0, "others may still ask"


def test_an_advisory_budget_is_only_told_of(serving: Serving, rolecall: Rolecall) -> None:
    serving.one(capabilities=PLAIN)
    serving.apply(scope("0.00002", "advisory"))
    first = rolecall("ask", "hello", "--app", "desk")
    assert "the budget is used up" not in first.stderr
    second = rolecall("ask", "hello", "--app", "desk")
    assert (second.exit_code, second.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "note: the budget is used up: " in second.stderr
    assert "$0.00002 a day" in second.stderr


@pytest.mark.parametrize("api", APIS)
def test_a_large_budget_does_not_make_for_an_absurd_limit(
    serving: Serving, rolecall: Rolecall, api: Api
) -> None:
    serving.one(api, capabilities=PLAIN)
    serving.apply(scope("20"))
    assert rolecall("ask", "hello", "--app", "desk").exit_code == 0
    limit = sent_limit(api, serving.body())
    assert limit is not None
    assert limit <= 128_000, "no model gives that much, and servers refuse to try"


def test_a_budget_is_not_charged_twice_for_a_failed_attempt(
    serving: Serving, rolecall: Rolecall
) -> None:
    first, second = serving.first_and_second(
        Plan(text="many words " * 200, fault="cut", at="middle")
    )
    serving.apply(scope("0.0016"))
    result = rolecall("ask", "hello", "--app", "desk")
    broken = serving.calls()[0]
    assert broken.reserved_usd is not None
    assert 0.0004 < broken.reserved_usd < 0.0007
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n"), "$0.0009 is left"
    assert [call.endpoint for call in serving.calls()] == [first, second]


def test_money_that_is_held_for_a_running_answer_is_not_spent_by_another(
    serving: Serving,
) -> None:
    serving.one(capabilities=PLAIN)
    serving.apply(scope("0.0006"))
    chat = Chat((Turn("user", (Text("hello"),)),))
    wanted = AskRequest(chat, RoutingChoices(app="desk"))
    with open_registry(None) as db, open_asker(db) as asker, open_asker(db) as other:
        running = asker.ask(wanted)
        assert any(isinstance(one, TextDelta) for one in running)
        with pytest.raises(BudgetExceeded):
            list(other.ask(wanted))
        held = serving.spent_usd("app:desk")
        assert 0.0004 < held <= 0.0006
        for _ in running:
            pass
        assert serving.spent_usd("app:desk") == pytest.approx(28e-6)
        assert any(isinstance(one, Asking) for one in other.ask(wanted))


def test_what_is_held_pays_for_input_that_is_written_to_a_cache(
    serving: Serving,
) -> None:
    serving.one(
        capabilities=PLAIN, price=Price(1.0, 2.0, cache_write_usd_per_mtok=50.0, source="test")
    )
    serving.server.plan("m", Plan(cache_write_tokens=12))
    chat = Chat((Turn("user", (Text("hello"),)),))
    wanted = AskRequest(chat, RoutingChoices(input_tokens=12, max_tokens=8))
    with open_registry(None) as db, open_asker(db) as asker:
        running = asker.ask(wanted)
        assert any(isinstance(one, TextDelta) for one in running)
        held = serving.spent_usd()
        for _ in running:
            pass
    assert held == pytest.approx(serving.spent_usd()) == pytest.approx((12 * 50 + 8 * 2) / 1e6)
