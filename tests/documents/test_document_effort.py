"""Efforts and benchmarks as people write them: read, refused with their line, applied, edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.registry.core.effort import Effort
from rolecall.registry.core.entities import Endpoint, Model, Price
from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.documents.document import checked, dump_record, parse_document
from rolecall.registry.editing.apply import apply_text
from rolecall.registry.editing.edit import export_document, record_yaml, replace_from_yaml
from rolecall.registry.editing.open import open_registry

MODEL = "models:\n  - id: m\n"
ENDPOINT = "endpoints:\n  - id: e\n    model: m\n"
CHOICES = "one of none, low, medium, high, a number of tokens, or null"
AS_FRACTION = "write a percentage as a fraction, such as 0.71"


@pytest.mark.parametrize(
    ("written", "effort"),
    [("none", "none"), ("high", "high"), ("'low'", "low"), ("8192", 8192), ("null", None)],
)
def test_an_effort_is_a_level_a_budget_or_the_servers_own(
    written: str, effort: Effort | None
) -> None:
    text = f"{ENDPOINT}    reasoning_effort: {written}\n"
    [entry] = parse_document(text, "f.yaml").entries
    assert isinstance(entry.record, Endpoint)
    assert entry.record.reasoning_effort == effort


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f"{ENDPOINT}    reasoning_effort: hgih",
            'f.yaml:4: endpoints[0].reasoning_effort: unknown value "hgih"',
            CHOICES,
        ),
        (
            f"{ENDPOINT}    reasoning_effort: off",
            'f.yaml:4: endpoints[0].reasoning_effort: unknown value "off"',
            CHOICES,
        ),
        (
            f"{ENDPOINT}    reasoning_effort: [high]",
            "f.yaml:4: endpoints[0].reasoning_effort: unknown value a list",
            CHOICES,
        ),
        (
            f"{ENDPOINT}    reasoning_effort: 0",
            "f.yaml:4: endpoints[0].reasoning_effort: 0 is out of range: at least 1, and finite",
            None,
        ),
        (
            f"{ENDPOINT}    reasoning_effort: 0.5",
            "f.yaml:4: endpoints[0].reasoning_effort: expected a whole number, found a fraction",
            None,
        ),
        (
            f"{MODEL}    benchmarks:\n      swe: 0.5\n      aime: 71",
            "f.yaml:5: models[0].benchmarks.aime: 71 is out of range: 0 to 1",
            AS_FRACTION,
        ),
        (
            f"{MODEL}    benchmarks: {{swe: .nan}}",
            "f.yaml:3: models[0].benchmarks.swe: .nan is out of range: 0 to 1",
            None,
        ),
        (
            f"{MODEL}    benchmarks: {{swe: high}}",
            "f.yaml:3: models[0].benchmarks.swe: expected a number, found text",
            None,
        ),
        (
            f"{MODEL}    benchmarks: {{a b: 0.5}}",
            "f.yaml:3: models[0].benchmarks.a b: a name may not contain spaces",
            None,
        ),
        (
            f"{MODEL}    benchmarks: {{swe: 0.5, swe: 0.6}}",
            "f.yaml:3: models[0].benchmarks.swe: this key is given twice",
            None,
        ),
        (
            f"{MODEL}    benchmarks: [0.5]",
            "f.yaml:3: models[0].benchmarks: expected keys and values, found a list",
            None,
        ),
    ],
)
def test_each_mistake_is_named_with_its_line_and_what_to_write(
    text: str, message: str, hint: str | None
) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_document(text, "f.yaml")
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_they_are_written_for_reading() -> None:
    model = Model("m", benchmarks=(("swe", 0.5), ("aime", 1.0)))
    assert "\nbenchmarks: {swe: 0.5, aime: 1}\n" in dump_record(model)
    assert "\nreasoning_effort: 900\n" in dump_record(Endpoint("e", "m", reasoning_effort=900))


def test_applying_tells_what_changes_and_an_export_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    apply_text(path, f"{MODEL}{ENDPOINT}", "f.yaml")
    changed = f"{MODEL}    benchmarks: {{swe: 0.5}}\n{ENDPOINT}    reasoning_effort: low\n"
    changes = apply_text(path, changed, "f.yaml")
    assert [(one.id, one.fields) for one in changes] == [
        ("m", (("benchmarks.swe", None, 0.5),)),
        ("e", (("reasoning_effort", None, "low"),)),
    ]
    with open_registry(path) as db:
        exported = export_document(db)
    assert apply_text(tmp_path / "other.db", exported, "f.yaml") is not None
    with open_registry(tmp_path / "other.db") as db:
        assert export_document(db) == exported
    assert "    benchmarks: {swe: 0.5}\n" in exported
    assert "    reasoning_effort: low\n" in exported


def test_a_person_adds_a_score_and_takes_it_away_in_an_editor(tmp_path: Path) -> None:
    with open_registry(tmp_path / "registry.db") as db:
        before = record_yaml(db, "models", "gpt-5.5")
        scored = before.replace("benchmarks: {}", "benchmarks: {swe: 0.5, aime: 0.9}")
        assert replace_from_yaml(db, "models", "gpt-5.5", scored, original=before)
        assert record_yaml(db, "models", "gpt-5.5") == scored != before
        assert replace_from_yaml(db, "models", "gpt-5.5", before, original=scored)
        assert record_yaml(db, "models", "gpt-5.5") == before


def test_a_record_made_elsewhere_is_held_to_the_same_rules() -> None:
    with pytest.raises(InvalidDocument, match=r"^price\.input_usd_per_mtok: -3 is out of range"):
        checked(Endpoint("e", "m", price=Price(-3.0)))
    assert checked(Endpoint("e", "m")) == Endpoint(
        "e", "m", base_url="https://api.openai.com/v1", remote_model="m"
    )
