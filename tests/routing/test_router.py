"""Decisions over a real registry with the shipped scorer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.registry.core.entities import Endpoint, Role, Scope
from rolecall.registry.core.errors import NothingEligible, UnknownRecord
from rolecall.registry.core.requests import Message, Request, RoutingChoices
from rolecall.registry.editing.edit import add_record, apply_document
from rolecall.registry.routing.decision_json import describe_decision, why_chosen
from rolecall.registry.routing.router import Router, chosen_endpoint
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import read_decision

KEYS = {f"{name}_API_KEY": "x" for name in ("ANTHROPIC", "OPENAI", "GEMINI", "GROQ", "MISTRAL")}
HELLO = Request((Message("user", "hello, how are you?"),))
PROOF = Request((Message("user", "Prove that the square root of 2 is irrational."),))
POOL = """
models:
  - {id: small, context_tokens: 8000}
  - {id: large, context_tokens: 8000}
endpoints:
  - {id: here/small, model: small, base_url: "http://localhost:1", locality: local, price: {input_usd_per_mtok: 0, output_usd_per_mtok: 0},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0, success: {math: 0.5}, samples: 100}}
  - {id: there/large, model: large, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2, cache_read_usd_per_mtok: 0.1},
     profile: {ttft_s: 1, itl_s: 0.01, failure_rate: 0, success: {math: 0.9}}}
roles:
  - {id: prover, tasks: [math], assignments: [{endpoint: here/small}, {endpoint: there/large}]}
strategies:
  - {id: strict, min_success: 0.8, quality_usd: 0}
"""  # noqa: E501


class Clock:
    """A time that moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def db(db: Database) -> Database:
    apply_document(db, POOL, "pool.yaml")
    return db


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def router(db: Database, scorer: Scorer, clock: Clock) -> Router:
    return Router(db, scorer=scorer, environment=KEYS, now=clock)


def test_the_best_value_is_chosen_and_the_figures_are_the_files_own(router: Router) -> None:
    decision = router.decide(PROOF, RoutingChoices(role="prover"))
    assert decision.chosen == "there/large"
    large, small = decision.candidates
    assert (large.success, small.success) == (0.9, 0.5)
    assert dict(small.sources)["success"] == "measured"
    assert dict(large.sources)["success"] == "declared"
    for one in decision.candidates:
        wait = 0.0005 * one.ttft_s + 0.0005 * one.itl_s * one.output_tokens
        assert one.value_usd == pytest.approx(0.05 * one.success - one.cost_usd - wait)
    assert decision.margin_usd == pytest.approx(large.value_usd - small.value_usd)


def test_two_endpoints_of_one_model_are_predicted_by_the_effort_of_each(
    db: Database, router: Router
) -> None:
    for effort in (None, "none", "low"):
        add_record(db, Endpoint(f"x/{effort}", "large", reasoning_effort=effort))
    decision = router.decide(PROOF, RoutingChoices(endpoints=("x/*",)))
    found = {one.endpoint: one for one in decision.candidates}
    assert {one.model for one in found.values()} == {"large"}
    assert found["x/low"].success > found["x/none"].success
    assert found["x/low"].output_tokens > found["x/none"].output_tokens


def test_a_stored_decision_explains_itself_the_same_after_the_registry_changed(
    db: Database, router: Router
) -> None:
    before = describe_decision(router.decide(PROOF, RoutingChoices(role="prover")))
    apply_document(db, POOL.replace("0.9", "0.1").replace("[math]", "[code]"), "pool.yaml")
    assert describe_decision(read_decision(db, before["decision_id"])) == before


def test_a_change_of_the_registry_is_seen_by_the_next_decision(
    db: Database, router: Router
) -> None:
    assert router.decide(PROOF, RoutingChoices(role="prover")).chosen == "there/large"
    apply_document(db, POOL.replace("math: 0.9", "math: 0.2"), "pool.yaml")
    assert router.decide(PROOF, RoutingChoices(role="prover")).chosen == "here/small"


@pytest.mark.parametrize(
    "choices",
    [
        RoutingChoices(role="prover", log_prompt=False),
        RoutingChoices(role="prover", strategy="private"),
        RoutingChoices(role="prover", app="quiet"),
    ],
)
def test_only_a_hash_of_the_prompt_is_kept_when_asked(
    choices: RoutingChoices, db: Database, router: Router
) -> None:
    add_record(db, Scope(app="quiet", log_prompts=False))
    router.decide(PROOF, choices)
    stored = read_decision(db, None)
    assert stored.prompt is None
    assert PROOF.messages[0].text not in str(stored)
    assert len(stored.prompt_sha256) == 64


def test_the_role_is_the_tasks_unless_declared(router: Router) -> None:
    assert router.decide(PROOF, RoutingChoices()).role in ("math", "prover")
    assert router.decide(HELLO, RoutingChoices()).role == "general"
    decision = router.decide(HELLO, RoutingChoices(role="prover"))
    assert (decision.role, decision.task.kind) == ("prover", "math")


RUN = Message("user", "Deploy the new version and roll back if the smoke test fails.")


@pytest.mark.parametrize(
    ("choices", "tools"),
    [
        (RoutingChoices(task="agent"), ()),
        (RoutingChoices(role="agent"), ()),
        (RoutingChoices(role="worker"), ()),
        (RoutingChoices(), ("deploy",)),
    ],
)
def test_whatever_makes_a_request_an_agents_run_it_is_predicted_from_runs(
    choices: RoutingChoices, tools: tuple[str, ...], db: Database, router: Router
) -> None:
    add_record(db, Role("worker", tasks=("agent",)))
    run = router.decide(Request((RUN,), tool_names=tools), choices)
    answer = router.decide(Request((RUN,)), RoutingChoices())
    assert run.task.kind == "agent"
    assert answer.task.kind != "agent"
    alone = {one.endpoint: one for one in answer.candidates}
    assert run.candidates
    for one in run.candidates:
        assert one.parts is not None
        assert "/agent/" in one.parts.task
        of_runs = one.parts.average + one.parts.prompt + one.parts.local
        assert one.success == pytest.approx(of_runs, abs=2e-4)
        assert one.success != alone[one.endpoint].success
    parts = alone[run.candidates[0].endpoint].parts
    assert parts is not None
    assert "/agent/" not in parts.task


def test_other_work_of_a_role_may_use_tools_and_is_no_agents_run(router: Router) -> None:
    asked = Request((Message("user", "What is the capital of Norway?"),), tool_names=("search",))
    decision = router.decide(asked, RoutingChoices(role="coder"))
    assert decision.task.kind == "code"
    assert all(one.parts and "/agent/" not in one.parts.task for one in decision.candidates)
    assert "/agent/" in str(router.decide(asked, RoutingChoices()).candidates[0].parts)


def test_a_declared_task_that_the_role_does_not_do_excludes_everyone(router: Router) -> None:
    decision = router.decide(PROOF, RoutingChoices(role="prover", task="write"))
    assert decision.chosen is None
    codes = {one.code for one in decision.excluded}
    assert "TASK_NOT_SUPPORTED_BY_ROLE" in codes
    assert why_chosen(decision) == ("nothing is eligible",)
    with pytest.raises(NothingEligible, match="TASK_NOT_SUPPORTED_BY_ROLE"):
        chosen_endpoint(decision, router.registry.endpoints)


@pytest.mark.parametrize("allow_drop", [False, True])
def test_an_attachment_goes_only_where_the_api_has_a_place_for_it(
    allow_drop: bool, db: Database, router: Router
) -> None:
    document = POOL.replace("context_tokens: 8000}", "modalities: [text, pdf, audio]}")
    document = document.replace("locality: local,", "locality: local, api: ollama,")
    apply_document(db, document, "pool.yaml")
    chosen = RoutingChoices(role="prover", allow_drop=allow_drop)
    asked = Request((Message("user", "Prove what is claimed.", attachments=("pdf",)),))
    decision = router.decide(asked, chosen)
    assert decision.chosen == "there/large"
    reasons = {one.endpoint: (one.code, one.detail) for one in decision.excluded}
    assert reasons["here/small"] == ("MODALITY_UNSUPPORTED", "its API takes no pdf")
    alone = router.decide(asked, replace(chosen, endpoints=("here/*",)))
    with pytest.raises(NothingEligible, match="MODALITY_UNSUPPORTED"):
        chosen_endpoint(alone, router.registry.endpoints)


def test_limits_of_every_layer_add_up(db: Database, router: Router) -> None:
    add_record(db, Scope(app="desk", strategy="strict"))
    decision = router.decide(PROOF, RoutingChoices(role="prover", app="desk", strategy="fast"))
    assert decision.strategy.id == "fast"
    assert decision.strategy.min_success == 0.8
    assert decision.strategy_layers == ("default: balanced", "app desk: strict", "asked for: fast")
    assert {one.endpoint: one.code for one in decision.excluded if one.weighed} == {
        "here/small": "QUALITY_TOO_LOW"
    }


def test_an_app_without_a_scope_is_said(router: Router) -> None:
    decision = router.decide(PROOF, RoutingChoices(app="helpdsk"))
    assert decision.notes == ("no scope is set for app helpdsk",)


@pytest.mark.parametrize("kind", ["math", "math.proof", "prove", "prove.deep", "code.edit"])
def test_a_task_that_anything_here_names_or_covers_is_taken(
    kind: str, db: Database, router: Router
) -> None:
    add_record(db, Role("philosopher", tasks=("prove",)))
    assert router.decide(PROOF, RoutingChoices(task=kind)).task.kind == kind


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (RoutingChoices(role=""), 'no role is named ""'),
        (RoutingChoices(strategy=""), 'no strategy is named ""'),
        (RoutingChoices(task=""), 'no task is named ""'),
        (RoutingChoices(task="sumarize"), 'no task is named "sumarize"'),
    ],
)
def test_a_name_that_nothing_has_is_refused_and_an_empty_one_is_not_taken_for_none(
    choices: RoutingChoices, message: str, router: Router
) -> None:
    with pytest.raises(UnknownRecord, match=message):
        router.decide(PROOF, choices)


def test_a_near_tie_stays_with_who_answered_last_in_the_conversation(
    db: Database, router: Router
) -> None:
    level = POOL.replace("0.5}, samples: 100", "0.9}")
    level = level.replace(
        "input_usd_per_mtok: 1, output_usd_per_mtok: 2",
        "input_usd_per_mtok: 0, output_usd_per_mtok: 0",
    )
    apply_document(db, level, "pool.yaml")
    chat = RoutingChoices(role="prover", conversation_id="c1")
    assert router.decide(PROOF, replace(chat, endpoints=("there/*",))).chosen == "there/large"
    decision = router.decide(PROOF, chat)
    assert (decision.chosen, decision.incumbent) == ("there/large", "there/large")
    assert "CONTINUITY_AFFINITY_APPLIED" in decision.reasons
    other = router.decide(PROOF, RoutingChoices(role="prover", conversation_id="c2"))
    assert (other.chosen, other.incumbent) == ("here/small", None)


@pytest.mark.parametrize("log_prompt", [True, False])
def test_a_short_follow_up_stays_with_the_task_of_its_conversation(
    log_prompt: bool, router: Router
) -> None:
    chat = RoutingChoices(conversation_id="c1", log_prompt=log_prompt)
    first = router.decide(PROOF, chat)
    yes = Request((Message("user", "yes, go on"),))
    second = router.decide(yes, chat)
    third = router.decide(yes, chat)
    assert (second.task.kind, third.task.kind) == ("math", "math")
    assert second.task.detected_by == "a short follow-up"
    assert second.role == first.role
    assert router.decide(yes, RoutingChoices()).task.kind == "chat"
    if log_prompt:
        assert third.task.difficulty == pytest.approx(first.task.difficulty, abs=0.15)


def test_a_new_subject_in_a_conversation_is_detected_anew(router: Router) -> None:
    chat = RoutingChoices(conversation_id="c1")
    router.decide(PROOF, chat)
    letter = Request((Message("user", "Now write a farewell note for a colleague who retires."),))
    assert router.decide(letter, chat).task.kind == "write"


def test_the_cache_of_the_last_turn_counts_only_while_it_is_warm(
    router: Router, clock: Clock
) -> None:
    history = (Message("user", "word " * 2000), Message("assistant", "yes"))
    chat = RoutingChoices(role="prover", conversation_id="c1", endpoints=("there/*",))
    router.decide(PROOF, chat)
    clock.time += timedelta(minutes=1)
    warm = router.decide(Request((*history, *PROOF.messages)), chat).candidates[0]
    clock.time += timedelta(minutes=6)
    cold = router.decide(Request((*history, *PROOF.messages)), chat).candidates[0]
    assert warm.cached_tokens > 2000
    assert cold.cached_tokens == 0
    assert warm.cost_usd < cold.cost_usd
    clock.time -= timedelta(days=365)  # that turn is now dated in the far future
    ahead = router.decide(Request((*history, *PROOF.messages)), chat).candidates[0]
    assert ahead.cached_tokens == 0


def test_the_same_prompt_decided_a_hundred_times_gives_one_choice(router: Router) -> None:
    chosen = {router.decide(PROOF, RoutingChoices()).chosen for _ in range(100)}
    assert len(chosen) == 1


def test_a_lone_surrogate_in_a_prompt_is_no_crash(router: Router) -> None:
    decision = router.decide(Request((Message("user", "odd \ud800 text"),)), RoutingChoices())
    assert decision.chosen is not None
