"""Conversations are stored turn by turn and read back as they were."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rolecall.registry.core.chat import (
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    TurnRole,
)
from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage import turns as queries
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.decisions import insert_decision
from rolecall.registry.storage.turns import (
    append_turns,
    prune_turns,
    read_turns,
    turn_from_json,
    turn_to_json,
    unreadable_conversations,
)
from tests.storage.test_decisions import DECISION

# A low surrogate alone: a high one before it would be one character, in JSON as in UTF-16.
ANY_TEXT = st.text(st.characters() | st.just("\udcff"), max_size=20)
TEXTS = st.builds(Text, ANY_TEXT)
MEDIA = st.builds(
    Media,
    ANY_TEXT,
    st.none() | ANY_TEXT,
    st.none() | ANY_TEXT,
    st.none() | ANY_TEXT,
    st.none() | ANY_TEXT,
)
THOUGHTS = st.builds(Thinking, ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT, st.none() | ANY_TEXT)
CALLS = st.builds(ToolCall, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT)
RESULTS = st.builds(
    ToolResult,
    ANY_TEXT,
    st.lists(TEXTS | MEDIA, max_size=3).map(tuple),
    st.none() | ANY_TEXT,
    st.booleans(),
)
PARTS = TEXTS | MEDIA | THOUGHTS | CALLS | RESULTS
TURNS = st.builds(Turn, st.sampled_from(get_args(TurnRole)), st.lists(PARTS, max_size=4).map(tuple))
HELLO = Turn("user", (Text("hello"), Media("image", "image/png", data="AAAA")))
REPLY = Turn("assistant", (Thinking("hm", "anthropic", signature="s"), Text("Guten Tag — 你好")))
AT = "2026-11-22T10:00:00.000+00:00"


@settings(max_examples=25)
@example(Turn("user", (Text("half of a pair: \udcff, é"),)))
@given(TURNS)
def test_any_turn_reads_back_exactly(turn: Turn) -> None:
    text = turn_to_json(turn)
    text.encode()  # SQLite takes no other
    assert turn_from_json(text) == turn


def test_every_kind_of_part_has_a_name() -> None:
    assert set(queries._TYPES.values()) == set(get_args(Part))


def test_a_turn_is_stored_without_what_is_at_its_default() -> None:
    text = turn_to_json(Turn("user", (Text("é"), ToolResult("c", (Text("1"),), is_error=False))))
    assert text == (
        '{"role":"user","parts":[{"type":"text","text":"é"},'
        '{"type":"tool_result","call_id":"c","content":[{"type":"text","text":"1"}]}]}'
    )


def test_a_turn_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    plain = json.loads(turn_to_json(HELLO))
    plain["parts"][0]["mood"] = "good"
    plain["parts"].append({"type": "smell"})
    assert turn_from_json(json.dumps(plain)) == HELLO


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"role": "user"}', '{"role": "user", "parts": [{"type": "text"}]}'],
)
def test_a_turn_that_cannot_be_read_is_a_clear_failure(text: str) -> None:
    with pytest.raises(RegistryUnusable, match="a stored conversation cannot be read back"):
        turn_from_json(text)


def test_conversations_are_kept_apart_each_in_its_order(db: Database) -> None:
    append_turns(db, "one", AT, None, [HELLO])
    append_turns(db, "two", AT, None, [REPLY])
    append_turns(db, "one", AT, None, [REPLY, HELLO])
    assert read_turns(db, "one") == (HELLO, REPLY, HELLO)
    assert read_turns(db, "two") == (REPLY,)
    assert read_turns(db, "three") == ()


def test_turns_outlive_their_decision_until_they_are_pruned(db: Database) -> None:
    insert_decision(db, DECISION)
    append_turns(db, "talk", AT, DECISION.id, [HELLO])
    append_turns(db, "talk", "2026-11-23T10:00:00.000+00:00", DECISION.id, [REPLY])
    db.run("DELETE FROM decisions")
    assert read_turns(db, "talk") == (HELLO, REPLY)
    assert prune_turns(db, "2026-11-23T00:00:00.000+00:00") == 1
    assert read_turns(db, "talk") == (REPLY,)


def test_a_conversation_may_have_a_name_that_no_encoding_has(db: Database) -> None:
    append_turns(db, "talk \udcff", AT, None, [HELLO])
    assert read_turns(db, "talk \udcff") == (HELLO,)


def test_unreadable_conversations_are_found(db: Database) -> None:
    for name in ("one", "two", "two"):
        append_turns(db, name, AT, None, [HELLO])
    assert unreadable_conversations(db) == ()
    db.run("UPDATE turns SET turn = '{}' WHERE conversation_id = 'two'")
    assert unreadable_conversations(db) == ("two",)
