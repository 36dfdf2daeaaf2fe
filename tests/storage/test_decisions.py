"""Decisions are stored whole, found quickly, and read back as they were."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.registry.core.decisions import Candidate, Decision, Exclusion
from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.core.errors import RegistryUnusable, UnknownRecord
from rolecall.registry.core.predictions import SuccessParts
from rolecall.registry.core.requests import Task
from rolecall.registry.core.telemetry import Call
from rolecall.registry.storage.calls import insert_call, read_call
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decision_codec import (
    FLAT,
    names_in,
    pack,
    pack_decision,
    unpack,
    unpack_decision,
)
from rolecall.registry.storage.decisions import (
    LastTurn,
    insert_decision,
    last_in_conversation,
    last_prompt,
    prune_decisions,
    read_decision,
    unreadable_decisions,
)
from rolecall.registry.storage.registry import read_revision

CANDIDATE = Candidate(
    endpoint="a/x",
    model="x",
    value_usd=0.0262,
    success=0.81,
    success_std=None,
    success_basis="facts",
    cost_usd=0.0112,
    input_tokens=100,
    cached_tokens=0,
    output_tokens=321,
    ttft_s=0.9,
    ttft_p95_s=2.1,
    itl_s=0.018,
    failure_rate=0.004,
    samples=214,
    locality="remote",
    preferred=1,
    sources=(("success", "scored"), ("ttft_s", "measured")),
)
DECISION = Decision(
    id="0abc",
    created_at="2026-11-22T10:00:00.000+00:00",
    task=Task(
        kind="code",
        source="detected",
        confidence=0.8,
        detected_by="a stack trace",
        needs=(("tools", "1 tool attached"),),
        input_tokens=120,
        difficulty=0.3,
        worth=4.0,
        worth_source="role coder",
    ),
    role="coder",
    strategy=Strategy("balanced", data_policy=DataPolicy(False, None), allow=("a/*",)),
    strategy_layers=("default", "role coder"),
    app=None,
    user="me",
    conversation_id="talk",
    incumbent=None,
    chosen="a/x",
    runner_up=None,
    margin_usd=0.0031,
    reasons=("BEST_TOTAL_SCORE",),
    candidates=(CANDIDATE, CANDIDATE._replace(endpoint="b/y")),
    excluded=(
        Exclusion("c/z", "CONTEXT_TOO_SMALL", "needs 151k tokens, takes 131k"),
        Exclusion("c/z", "ROLE_NOT_ALLOWED", "not assigned to coder", is_outside=True),
        Exclusion("d/w", "TOO_SLOW", "4 s", weighed=CANDIDATE._replace(endpoint="d/w")),
    ),
    fallbacks=("b/y",),
    registry_revision=7,
    scorer_version="s1",
    elapsed_ms=9.25,
    prompt="why does this deadlock?",
    prompt_sha256="ab12",
    notes=("a note",),
)

# What is stored of DECISION, and of many like it on the disks of people.
STORED = (
    '{"endpoint":[0,1],"model":[4,4],"value_usd":[0.0262],"success":[0.81],"cost_usd":[0.0112],'
    '"output_tokens":[321],"ttft_s":[0.9],"itl_s":[0.018]}',
    base64.b64decode(
        "3ZbbboMwDIZfJcrlhDpsWFXtVRBCkZqLqtXaFbpd8e7941BKINuodpDWux4CcWL7+/yZFHA3A97c6oUBurVxnrT6"
        "GwhfjRFuVN2g4RSil/p5sXYt5ac9XRNNyn1SpmmkIXQ5F+uc/gjX5Vt1tK+nzfDZEPfZr+D+b3kN0JnqsEehS2iI"
        "EibBksr90a1C+EDk/l2q4fHB3fp/x3wZ9FnB8cFR6lLRE6FUpVwS1ZitxU8ZbR2OODrEjkdJXwQJNi1wUNkAS7Ew"
        "V7VUdtDkXH7kIG+RDu0TMXkNTTqioDSdIxZeUNQraR6IhSmf5RWa5ZXIbBwFeXfmEcovxG5jVC/bISx1P7w/F5ln"
        "iXVMdod5M7uT9Y0iil7y9Xo90Wmi8i+T0BtT3knEtyQmFCUiZrqkq+6dE8le11Cy4+rOstmeAQ=="
    ),
)


def unpacked(plain: dict[str, Any], decision: Decision = DECISION) -> Decision:
    """Return what is read of a document, whatever its version, by the decision's own names."""
    candidates, weighed = plain.pop("candidates"), plain.pop("weighed")
    return read_back(decision, *pack(plain, candidates, weighed))


def read_back(decision: Decision, candidates: str, document: bytes) -> Decision:
    flat = {name: getattr(decision, name) for name in FLAT}
    return unpack_decision(flat, candidates, document, dict(enumerate(sorted(names_in(decision)))))


def packed(decision: Decision) -> tuple[str, bytes]:
    numbers = {name: number for number, name in enumerate(sorted(names_in(decision)))}
    return pack_decision(decision, numbers)


def test_a_decision_reads_back_exactly(db: Database) -> None:
    insert_decision(db, DECISION)
    assert read_decision(db, "0abc") == DECISION


def test_a_decision_that_is_on_the_disk_already_stays_readable() -> None:
    assert read_back(DECISION, *STORED) == DECISION


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.builds(Decision))
def test_any_decision_reads_back_exactly(decision: Decision) -> None:
    read = read_back(decision, *packed(decision))
    assert repr(read) == repr(decision)  # as text, in which nan equals nan


def among(count: int) -> Decision:
    """Return a decision among endpoints of which every third is measured, and more are excluded."""
    candidates = []
    for place in range(count):
        share = (place + 1) / 137 % 1
        endpoint, success = f"provider-{place % 7}/model-of-a-name-{place}", round(share, 4)
        parts = SuccessParts("tasks/of/a/name", 0.9986, round(share / 3, 4), 0.0912, -success)
        candidate = CANDIDATE._replace(endpoint=endpoint, model=endpoint[11:], success=success)
        candidate = candidate._replace(value_usd=share / 7, cost_usd=float(f"{share / 97:.6g}"))
        candidate = candidate._replace(success_std=round(share / 9, 4), scored_success=success)
        candidate = candidate._replace(output_tokens=place * 13, parts=parts)
        if place % 3 == 0:
            candidate = candidate._replace(ttft_s=float(f"{share * 2.3:.4g}"), samples=place * 37)
            candidate = candidate._replace(itl_s=float(f"{share / 61:.4g}"))
            candidate = candidate._replace(failure_rate=float(f"{share / 31:.4g}"))
        candidates.append(candidate)
    excluded = [
        Exclusion(f"excluded/model-{place}", "AUTH_UNAVAILABLE", "SOME_API_KEY is not set")
        for place in range(count // 2)
    ]
    return replace(DECISION, candidates=tuple(candidates), excluded=tuple(excluded))


@pytest.mark.parametrize(("count", "most_bytes"), [(13, 2_048), (100, 8_192)])
def test_a_decision_is_kept_in_few_bytes(db: Database, count: int, most_bytes: int) -> None:
    decision = among(count)
    insert_decision(db, decision)
    assert read_decision(db, None) == decision
    [row] = db.rows("SELECT * FROM decisions")
    assert sum(len(one if isinstance(one, bytes) else str(one)) for one in row) <= most_bytes


def test_candidates_are_shown_by_sql_alone(db: Database) -> None:
    for decision in (among(3), replace(DECISION, id="0later"), replace(DECISION, id="0none")):
        candidates = () if decision.id == "0none" else decision.candidates
        insert_decision(db, replace(decision, candidates=candidates))
        rows = db.rows(
            """
            SELECT rank, endpoint, model, value_usd, success, cost_usd, ttft_s, itl_s,
                output_tokens
            FROM decision_candidates WHERE decision_id = ? ORDER BY rank
            """,
            (decision.id,),
        )
        assert rows == [
            (
                *(rank, one.endpoint, one.model, one.value_usd, one.success, one.cost_usd),
                *(one.ttft_s, one.itl_s, one.output_tokens),
            )
            for rank, one in enumerate(candidates, start=1)
        ]


def test_a_decision_from_before_there_was_a_worth_has_a_factor_of_1_and_times_all_tokens() -> None:
    plain = unpack(*packed(DECISION))
    del plain["task"]["worth"], plain["task"]["worth_source"]
    del plain["candidates"]["untimed_tokens"], plain["weighed"]["untimed_tokens"]
    old = unpacked(plain)
    assert (old.task.worth, old.task.worth_source) == (1.0, "default")
    assert old == replace(DECISION, task=old.task)
    assert old.candidates[0].streaming_s == pytest.approx(0.018 * 321)


def test_a_decision_without_choice_or_prompt_reads_back_exactly(db: Database) -> None:
    bare = replace(
        DECISION, id="0bare", prompt=None, chosen=None, candidates=(), margin_usd=None, role=None
    )
    insert_decision(db, bare)
    assert read_decision(db, "0bare") == bare


def test_storing_a_decision_does_not_change_the_registry(db: Database) -> None:
    insert_decision(db, DECISION)
    assert read_revision(db) == 0


def test_the_prompt_is_nowhere_but_in_its_column(db: Database) -> None:
    insert_decision(db, DECISION)
    [(candidates, document, prompt)] = db.rows("SELECT candidates, document, prompt FROM decisions")
    assert prompt == DECISION.prompt
    assert "deadlock" not in str(unpack(candidates, document))


def test_a_prompt_with_a_lone_surrogate_is_stored(db: Database) -> None:
    insert_decision(db, replace(DECISION, prompt="half \ud83d of it"))
    assert read_decision(db, None).prompt == "half ? of it"


def test_the_latest_decision_is_the_one_stored_last(db: Database) -> None:
    for decision_id in ("0z", "0a", "0m"):
        insert_decision(db, replace(DECISION, id=decision_id))
    assert read_decision(db, None).id == "0m"


def test_a_decision_is_found_by_the_start_of_its_id(db: Database) -> None:
    for decision_id in ("0abc", "0abd", "0b"):
        insert_decision(db, replace(DECISION, id=decision_id))
    assert read_decision(db, "0abd").id == "0abd"
    assert read_decision(db, "0b").id == "0b"
    with pytest.raises(UnknownRecord, match='several decisions start with "0a"') as ambiguous:
        read_decision(db, "0a")
    assert ambiguous.value.hint == "rolecall explain 0abc | 0abd"


def test_an_id_is_found_though_others_start_with_it(db: Database) -> None:
    for decision_id in ("0a", "0ab"):
        insert_decision(db, replace(DECISION, id=decision_id))
    assert read_decision(db, "0a").id == "0a"


@pytest.mark.parametrize("name", ["0x", "", "%", "0abc\U0010ffff"])
def test_a_decision_that_is_not_there_is_named(db: Database, name: str) -> None:
    insert_decision(db, DECISION)
    with pytest.raises(UnknownRecord) as unknown:
        read_decision(db, name)
    assert unknown.value.message == f'no decision "{name}"'
    assert unknown.value.hint is not None


def test_without_any_decision_the_hint_says_how_to_make_one(db: Database) -> None:
    with pytest.raises(UnknownRecord, match="no decision has been recorded yet") as unknown:
        read_decision(db, None)
    assert unknown.value.hint == 'rolecall route "a prompt" records one'


def test_the_last_turn_of_a_conversation_is_its_latest_choice(db: Database) -> None:
    assert last_in_conversation(db, "talk") is None
    insert_decision(db, DECISION)
    insert_decision(db, replace(DECISION, id="0later", chosen="b/y"))
    insert_decision(db, replace(DECISION, id="0nothing", chosen=None))
    insert_decision(db, replace(DECISION, id="0other", conversation_id="other", chosen="c/z"))
    assert last_in_conversation(db, "talk") == LastTurn("b/y", "code", DECISION.created_at)


def test_the_last_prompt_of_a_conversation_is_its_latest_long_one(db: Database) -> None:
    for number, prompt in enumerate(("an older long prompt", "a newer long prompt", "yes", None)):
        insert_decision(db, replace(DECISION, id=f"0{number}", prompt=prompt))
    insert_decision(db, replace(DECISION, id="0x", conversation_id="other", prompt="x" * 99))
    insert_decision(db, replace(DECISION, id="0y", chosen=None, prompt="that nobody answered"))
    assert last_prompt(db, "talk", least_chars=10) == "a newer long prompt"
    assert last_prompt(db, "talk", least_chars=100) is None


def test_names_may_hold_characters_that_no_encoding_has(db: Database) -> None:
    odd = replace(DECISION, app="\udcff", conversation_id="talk \udcff")
    insert_decision(db, odd)
    assert read_decision(db, None) == odd
    assert last_in_conversation(db, "talk \udcff") == LastTurn("a/x", "code", odd.created_at)
    with pytest.raises(UnknownRecord):
        read_decision(db, "\udcff")


def test_old_decisions_are_pruned_unless_a_call_was_made_since(db: Database) -> None:
    before, after = "2026-11-22T09:59:59.999+00:00", "2026-11-22T10:00:00.001+00:00"
    for decision_id, at in (("0old", before), ("0called", before), ("0new", after)):
        insert_decision(db, replace(DECISION, id=decision_id, created_at=at))
        insert_call(db, Call(f"then-{decision_id}", at, "a/x", decision_id=decision_id))
    insert_call(db, Call("again", after, "a/x", decision_id="0called"))
    assert prune_decisions(db, DECISION.created_at) == 1
    assert {row[0] for row in db.rows("SELECT id FROM decisions")} == {"0called", "0new"}
    assert read_call(db, "then-0old").decision_id is None
    assert read_call(db, "then-0called").decision_id == "0called"
    assert prune_decisions(db, DECISION.created_at) == 0


def test_a_document_of_another_version_is_read_as_far_as_it_is_known() -> None:
    plain = unpack(*packed(DECISION))
    del plain["notes"], plain["strategy"]["log_prompts"]
    for part in (plain, plain["task"], plain["candidates"], plain["weighed"]):
        part["mood"] = ["good"]
    assert unpacked(plain) == replace(DECISION, notes=())


@pytest.mark.parametrize("document", [b"", b"{}", pack({}, {}, {})[1], "{}", None])
def test_a_document_that_cannot_be_read_is_a_clear_failure(document: Any) -> None:
    with pytest.raises(RegistryUnusable, match="a stored decision cannot be read back"):
        read_back(DECISION, "{}", document)


def test_unreadable_decisions_are_found(db: Database) -> None:
    insert_decision(db, DECISION)
    insert_decision(db, replace(DECISION, id="0broken"))
    db.run("UPDATE decisions SET document = '{}' WHERE id = '0broken'")
    assert unreadable_decisions(db) == ("0broken",)
