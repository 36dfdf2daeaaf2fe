"""A document applied to a registry leaves exactly what it says, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.registry.core.entities import Model, Registry, Role, TaskKind
from rolecall.registry.core.errors import InvalidDocument, RecordInUse, RegistryUnusable
from rolecall.registry.documents.document import Document, parse_document
from rolecall.registry.editing import apply as applying
from rolecall.registry.editing import edit as editing
from rolecall.registry.editing.apply import apply_text
from rolecall.registry.editing.diff import Change
from rolecall.registry.editing.edit import apply_document, export_document, planned
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database
from rolecall.registry.storage.registry import names, read_registry, read_revision, write_record

PART = """\
models:
  - {id: m, context_tokens: 1000}
endpoints:
  - {id: a/m, model: m, price: {input_usd_per_mtok: 1}}
roles:
  - id: coder
    tasks: [code]
    assignments: [{endpoint: a/m}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


def exported(path: Path) -> str:
    with open_registry(path) as db:
        return export_document(db)


def bare(path: Path) -> Database:
    """Open a registry without the starter registry."""
    return open_database(path)


def test_a_part_is_added_to_the_starter_registry(path: Path) -> None:
    changes = apply_text(path, PART, "part.yaml")
    assert [(one.collection, one.id, one.kind) for one in changes] == [
        ("models", "m", "add"),
        ("endpoints", "a/m", "add"),
        ("roles", "coder", "change"),
    ]
    with open_registry(path) as db:
        assert {"m", "claude-sonnet-4-6"} <= set(names(db, "models"))


def test_a_part_of_every_section_is_still_a_part_when_it_needs_the_starter_registry(
    path: Path,
) -> None:
    text = PART + "tasks: []\nstrategies: []\nscopes: [{app: helpdesk, strategy: private}]\n"
    planned_changes = apply_text(path, text, "part.yaml", dry_run=True)
    assert not path.exists()
    assert apply_text(path, text, "part.yaml") == planned_changes
    with open_registry(path) as db:
        assert {"m", "claude-sonnet-4-6"} <= set(names(db, "models"))


def test_applying_again_changes_nothing(path: Path) -> None:
    apply_text(path, PART, "part.yaml")
    with open_registry(path) as db:
        before = read_registry(db)
        assert apply_document(db, PART, "part.yaml") == ()
        assert read_registry(db) == before


def test_an_emptied_registry_is_exported_and_applied_as_empty(path: Path, tmp_path: Path) -> None:
    bare(path).close()
    text = exported(path)
    assert apply_text(tmp_path / "new.db", text, "a.yaml") == ()
    assert exported(tmp_path / "new.db") == text


@pytest.mark.parametrize("dry_run", [True, False])
def test_nobody_writes_between_the_check_of_a_document_and_its_changes(
    path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    with bare(path) as db:

        def watched(
            before: Registry, document: Document, *, prune: bool
        ) -> tuple[Registry, tuple[Change, ...]]:
            assert db.connection.in_transaction
            return planned(before, document, prune=prune)

        monkeypatch.setattr(editing, "planned", watched)
        assert apply_document(db, PART, "part.yaml", dry_run=dry_run)


@pytest.mark.parametrize("whole", [True, False])
def test_a_dry_run_creates_no_registry(path: Path, tmp_path: Path, whole: bool) -> None:
    text = exported(tmp_path / "other.db") if whole else PART
    changes = apply_text(path, text, "a.yaml", dry_run=True)
    assert not path.exists()
    assert changes == apply_text(path, text, "a.yaml")


def test_changes_name_each_field_before_and_after(path: Path) -> None:
    with bare(path) as db:
        apply_document(db, PART, "part.yaml")
        edited = (
            PART.replace("context_tokens: 1000", "context_tokens: 2000")
            .replace("{input_usd_per_mtok: 1}", "{input_usd_per_mtok: 2.5}")
            .replace("[code]", "[code, math]")
            .replace("{endpoint: a/m}", "{endpoint: a/m, status: disabled}")
        )
        assert apply_document(db, edited, "part.yaml") == (
            Change("models", "m", "change", (("context_tokens", 1000, 2000),)),
            Change("endpoints", "a/m", "change", (("price.input_usd_per_mtok", 1, 2.5),)),
            Change(
                "roles",
                "coder",
                "change",
                (
                    ("tasks", ["code"], ["code", "math"]),
                    ("assignments[a/m].status", "active", "disabled"),
                ),
            ),
        )


def test_a_change_of_order_alone_is_told(path: Path) -> None:
    with bare(path) as db:
        two = PART.replace("- {id: a/m,", "- {id: b/m, model: m}\n  - {id: a/m,").replace(
            "[{endpoint: a/m}]", "[{endpoint: a/m}, {endpoint: b/m}]"
        )
        apply_document(db, two, "part.yaml")
        turned = two.replace(
            "[{endpoint: a/m}, {endpoint: b/m}]", "[{endpoint: b/m}, {endpoint: a/m}]"
        )
        assert apply_document(db, turned, "part.yaml") == (
            Change("roles", "coder", "change", (("assignments", ["a/m", "b/m"], ["b/m", "a/m"]),)),
        )


def test_keys_left_out_of_a_record_take_their_defaults(path: Path) -> None:
    with bare(path) as db:
        write_record(db, Role("r", description="old", tasks=("code",)))
        apply_document(db, "roles: [{id: r, tasks: [math]}]", "f.yaml")
        assert read_registry(db).roles == (Role("r", tasks=("math",)),)


def test_records_not_named_stay_and_pruning_removes_them_in_named_sections_only(
    path: Path,
) -> None:
    with bare(path) as db:
        write_record(db, Model("kept"))
        write_record(db, Role("gone"))
        apply_document(db, "roles: [{id: new}]", "f.yaml")
        assert names(db, "roles") == ("gone", "new")
        changes = apply_document(db, "roles: [{id: new}]", "f.yaml", prune=True)
        assert changes == (Change("roles", "gone", "remove"),)
        assert (names(db, "roles"), names(db, "models")) == (("new",), ("kept",))


def test_pruning_with_an_export_brings_a_registry_back(path: Path) -> None:
    text = exported(path)
    with open_registry(path) as db:
        apply_document(db, PART, "part.yaml")
        assert export_document(db) != text
        assert apply_document(db, text, "a.yaml", prune=True)
        assert export_document(db) == text


def test_pruning_does_not_leave_a_name_dangling(path: Path) -> None:
    with bare(path) as db:
        write_record(db, Role("used"))
        write_record(db, TaskKind("t", roles=("used",)))
        before = read_registry(db)
        with pytest.raises(RecordInUse) as used:
            apply_document(db, "roles: []", "f.yaml", prune=True)
        assert used.value.message == ("f.yaml: pruning would remove role used, which task t uses")
        assert read_registry(db) == before


def test_records_may_swap_what_they_refer_to_in_one_document(path: Path) -> None:
    with bare(path) as db:
        apply_document(db, PART, "part.yaml")
        swapped = PART.replace("id: m,", "id: n,").replace("model: m", "model: n")
        swapped = swapped.replace("a/m", "b/n")
        apply_document(db, swapped, "part.yaml", prune=True)
        assert (names(db, "models"), names(db, "endpoints")) == (("n",), ("b/n",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "roles:\n  - id: a\n  - id: b\n    assignments:\n      - {endpoint: x}\n",
            'f.yaml:5: roles[1].assignments[0].endpoint: no endpoint is named "x"',
        ),
        ("roles:\n  - id: a\n    strategy: s\n", "f.yaml:3: roles[0].strategy: no strategy is"),
        ("endpoints:\n  - id: e\n    model: m\n", "f.yaml:3: endpoints[0].model: no model is"),
        ("tasks:\n  - id: t\n    roles: [a]\n", "f.yaml:3: tasks[0].roles[0]: no role is named"),
        ("scopes:\n  - app: a\n    strategy: s\n", "f.yaml:3: scopes[0].strategy: no strategy is"),
        (
            "tasks:\n  - {id: t, roles: [a]}\nendpoints:\n  - {id: e, model: m}\n",
            "f.yaml:2: tasks[0].roles[0]",
        ),
    ],
)
def test_a_name_that_points_at_nothing_is_refused_with_its_line(
    path: Path, text: str, message: str
) -> None:
    with bare(path) as db:
        with pytest.raises(InvalidDocument) as refused:
            apply_document(db, text, "f.yaml")
        assert refused.value.message.startswith(message)
        assert refused.value.hint == "there are none yet"
        assert read_revision(db) == 0


def test_a_name_that_points_at_nothing_is_answered_with_near_names(path: Path) -> None:
    with bare(path) as db:
        apply_document(db, PART, "part.yaml")
        with pytest.raises(InvalidDocument) as refused:
            apply_document(db, "roles: [{id: r, assignments: [{endpoint: a/n}]}]", "f.yaml")
        assert refused.value.hint == "did you mean a/m?"


def test_a_mistake_creates_no_registry(path: Path) -> None:
    with pytest.raises(InvalidDocument):
        apply_text(path, "roles: [{id: r, nonsense: 1}]", "f.yaml")
    assert not path.exists()
    whole = "models:\nendpoints: [{id: e, model: m}]\nroles:\ntasks:\nstrategies:\nscopes:\n"
    with pytest.raises(InvalidDocument, match=r"f\.yaml:2: endpoints\[0\]\.model: no model"):
        apply_text(path, whole, "f.yaml")
    assert not path.exists()


def test_a_file_that_is_no_registry_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    for dry_run in (True, False):
        with pytest.raises(RegistryUnusable, match="is not a rolecall registry"):
            apply_text(path, PART, "part.yaml", dry_run=dry_run)
    assert path.read_text() == "precious"


def test_a_whole_document_still_counts_when_another_process_created_the_registry_first(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = exported(tmp_path / "other.db")
    with bare(path) as db:
        write_record(db, Model("theirs"))
    monkeypatch.setattr(applying, "has_registry", lambda _: False)
    changes = apply_text(path, text, "a.yaml")
    assert len(changes) == len(parse_document(text, "a.yaml").entries)
    with open_registry(path) as db:
        assert {"theirs", "gpt-5.5"} <= set(names(db, "models"))


GEMINI = """\
models: [{id: gemini-3.1-pro-preview}]
endpoints:
  - id: google/gemini-3.1-pro-preview
    model: gemini-3.1-pro-preview
    price: {input_usd_per_mtok: 2, output_usd_per_mtok: 12, source: models.dev%s}
"""


def tiers_of(path: Path) -> list[int]:
    with open_registry(path) as db:
        [endpoint] = [one for one in read_registry(db).endpoints if one.id.startswith("google/g")]
    assert endpoint.price is not None
    return [tier.above_tokens for tier in endpoint.price.tiers]


def test_a_catalog_price_in_an_older_document_gets_the_tiers_listed(path: Path) -> None:
    with bare(path):
        pass
    [_, change] = apply_text(path, GEMINI % "", "old.yaml")
    assert change.kind == "add"
    assert tiers_of(path) == [200_000]
    assert apply_text(path, GEMINI % "", "old.yaml") == ()
    assert apply_text(path, exported(path), "whole.yaml") == ()


def test_a_document_that_says_there_are_no_tiers_is_believed(path: Path) -> None:
    with bare(path):
        pass
    apply_text(path, GEMINI % ", tiers: []", "own.yaml")
    assert tiers_of(path) == []
    apply_text(path, (GEMINI % "").replace("models.dev", "mine"), "own.yaml")
    assert tiers_of(path) == []


def test_tiers_are_written_one_a_line_where_they_are_long_and_read_back(path: Path) -> None:
    with bare(path):
        pass
    apply_text(path, GEMINI % "", "old.yaml")
    text = exported(path)
    assert "      tiers:\n        - above_tokens: 200000\n          input_usd_per_mtok: 4\n" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ("[{input_usd_per_mtok: 4}]", "above_tokens is missing"),
        ("[{above_tokens: 0}]", "0 is out of range"),
        ("[{above_tokens: 9, input_usd_per_mtok: -1}]", "-1 is out of range"),
        ("[{above_tokens: 9, price: 4}]", "unknown key"),
        ("[{above_tokens: 9}, {above_tokens: 9}]", '"9" is listed twice'),
        ("9", "expected a list"),
    ],
)
def test_a_tier_that_cannot_be_is_refused_with_its_line(path: Path, tiers: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=rf"own.yaml:5: .*{said}"):
        apply_text(path, GEMINI % f", tiers: {tiers}", "own.yaml")
