"""Whose each conversation is, and every policy under which it was held, outlive the rest."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rolecall.registry.core.chat import Text, Turn
from rolecall.registry.core.entities import DataPolicy, Strategy
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.conversations import (
    ConversationTerms,
    last_conversation,
    read_terms,
)
from rolecall.registry.storage.decisions import insert_decision, prune_decisions
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.turns import (
    append_turns,
    prune_turns,
    read_turns,
    unreadable_conversations,
)
from tests.storage.test_decisions import DECISION
from tests.storage.test_migrate import old_file

HELLO = Turn("user", (Text("hello"),))
AT, LATER = "2026-11-22T10:00:00.000+00:00", "2026-11-24T10:00:00.000+00:00"
AFTER, MUCH_LATER = "2026-11-23T10:00:00.000+00:00", "2026-11-25T10:00:00.000+00:00"
HERE = Strategy("here", local_only=True)
STRICT = Strategy(
    *("strict", "", 1.0),
    regions=("eu",),
    data_policy=DataPolicy(trains_on_data=False, retention_days=0),
    allow=("a/*",),
    deny=("a/b", "c"),
)


def said(
    db: Database, decision_id: str, strategy: Strategy, at: str = AT, name: str = "tea", **who: Any
) -> None:
    decision = replace(
        DECISION, **{"id": decision_id, "strategy": strategy, "app": None, "user": None, **who}
    )
    insert_decision(db, replace(decision, created_at=at, conversation_id=name))
    append_turns(db, name, at, decision_id, [HELLO])


def held(**limits: Any) -> Strategy:
    return Strategy("conversation", **limits)


def test_a_conversation_that_nobody_held_has_no_terms(db: Database) -> None:
    assert read_terms(db, "tea") is None


def test_every_policy_of_a_conversation_is_kept_once(db: Database) -> None:
    for place, strategy in enumerate((HERE, Strategy("plain"), HERE, STRICT)):
        said(db, f"d{place}", strategy)
    assert read_terms(db, "tea") == ConversationTerms(
        None,
        None,
        (
            held(local_only=True),
            held(
                regions=("eu",),
                data_policy=STRICT.data_policy,
                allow=("a/*",),
                deny=("a/b", "c"),
            ),
        ),
    )


def test_pruning_what_is_old_forgets_no_policy_of_what_is_left(db: Database) -> None:
    said(db, "d1", HERE)
    said(db, "d2", Strategy("plain"), LATER)
    prune_turns(db, AFTER)
    prune_decisions(db, MUCH_LATER)
    assert len(read_turns(db, "tea")) == 1
    assert read_terms(db, "tea") == ConversationTerms(None, None, (held(local_only=True),))
    prune_turns(db, MUCH_LATER)
    assert read_terms(db, "tea") is None


def test_the_last_conversation_is_that_of_the_same_app_and_user(db: Database) -> None:
    said(db, "d1", HERE, name="mine")
    said(db, "d2", HERE, name="apps", app="a")
    said(db, "d3", HERE, name="users", user="u")
    said(db, "d4", HERE, name="both", app="a", user="u")
    said(db, "d5", HERE, name="later", app="a", user="u")
    append_turns(db, "both", LATER, "d4", [HELLO])
    append_turns(db, "empty", LATER, "d5", [])
    owners = [(None, None), ("a", None), (None, "u"), ("a", "u"), ("b", None)]
    assert [last_conversation(db, *owner) for owner in owners] == [
        *("mine", "apps", "users", "both"),
        None,
    ]


def test_terms_that_cannot_be_read_are_a_clear_failure(db: Database) -> None:
    said(db, "d1", HERE)
    assert unreadable_conversations(db) == ()
    for text in ("{", "[1]", '[{"local_only": true, "data_policy": {"x": 1}}]'):
        db.run("UPDATE conversations SET policies = ?", (text,))
        with pytest.raises(RegistryUnusable, match="cannot be read back"):
            read_terms(db, "tea")
        assert unreadable_conversations(db) == ("tea",)


def test_an_older_file_keeps_its_turns_and_knows_their_terms(tmp_path: Path) -> None:
    made, path = tmp_path / "made.db", tmp_path / "old.db"
    with open_database(made) as db:
        said(db, "d1", HERE, app="a")
        said(db, "d2", STRICT, app="a", user="u")
        said(db, "d3", Strategy("plain"), name="milk")
        db.run("DELETE FROM decisions WHERE id = 'd3'")
        terms = [read_terms(db, name) for name in ("tea", "milk")]
        rows = {name: db.rows(f"SELECT * FROM {name}") for name in ("decisions", "turns", "names")}
    old_file(path, 11)
    connection = sqlite3.connect(path)
    with connection:
        for name, stored in rows.items():
            marks = ", ".join("?" * len(stored[0]))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", stored)
    connection.close()
    with open_database(path) as db:
        assert [db.rows(f"SELECT * FROM {name}") for name in rows] == [*rows.values()]
        tea, milk = (read_terms(db, name) for name in ("tea", "milk"))
        assert tea is not None
        assert terms == [replace(tea, user=None), milk]
        assert (tea.app, tea.user) == ("a", "u")
        assert last_conversation(db, "a", "u") == "tea"
