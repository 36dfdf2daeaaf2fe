"""The kind of a task, told by its wording, by what is pasted and by near examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rolecall.registry.core.entities import Registry, Role, TaskKind
from rolecall.registry.core.requests import Message, Request
from rolecall.registry.routing.rules.tasks import Detected
from rolecall.registry.routing.task_detection import (
    ExampleIndex,
    fit_to_role,
    turns_of,
)
from rolecall.registry.scorer.model import Scorer
from rolecall.registry.scorer.task_classifier import TaskGuess
from rolecall.registry.scorer.text import text_read
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.registry import read_registry
from rolecall.registry.storage.vectors import read_vectors

PROMPTS = {
    "thank you so much": "chat",
    "sorry, can you repeat that?": "chat",
    'Wie sagt man "invoice" auf Spanisch?': "translate",
    "Extract every phone number from this text as JSON: call +34 600 123 456": "extract",
    "Which of these reviews are negative? Answer with their numbers.": "extract",
    "Prove that for every prime p > 3 the number p^2 - 1 is divisible by 24": "math",
    "A bag has 3 red and 5 blue balls; two are drawn. What is the chance of two reds?": "math",
    "how do I rebase a branch onto main without merge commits": "code",
    "Write a C++ program that counts the permutations of 1..n with k inversions": "code",
    "Make this function async": "code.edit",
    "Write a farewell note for a colleague who is retiring after thirty years.": "write",
    "Summarise the following article in two sentences": "summarize",
    "What are the risks of moving our billing to a new vendor?": "analyze",
    "What vaccines do I need for Kenya?": "general",
    "what are the first signs of pneumonia in a baby": "medical",
    "can I take aspirin together with blood thinners": "medical",
    "can my landlord keep the deposit because of scratches on the floor": "legal",
    "is a contract valid if it was signed under threat": "legal",
    "how does the heart pump blood": "general",
    "write a letter to my landlord about the broken heating": "write",
    "hola, buenas tardes": "chat",
    "quel est le plus haut sommet d'Europe ?": "general",
    "Explain how index funds work to a teenager": "general",
    "SQL: the five best-selling products of each month": "code",
    "Write a short mail to my insurance about a broken window": "write",
    "Extract the tracking code: your parcel 1Z-998 left Cologne": "extract",
}


def asking(*texts: str) -> Request:
    return Request(tuple(Message("user", text) for text in texts))


def test_everyday_prompts_are_told_apart(index: ExampleIndex, scorer: Scorer) -> None:
    found = {text: index.detect(asking(text), scorer.read(text))[0].kind for text in PROMPTS}
    assert found == PROMPTS


@pytest.mark.parametrize("text", ["why does this deadlock?\n", "\n  why does this deadlock? \r\n"])
def test_blanks_around_a_prompt_are_not_scored(text: str) -> None:
    assert text_read(turns_of(asking(text))) == "why does this deadlock?"


def told(text: str, index: ExampleIndex, scorer: Scorer) -> tuple[Detected, Role | None]:
    return index.detect(asking(text), scorer.read(text))


def test_what_no_kind_is_likely_for_is_general_and_says_so(
    index: ExampleIndex, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.classifier, "least", 0.999)
    detected, role = told("put the lamp into a table somehow", index, scorer)
    assert detected.kind == "general"
    assert detected.detected_by.startswith("no kind is likely enough (")
    assert detected.confidence < 0.9
    assert role is None


@pytest.mark.parametrize(
    ("worth", "general", "kind"),
    [
        (20.0, 0.10, "medical"),
        (20.0, 0.25, "general"),
        (2.0, 0.25, "medical"),
        (0.1, 0.4, "medical"),
    ],
)
def test_the_more_is_at_stake_in_a_kind_the_clearer_it_must_be(
    worth: float,
    general: float,
    kind: str,
    db: Database,
    scorer: Scorer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Registry(
        revision=1, roles=(Role("doctor", tasks=("medical",), worth=worth), Role("general"))
    )
    index = ExampleIndex(db, scorer, pool)
    guess = TaskGuess("medical", 0.5, general, ())
    monkeypatch.setattr(index.classifier, "classify", lambda *_: guess)
    detected, _ = told("a question", index, scorer)
    assert detected.kind == kind
    assert detected.confidence == (0.5 if kind == "medical" else general)
    unclear = f"not clearly medical (0.50 against {general:.2f})"
    assert detected.detected_by == ("wording" if kind == "medical" else unclear)


def test_structure_is_trusted_before_words(index: ExampleIndex, scorer: Scorer) -> None:
    request = replace(asking("translate this into German"), tool_names=("search",))
    detected, role = index.detect(request, scorer.read("translate this into German"))
    assert (detected.kind, role) == ("agent", None)


TRACE = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nKeyError: 1\n'
LOG = "2026-03-02 11:04:07 INFO  started\n2026-03-02 11:05:31 ERROR timeout after 30s\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (TRACE, "code"),
        (f"{TRACE}\nnini maana ya hii", "code"),
        (f"{LOG}\nSummarise this log in one sentence.", "summarize"),
        (f"Fasse das Protokoll zusammen:\n{LOG}", "summarize"),
        ("$$\\int_0^1 x^2\\,dx$$", "math"),
    ],
)
def test_what_is_pasted_decides_where_no_instruction_says_otherwise(
    text: str, kind: str, index: ExampleIndex, scorer: Scorer
) -> None:
    assert told(text, index, scorer)[0].kind == kind


def test_what_was_pasted_is_named_beside_the_wording(index: ExampleIndex, scorer: Scorer) -> None:
    assert told(f"{TRACE}\nwhy?", index, scorer)[0].detected_by == "wording and a stack trace"


@pytest.mark.parametrize(
    ("name", "content", "ask", "kind"),
    [
        ("total.py", "x = 1", "review this", "code"),
        ("notes.txt", "We meet at nine.", "make this friendlier", "write"),
    ],
)
def test_the_name_of_a_file_counts(
    name: str, content: str, ask: str, kind: str, index: ExampleIndex, scorer: Scorer
) -> None:
    text = f"{content}\n\n{ask}"
    request = replace(asking(text), files=(name,))
    assert index.detect(request, scorer.read(text))[0].kind == kind


def test_without_any_example_the_classifier_decides(db: Database, scorer: Scorer) -> None:
    index = ExampleIndex(db, scorer, Registry(revision=1))
    detected, role = told("translate this into German", index, scorer)
    assert (detected.kind, detected.detected_by, role) == ("translate", "wording", None)


def test_an_example_that_was_moved_to_another_kind_takes_its_prompts_along(
    db: Database, scorer: Scorer
) -> None:
    text = "summarise this mail thread in two sentences"
    pool = Registry(revision=1, tasks=(TaskKind("office", examples=(text,)), TaskKind("chat")))
    index = ExampleIndex(db, scorer, pool)
    assert told("summarise the mail thread in three sentences", index, scorer)[0].kind == "office"
    moved = replace(pool, tasks=(TaskKind("chat", examples=(text,)),))
    index = ExampleIndex(db, scorer, moved)
    assert told("summarise the mail thread in three sentences", index, scorer)[0].kind == "chat"
    assert told("summarise chapter nine", index, scorer)[0].kind == "summarize"


def test_a_role_of_ones_own_is_found_by_its_examples(db: Database, scorer: Scorer) -> None:
    pool = read_registry(db)
    sommelier = Role("sommelier", examples=("which wine goes with grilled trout",))
    index = ExampleIndex(db, scorer, replace(pool, roles=(*pool.roles, sommelier)))
    detected, role = told("what wine should I serve with roast trout", index, scorer)
    assert (detected.kind, role) == ("general", sommelier)
    assert "grilled trout" in detected.detected_by


def test_a_new_kind_of_task_is_found_by_its_examples(db: Database, scorer: Scorer) -> None:
    pool = read_registry(db)
    kind = TaskKind("code.sql", examples=("tune this slow join over two big tables",))
    index = ExampleIndex(db, scorer, replace(pool, tasks=(*pool.tasks, kind)))
    assert told("tune a slow join over three big tables", index, scorer)[0].kind == "code.sql"
    assert told("write a poem about the sea", index, scorer)[0].kind == "write"


def test_a_new_kind_does_not_draw_what_the_classifier_is_sure_of(
    db: Database, scorer: Scorer
) -> None:
    pool = read_registry(db)
    kind = TaskKind("gardening", examples=("when do I prune roses", "why do my tomatoes rot"))
    index = ExampleIndex(db, scorer, replace(pool, tasks=(*pool.tasks, kind)))
    assert told("when should I prune my rose bushes", index, scorer)[0].kind == "gardening"
    text = "translate into French: I prune the roses when my tomatoes rot"
    assert told(text, index, scorer)[0].kind == "translate"


def test_example_vectors_are_encoded_once_and_kept(
    db: Database, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = read_registry(db)
    ExampleIndex(db, scorer, pool)
    encoded: list[str] = []
    encode = scorer.encoder.encode

    def noting(texts: Sequence[str]) -> Any:
        encoded.extend(texts)
        return encode(texts)

    monkeypatch.setattr(scorer.encoder, "encode", noting)
    kind = TaskKind("new", examples=("an example nobody gave before",))
    ExampleIndex(db, scorer, replace(pool, tasks=(*pool.tasks, kind)))
    assert encoded == ["an example nobody gave before"]
    assert read_vectors(db, "another encoder", ["x"]) == {}


def test_a_damaged_vector_is_made_again(db: Database, scorer: Scorer) -> None:
    pool = read_registry(db)
    ExampleIndex(db, scorer, pool)
    db.run("UPDATE example_vectors SET vector = substr(vector, 1, 99)")
    ExampleIndex(db, scorer, pool)
    assert {one for (one,) in db.rows("SELECT length(vector) FROM example_vectors")} == {768}


def test_a_declared_role_outweighs_a_detected_kind() -> None:
    math = Role("math", tasks=("math", "math.proof"))
    detected = Detected("translate", 0.9, "an example")
    assert fit_to_role(detected, math).kind == "math"
    assert fit_to_role(Detected("math.proof", 0.9, "x"), math).kind == "math.proof"
    assert fit_to_role(detected, Role("anything")) == detected


def test_a_short_follow_up_is_read_with_the_message_before_it() -> None:
    theorem = "Prove Fermat's little theorem."
    assert text_read(turns_of(asking(theorem, "yes, do it"))) == f"{theorem}\n\nyes, do it"
    longer = "Now use it to compute the remainder of 7 to the hundredth power"
    assert text_read(turns_of(asking(theorem, longer))) == longer
    assert text_read(turns_of(Request((Message("system", "be brief"),)))) == "be brief"


def test_system_prompt_and_tools_are_read_after_the_request() -> None:
    chat = Request((Message("system", "You run a smart home."), Message("user", "It is dark.")))
    turns = turns_of(chat)
    assert text_read(turns) == "It is dark.\n\nYou run a smart home."
    with_tools = text_read(turns, tools=("turn_on", "turn_off"))
    assert with_tools == "It is dark.\n\ntools: turn_on, turn_off\nYou run a smart home."
