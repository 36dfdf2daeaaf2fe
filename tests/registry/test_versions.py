"""Which scorer is in use, and choosing another."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.registry.errors import RegistryUnusable, ScorerUnusable, UnknownRecord
from rolecall.registry.loading import Loading
from rolecall.registry.scoring import card_in_use, scorer_card
from rolecall.registry.using import known_names, list_versions, use_version
from rolecall.registry.versions import folder_in_use, name_in_use, scorers_folder
from tests.scorer.own_world import ship_tiny, write_artifact


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry's path, with the tiny scorer shipped and a version beside it."""
    ship_tiny(monkeypatch, tmp_path / "shipped")
    registry = tmp_path / "registry.db"
    write_artifact(scorers_folder(registry) / "own-1", version="own-1")
    return registry


def test_without_a_pointer_the_shipped_scorer_is_in_use(registry: Path) -> None:
    assert name_in_use(registry) == "pretrained"
    assert folder_in_use(registry) is None
    assert Loading(registry).scorer().version == "tiny-1"
    assert card_in_use(registry)["version"] == "tiny-1"


def test_a_version_is_used_from_then_on_and_given_back(registry: Path) -> None:
    assert use_version(registry, "own-1") == "pretrained"
    assert Loading(registry).scorer().version == "own-1"
    assert scorer_card(registry)["version"] == "own-1"
    assert scorer_card(registry, "pretrained")["version"] == "tiny-1"
    assert use_version(registry, "pretrained") == "own-1"
    assert Loading(registry).scorer().version == "tiny-1"
    assert use_version(registry, "pretrained") == "pretrained"


def test_the_versions_are_listed_with_the_one_in_use(registry: Path) -> None:
    (scorers_folder(registry) / ".new-unfinished").mkdir()
    (scorers_folder(registry) / "views-1.npz").touch()
    write_artifact(scorers_folder(registry) / "own-2", version="own-2")
    (scorers_folder(registry) / "own-2" / "card.json").unlink()
    use_version(registry, "own-1")
    found = list_versions(registry)
    assert [(one.name, one.in_use) for one in found] == [
        ("pretrained", False),
        ("own-1", True),
        ("own-2", False),
    ]
    assert [one.card is None for one in found] == [False, False, True]
    assert known_names(registry) == ("pretrained", "own-1", "own-2")


def test_an_unknown_version_is_refused_with_the_names_there_are(registry: Path) -> None:
    for name in ("own-3", "../shipped", ""):
        with pytest.raises(UnknownRecord) as caught:
            use_version(registry, name)
        assert caught.value.message == f'no scorer is named "{name}"'
    with pytest.raises(UnknownRecord):
        scorer_card(registry, "own-3")
    assert name_in_use(registry) == "pretrained"


@pytest.mark.parametrize("damage", ["head.bin", "head.json", "model.onnx", "card.json"])
def test_a_damaged_version_is_never_passed_over_in_silence(registry: Path, damage: str) -> None:
    use_version(registry, "own-1")
    (scorers_folder(registry) / "own-1" / damage).unlink()
    if damage != "card.json":  # which loading does not read
        with pytest.raises(ScorerUnusable) as caught:
            Loading(registry).scorer()
        assert caught.value.hint == "rolecall scorer use pretrained"
    with pytest.raises(ScorerUnusable) as refused:
        use_version(registry, "own-1")
    assert refused.value.hint == "rolecall scorer use pretrained"
    use_version(registry, "pretrained")
    assert Loading(registry).scorer().version == "tiny-1"


def test_a_pointer_to_a_version_that_is_gone_says_so(registry: Path) -> None:
    (scorers_folder(registry) / "current").write_text("own-gone\n")
    with pytest.raises(ScorerUnusable) as caught:
        Loading(registry).scorer()
    assert "own-gone" in caught.value.message
    assert caught.value.hint == "rolecall scorer use pretrained"


@pytest.mark.parametrize("text", ["", "../shipped", "a/b", ".hidden", "\x00", "two words"])
def test_a_pointer_that_names_nothing_is_an_error_with_a_way_out(registry: Path, text: str) -> None:
    (scorers_folder(registry) / "current").write_text(text)
    with pytest.raises(ScorerUnusable) as caught:
        Loading(registry).scorer()
    assert caught.value.hint == "rolecall scorer use pretrained"
    assert use_version(registry, "pretrained") is None
    assert name_in_use(registry) == "pretrained"


def test_a_pointer_of_bytes_that_are_no_text_is_an_error(registry: Path) -> None:
    (scorers_folder(registry) / "current").write_bytes(b"\xff\xfe")
    with pytest.raises(ScorerUnusable, match="cannot read which scorer"):
        name_in_use(registry)


def test_where_nothing_can_be_written_the_error_names_the_folder(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(RegistryUnusable) as caught:
        use_version(registry, "own-1")
    assert caught.value.message == f"cannot write in {scorers_folder(registry)}: permission denied"
    assert name_in_use(registry) == "pretrained"
