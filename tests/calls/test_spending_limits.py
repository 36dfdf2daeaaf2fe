"""`--max-cost` and budgets: checked against the worst case, and never crossed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.registry.calls.ask import open_asker
from rolecall.registry.calls.attempt import _is_refusal
from rolecall.registry.calls.events import Asking, AskRequest
from rolecall.registry.core.chat import Chat, Text, TextDelta, Turn
from rolecall.registry.core.entities import Api, Price
from rolecall.registry.core.errors import BudgetExceeded, CallFailed
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
    first, second = serving.first_and_second(Plan(fault="cut", at="middle"), api="anthropic")
    words = ("ask", "hello", "--max-tokens", "150", "--max-cost")
    result = rolecall(*words, "0.0012")
    assert result.exit_code == 0
    broken, whole = serving.calls()
    assert (broken.endpoint, whole.endpoint) == (first, second)
    # The tokens that it read are told at once; of the others nobody knows.
    assert broken.reserved_usd is not None
    assert broken.reserved_usd == pytest.approx((12 * 1 + 150 * 2) / 1e6)
    assert (broken.cost_usd, broken.price_source) == (None, None)
    assert whole.cost_usd is not None
    assert " and at most $0.00032 for what failed · " in result.stderr
    assert serving.spent_usd() == pytest.approx(broken.reserved_usd + whole.cost_usd)


@pytest.mark.parametrize("fault", ["cut", "stall", "error_event"])
def test_an_answer_that_breaks_off_may_have_cost_all_that_was_allowed(
    serving: Serving, rolecall: Rolecall, fault: str
) -> None:
    _, second = serving.first_and_second(Plan(fault=fault, at="middle"))
    result = rolecall("ask", "hello", "--max-cost", ENOUGH, "--idle-timeout", "0.3", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 4
    [broken] = serving.calls()
    assert broken.reserved_usd is not None
    assert 0.00079 < broken.reserved_usd <= 0.0008
    assert serving.spent_usd() == pytest.approx(broken.reserved_usd)
    assert told["failures"][0]["reserved_usd"] == broken.reserved_usd
    assert told["total_cost_usd"] is None
    assert f"{second} may cost too much: at most $0.0008, of which the tries" in result.stderr
    assert serving.server.received("second") == []


def test_timeouts_use_up_a_budget_since_each_may_have_cost_its_worst(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN)
    serving.server.plan("m", Plan(fault="stall"))
    serving.apply(scope("0.001"))
    words = ("ask", "hello", "--app", "desk", "--max-tokens", "200", "--first-token-timeout", "0.2")
    codes = [rolecall(*words).exit_code for _ in range(4)]
    assert codes == [4, 4, 6, 6], "two times $0.0004 fit into $0.001, three times do not"
    assert len(serving.server.requests) == 2
    assert 0.0008 < serving.spent_usd("app:desk") <= 0.001


@pytest.mark.parametrize(
    "fault", ["rate_limit", "quota", "bad_key", "not_found", "bad_request", "server_error"]
)
def test_what_was_refused_before_an_answer_began_cost_nothing(
    serving: Serving, rolecall: Rolecall, fault: str
) -> None:
    serving.one(capabilities=PLAIN)
    serving.server.plan("m", Plan(fault=fault))
    serving.apply(scope("0.001"))
    assert rolecall("ask", "hello", "--app", "desk").exit_code == 4
    calls = serving.calls()
    assert {(call.cost_usd, call.reserved_usd) for call in calls} == {(0.0, None)}
    assert serving.spent_usd("app:desk") == 0


@pytest.mark.parametrize(
    ("error_type", "status", "was_sent", "is_free"),
    [
        *(("rate_limited", 429, False, True), ("server_error", 500, False, True)),
        *(("overloaded", 529, False, True), ("not_found", 302, False, True)),
        # A gateway gave up on a server that may have answered.
        *(("server_error", 502, False, False), ("server_error", 504, False, False)),
        *(("server_error", 524, False, False), ("bad_request", 408, False, False)),
        # A refusal in a stream that had begun; there, too, an overload may come late.
        *(("rate_limited", 200, False, True), ("auth", 200, False, True)),
        *(("overloaded", 200, False, False), ("stream_error", 200, False, False)),
        *(("connect_failed", None, False, True), ("connect_failed", None, True, False)),
        *(("connect_timeout", None, False, True), ("first_token_timeout", None, False, False)),
        *(("interrupted", None, False, False), ("stream_cut", 200, False, False)),
    ],
)
def test_only_what_surely_was_not_billed_is_booked_as_nothing(
    error_type: str, status: int | None, was_sent: bool, is_free: bool
) -> None:
    failure = CallFailed(error_type, "said", status=status, was_sent=was_sent)
    assert _is_refusal(failure) is is_free


def test_a_call_above_its_limit_says_so_with_the_figures(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN)
    serving.server.plan("m", Plan(input_tokens=900))
    words = ("ask", "hello", "--max-cost", "0.0005", "--max-tokens", "100")
    result = rolecall(*words, "--json")
    said = "openai/m cost $0.00092, over the limit (at most $0.0005): 900 input tokens were counted"
    [note] = [one for one in json.loads(result.stdout)["notes"] if one.startswith("openai/m cost")]
    assert result.exit_code == 0
    assert note.startswith(said)
    assert f"note: {note}" in result.stderr
    serving.server.plan("m", Plan(input_tokens=12))
    assert "over the limit" not in rolecall(*words).stderr


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


@pytest.mark.parametrize("command", ["route", "ask"])
def test_an_endpoint_of_unknown_price_is_left_out_under_a_limit(
    serving: Serving, rolecall: Rolecall, command: str
) -> None:
    serving.one(capabilities=PLAIN, price=None)
    result = rolecall(command, "hello", "--max-cost", "100")
    assert (result.exit_code, result.stdout) == (6, "")
    said = "error: no endpoint is eligible: 1 BUDGET_EXCEEDED (price unknown, at most $100)\n"
    hint = "hint: say what it costs: rolecall endpoints edit openai/m\n"
    assert result.stderr == said + hint
    assert serving.server.requests == []
    assert rolecall(command, "hello").exit_code == 0


def test_a_local_endpoint_of_unknown_price_is_free_and_passes_any_limit(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN, price=None, locality="local")
    result = rolecall("ask", "hello", "--max-cost", "0", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["cost_usd"] == 0
    [call] = serving.calls()
    assert (call.cost_usd, call.price_source, call.reserved_usd) == (0.0, "default", None)
    [candidate] = json.loads(rolecall("route", "hello", "--json").stdout)["candidates"]
    assert (candidate["cost_usd"], candidate["sources"]["price"]) == (0, "default")


def test_a_default_is_used_for_an_unknown_price_under_an_advisory_limit_and_said(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN, price=None)
    serving.apply("strategies: [{id: loose, max_cost_usd: 0.01, budget_mode: advisory}]")
    result = rolecall("ask", "hello", "--strategy", "loose")
    assert result.exit_code == 0
    assert "note: the price of openai/m is unknown: default used" in result.stderr
    assert "cost unknown" in result.stderr
    [call] = serving.calls()
    assert (call.cost_usd, call.price_source) == (None, None)
    assert call.reserved_usd == pytest.approx((12 * 5 + 8 * 25) / 1e6)


def test_a_call_above_an_advisory_limit_says_so_too(serving: Serving, rolecall: Rolecall) -> None:
    serving.one(capabilities=PLAIN)
    serving.apply("strategies: [{id: loose, max_cost_usd: 0.0005, budget_mode: advisory}]")
    serving.server.plan("m", Plan(input_tokens=900))
    result = rolecall("ask", "hello", "--strategy", "loose")
    said = "note: openai/m cost $0.00092, over the limit (at most $0.0005 is advised): 900 input"
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert said in result.stderr


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
    serving.apply(scope("0.0017"))
    result = rolecall("ask", "hello", "--app", "desk", "--max-tokens", "220")
    broken = serving.calls()[0]
    assert broken.reserved_usd is not None
    assert 0.00052 < broken.reserved_usd < 0.00054
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n"), "$0.0011 is left"
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
