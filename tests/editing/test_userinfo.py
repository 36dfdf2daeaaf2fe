"""A user and a password in a URL are let into no registry, and are shown from none."""

from __future__ import annotations

import json

import pytest

from rolecall.registry.core.entities import Endpoint
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.registry import write_record
from tests.conftest import Rolecall

URL = "http://ada:lovelace1815@127.0.0.1:1/v1"
SAID = "base_url: a URL may hold no user and no password: name the key by key_env or key_command"
DOCUMENT = f"models: [{{id: m}}]\nendpoints:\n  - id: a/x\n    model: m\n    base_url: {URL}\n"


def test_apply_refuses_it_with_its_line_and_does_not_repeat_it(rolecall: Rolecall) -> None:
    result = rolecall("registry", "apply", "-", input=DOCUMENT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: stdin:5: endpoints[0].{SAID}")
    assert "lovelace" not in result.stderr


@pytest.mark.parametrize("url", [URL, "http://token@a.example", "http://a@b@127.0.0.1:1/v1"])
def test_add_refuses_it(rolecall: Rolecall, url: str) -> None:
    rolecall("models", "add", "ours", "--bare")
    result = rolecall("endpoints", "add", "lab/x", "--model", "ours", "--base-url", url)
    assert (result.exit_code, SAID in result.stderr) == (2, True)
    assert "a@b" not in result.stderr
    assert rolecall("endpoints", "show", "lab/x").exit_code == 2


def test_an_at_sign_in_a_path_is_no_user(rolecall: Rolecall) -> None:
    rolecall("models", "add", "ours", "--bare")
    options = ("--model", "ours", "--base-url", "https://a.example/@me/v1?x=a@b", "--no-key")
    assert rolecall("endpoints", "add", "lab/x", *options).exit_code == 0


def test_what_an_earlier_version_let_in_is_checked_and_shown_nowhere(rolecall: Rolecall) -> None:
    rolecall("models", "add", "ours", "--bare")
    with open_registry(None) as db, db.transaction():
        write_record(db, Endpoint("lab/x", "ours", base_url=URL, remote_model="ours"))
    shown = [
        rolecall(*words, *rest)
        for words in (("endpoints", "show", "lab/x"), ("endpoints", "list"), ("registry", "export"))
        for rest in ((), ("--json",))
    ]
    shown += [
        rolecall("endpoints", "edit", "lab/x", env={"EDITOR": "cat"}),
        rolecall("registry", "check"),
        rolecall("ask", "hello", "-e", "lab/x", "--connect-timeout", "0.01"),
        rolecall("probe", "lab/x", "--connect-timeout", "0.01"),
        rolecall("telemetry", "list", "--json"),
        rolecall("registry", "apply", "-", input=DOCUMENT.replace("ada:lovelace1815@", "")),
        rolecall(
            "registry", "apply", "-", "--dry-run", input=DOCUMENT.replace("ada:lovelace1815@", "b.")
        ),
    ]
    assert all("lovelace" not in one.stdout + one.stderr for one in shown)
    assert json.loads(shown[1].stdout)["base_url"] == "http://[key]@127.0.0.1:1/v1"
    assert f"endpoint lab/x: {SAID}" in shown[7].stdout


def test_saving_what_is_shown_of_it_stores_no_hidden_password(rolecall: Rolecall) -> None:
    rolecall("models", "add", "ours", "--bare")
    with open_registry(None) as db, db.transaction():
        write_record(db, Endpoint("lab/x", "ours", base_url=URL, remote_model="ours"))
    editor = {"EDITOR": "sed -i s/active/disabled/"}
    refused = rolecall("endpoints", "edit", "lab/x", env=editor)
    assert (refused.exit_code, SAID in refused.stderr) == (2, True), refused.stderr
    cured = {"EDITOR": "sed -i s/.key.@//"}
    assert rolecall("endpoints", "edit", "lab/x", env=cured).exit_code == 0
    assert json.loads(rolecall("endpoints", "show", "lab/x", "--json").stdout)["base_url"] == (
        "http://127.0.0.1:1/v1"
    )


def test_a_key_in_a_query_is_hidden_where_a_change_is_shown(rolecall: Rolecall) -> None:
    words = DOCUMENT.replace(URL, "https://a.example/v1?api-version=2024&api-key=lovelace1815")
    rolecall("registry", "apply", "-", input=words)
    changed = rolecall("registry", "apply", "-", input=words.replace("2024", "2025"))
    assert "base_url: " in changed.stdout
    assert "api-version=2025&api-key=[key]" in changed.stdout
    assert "lovelace" not in changed.stdout + changed.stderr
