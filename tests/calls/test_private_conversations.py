"""What was said under a policy goes only where that policy allows, whoever asks later."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Price
from rolecall.registry.editing.open import open_registry
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import Plan
from tests.faults.registry import Served

SECRET = "zanzibar-kumquat-7719"
FREE = Price(0.0, 0.0, source="test")
STRATEGIES = """\
strategies:
  - {id: no-training, data_policy: {trains_on_data: false}}
  - {id: in-eu, regions: [eu]}
  - {id: not-far, deny: [far/*]}
  - {id: only-near, allow: [near/*]}
"""


@pytest.fixture
def near_and_far(serving: Serving) -> Serving:
    """Register a local endpoint, which costs more, and a remote one."""
    serving.register(
        Served(endpoint="near/n", locality="local", price=Price(500.0, 900.0, source="test")),
        Served(endpoint="far/f", model="n", remote_model="f", price=FREE),
    )
    serving.apply(STRATEGIES)
    return serving


def seen_far(serving: Serving) -> str:
    return json.dumps([one.body for one in serving.server.received("f")])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (["--local-only"], "local endpoints only"),
        (["--strategy", "no-training"], "endpoints of its data policy only"),
        (["--strategy", "in-eu"], "eu only"),
        (["--strategy", "not-far"], "no far/*"),
        (["--strategy", "only-near"], "near/* only"),
    ],
)
@pytest.mark.parametrize("later", [[], ["--strategy", "cheapest"], ["--strategy", "quality"]])
def test_what_was_said_under_a_policy_is_not_sent_beyond_it_later(
    near_and_far: Serving, rolecall: Rolecall, how: list[str], said: str, later: list[str]
) -> None:
    assert rolecall("ask", f"I hide {SECRET}", *how).exit_code == 0
    result = rolecall("ask", "what do I hide?", "-c", *later)
    assert result.exit_code == 0
    assert SECRET in json.dumps(near_and_far.body("n"))
    assert f"may go to {said}" in result.stderr
    assert "start a new one without --continue" in result.stderr
    refused = rolecall("ask", "and now?", "-c", "-e", "far/f", *later)
    assert refused.exit_code == 3
    assert f"conversation: {said}" in refused.stderr
    assert "hint: start a new one without --continue and --conversation" in refused.stderr
    assert SECRET not in seen_far(near_and_far)
    assert rolecall("ask", "something else", "-e", "far/f", *later).exit_code == 0


def test_a_fallback_stays_within_the_policy_of_the_conversation(
    near_and_far: Serving, rolecall: Rolecall
) -> None:
    near_and_far.server.plan("n", Plan(), Plan(fault="bad_request"))
    rolecall("ask", f"I hide {SECRET}", "--local-only")
    assert rolecall("ask", "go on", "-c").exit_code == 4
    assert near_and_far.server.received("f") == []


def test_route_decides_as_ask_would(near_and_far: Serving, rolecall: Rolecall) -> None:
    rolecall("ask", f"I hide {SECRET}", "--local-only", "--conversation", "tea")
    assert rolecall("route", "go on", "--conversation", "tea").stdout == "near/n\n"
    assert rolecall("route", "go on", "--conversation", "milk").stdout == "far/f\n"
    assert near_and_far.calls()[-1].endpoint == "near/n"


def test_pruning_and_asking_without_a_log_forget_no_policy(
    near_and_far: Serving, rolecall: Rolecall
) -> None:
    rolecall("ask", f"I hide {SECRET}", "--local-only", "--conversation", "tea")
    rolecall("ask", "go on", "--conversation", "tea", "--no-log")
    rolecall("ask", "go on", "--conversation", "tea")
    with open_registry(None) as db:
        db.run("UPDATE decisions SET created_at = '2001' || substr(created_at, 5)")
        db.run("UPDATE calls SET created_at = '2001' || substr(created_at, 5)")
        db.run("UPDATE turns SET created_at = '2001' || substr(created_at, 5) WHERE id = 1")
    assert rolecall("telemetry", "prune", "--keep", "30d").exit_code == 0
    refused = rolecall("ask", "and now?", "--conversation", "tea", "-e", "far/f")
    assert (refused.exit_code, near_and_far.server.received("f")) == (3, [])


def test_what_was_said_freely_may_go_on_under_a_policy(
    near_and_far: Serving, rolecall: Rolecall
) -> None:
    rolecall("ask", "hello", "-e", "far/f")
    result = rolecall("ask", f"I hide {SECRET}", "-c", "--local-only")
    assert (result.exit_code, "may go to" in result.stderr) == (0, False)
    assert rolecall("ask", "go on", "-c", "-e", "far/f").exit_code == 3
    assert SECRET not in seen_far(near_and_far)


def test_going_on_takes_the_last_conversation_of_the_same_app_and_user(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one()
    rolecall("ask", "about tea", "--app", "kitchen")
    rolecall("ask", f"I hide {SECRET}", "--app", "desk", "--user", "ada")
    rolecall("ask", "mine")
    assert rolecall("ask", "go on", "-c", "--app", "kitchen").exit_code == 0
    assert "about tea" in json.dumps(serving.body())
    assert SECRET not in json.dumps(serving.body())
    nobody = rolecall("ask", "go on", "-c", "--app", "kitchen", "--user", "ada")
    assert nobody.exit_code == 2
    assert "no conversation of app kitchen and user ada to continue" in nobody.stderr
    assert rolecall("ask", "go on", "-c").exit_code == 0
    assert "mine" in json.dumps(serving.body())


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([], "--app desk --user ada"),
        (["--app", "desk"], "--app desk --user ada"),
        (["--app", "desk", "--user", "bob"], "--app desk --user ada"),
    ],
)
def test_a_conversation_of_another_app_or_user_is_not_gone_on_with(
    serving: Serving, rolecall: Rolecall, words: list[str], hint: str
) -> None:
    serving.one()
    owner = ("--app", "desk", "--user", "ada")
    rolecall("ask", f"I hide {SECRET}", "--conversation", "tea", *owner)
    refused = rolecall("ask", "go on", "--conversation", "tea", *words)
    assert refused.exit_code == 2
    assert "conversation tea is one of app desk and user ada" in refused.stderr
    assert hint in refused.stderr
    assert len(serving.calls()) == 1
    assert rolecall("ask", "go on", "--conversation", "tea", *owner).exit_code == 0


def test_a_conversation_of_no_app_is_not_an_apps(serving: Serving, rolecall: Rolecall) -> None:
    serving.one()
    rolecall("ask", "hello", "--conversation", "tea")
    refused = rolecall("ask", "go on", "--conversation", "tea", "--app", "desk")
    assert (refused.exit_code, "without --app and without --user" in refused.stderr) == (2, True)
