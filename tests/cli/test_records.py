"""list, show, add and remove of models, endpoints, roles, tasks and strategies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall

GROUPS = ("models", "endpoints", "roles", "tasks", "strategies")


@pytest.mark.parametrize("group", GROUPS)
def test_a_new_registry_lists_its_starter_records(group: str, rolecall: Rolecall) -> None:
    result = rolecall(group, "list")
    assert (result.exit_code, result.stderr) == (0, "")
    ids = [line.split()[0] for line in result.stdout.splitlines()[1:]]
    listed = json.loads(rolecall(group, "list", "--json").stdout)
    assert ids == [record["id"] for record in listed[group]]
    assert len(ids) >= 5


@pytest.mark.parametrize("group", GROUPS)
def test_show_prints_the_same_record_as_yaml_and_as_json(group: str, rolecall: Rolecall) -> None:
    listed = json.loads(rolecall(group, "list", "--json").stdout)[group]
    name = listed[0]["id"]
    shown = rolecall(group, "show", name)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"id: {name}\n")
    record = json.loads(rolecall(group, "show", name, "--json").stdout)
    assert record.items() <= listed[0].items()


@pytest.mark.parametrize("verb", ["show", "edit", "remove"])
def test_an_unknown_name_is_answered_with_near_names(verb: str, rolecall: Rolecall) -> None:
    result = rolecall("roles", verb, "codr")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == 'error: no role is named "codr"\nhint: did you mean coder?\n'


def test_an_endpoints_key_is_told_and_never_shown(rolecall: Rolecall) -> None:
    env = {"OPENAI_API_KEY": "sk-very-secret", "GROQ_API_KEY": ""}
    for flags in ([], ["--json"]):
        result = rolecall("endpoints", "list", *flags, env=env)
        assert "sk-very-secret" not in result.stdout + result.stderr
    states = {
        record["id"].partition("/")[0]: record["key"]
        for record in json.loads(result.stdout)["endpoints"]
    }
    assert states["openai"] == "set"
    assert states["groq"] == states["anthropic"] == "missing"
    assert states["ollama"] == "none needed"


def test_the_endpoints_fit_a_terminal_of_80_columns(rolecall: Rolecall) -> None:
    lines = rolecall("endpoints", "list").stdout.splitlines()
    titles = ["endpoint", "model", "$/Mtok", "context", "effort", "where", "key", "status"]
    assert lines[0].split() == titles
    dropped = sum(
        max(len(line.split()[titles.index(title)]) for line in lines) + 2
        for title in ("model", "context", "effort")
    )
    assert all(len(line) - dropped <= 80 for line in lines)


def test_an_empty_collection_prints_nothing_and_says_so(rolecall: Rolecall) -> None:
    empty = "models: []\nendpoints: []\nroles: []\ntasks: []\nstrategies: []\nscopes: []\n"
    rolecall("registry", "apply", "-", "--prune", input=empty)
    for group in GROUPS:
        result = rolecall(group, "list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == f"no {group} yet; see rolecall {group} add --help\n"
        assert json.loads(rolecall(group, "list", "--json").stdout) == {group: []}


def test_a_model_is_added_with_the_catalogs_facts_unless_stated(rolecall: Rolecall) -> None:
    result = rolecall("models", "add", "openai/gpt-4o", "--id", "four", "--context-tokens", "9000")
    assert result.exit_code == 0, result.stderr
    assert (result.stdout, result.stderr) == ("added model four\n", "")
    model = json.loads(rolecall("models", "show", "four", "--json").stdout)
    assert model["context_tokens"] == 9000
    assert "tools" in model["capabilities"]
    assert (model["source"], len(model["as_of"])) == ("models.dev", len("2026-01-01"))


def test_a_bare_model_knows_only_what_was_stated(rolecall: Rolecall) -> None:
    added = rolecall(
        *("models", "add", "ours", "--bare", "--capability", "tools", "--capability", "code.edit"),
        *("--open-weights", "--parameters-b", "7.5", "--json"),
    )
    model = json.loads(added.stdout)
    assert model["capabilities"] == ["tools", "code.edit"]
    assert (model["open_weights"], model["parameters_b"]) == (True, 7.5)
    assert model["context_tokens"] is model["source"] is None


def test_a_model_unknown_to_the_catalog_is_refused(rolecall: Rolecall) -> None:
    result = rolecall("models", "add", "gpt-4oo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith('error: no model "gpt-4oo" in the catalog\nhint: ')


def test_a_name_taken_is_refused(rolecall: Rolecall) -> None:
    result = rolecall("roles", "add", "coder")
    assert result.exit_code == 2
    assert result.stderr == ("error: role coder exists already\nhint: rolecall roles edit coder\n")


def test_an_endpoint_of_the_catalog_brings_its_model(rolecall: Rolecall) -> None:
    result = rolecall("endpoints", "add", "openai/gpt-4o", "--input-price", "2", "--region", "eu")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "added endpoint openai/gpt-4o\n"
    assert result.stderr == "added model gpt-4o too\n"
    endpoint = json.loads(rolecall("endpoints", "show", "openai/gpt-4o", "--json").stdout)
    assert (endpoint["model"], endpoint["key_env"]) == ("gpt-4o", "OPENAI_API_KEY")
    assert endpoint["region"] == "eu"
    assert endpoint["price"]["input_usd_per_mtok"] == 2
    assert endpoint["price"]["output_usd_per_mtok"] > 2
    assert endpoint["price"]["source"] == "user"
    assert rolecall("models", "show", "gpt-4o").exit_code == 0


@pytest.mark.parametrize(("typed", "kept"), [("high", "high"), ("none", "none"), ("900", 900)])
def test_an_endpoint_with_an_effort_is_added_beside_that_of_its_model(
    typed: str, kept: str | int, rolecall: Rolecall
) -> None:
    name = f"openai/gpt-5.5:{typed}"
    result = rolecall("endpoints", "add", name, "--reasoning-effort", typed)
    assert (result.exit_code, result.stdout) == (0, f"added endpoint {name}\n"), result.stderr
    plain, added = (
        json.loads(rolecall("endpoints", "show", one, "--json").stdout)
        for one in ("openai/gpt-5.5", name)
    )
    assert added == plain | {"id": name, "reasoning_effort": kept}
    assert plain["reasoning_effort"] is None
    cells = {
        line.split()[0]: line.split()[4]
        for line in rolecall("endpoints", "list").stdout.splitlines()
    }
    assert (cells["openai/gpt-5.5"], cells[name]) == ("–", typed)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("hgih", 'unknown value "hgih"'),
        ("", 'unknown value ""'),
        ("-5", 'unknown value "-5"'),
        ("1.5", 'unknown value "1.5"'),
        ("0", "0 is out of range: at least 1, and finite"),
    ],
)
def test_an_effort_that_there_is_not_is_refused(
    typed: str, message: str, rolecall: Rolecall
) -> None:
    result = rolecall(
        *("endpoints", "add", "lab/x", "--model", "gpt-5.5", "--reasoning-effort", typed)
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: reasoning_effort: {message}\n")
    assert "lab/x" not in rolecall("endpoints", "list").stdout


def test_an_endpoint_of_ones_own_is_told_local_by_its_address(rolecall: Rolecall) -> None:
    rolecall("models", "add", "ours", "--bare")
    for name, place, locality in (
        ("here", ("--base-url", "http://localhost:8000/v1"), "local"),
        ("near", ("--base-url", "http://192.168.1.20:8000/v1"), "local"),
        ("named", ("--base-url", "http://gpu.local:8000/v1"), "local"),
        ("docker", ("--base-url", "http://host.docker.internal:8000/v1"), "local"),
        ("there", ("--base-url", "http://gpu.example.com:8000/v1", "--no-key"), "remote"),
        ("unsaid", ("--base-url", "http://gpu:8000/v1"), "remote"),
        ("stated", ("--base-url", "http://gpu:8000/v1", "--locality", "local"), "local"),
        ("gateway", ("--base-url", "http://10.0.0.5/v1", "--locality", "remote"), "remote"),
        ("pulled", ("--api", "ollama"), "local"),
    ):
        added = rolecall("endpoints", "add", f"lab/{name}", "--model", "ours", *place, "--json")
        endpoint = json.loads(added.stdout)
        assert (endpoint["locality"], endpoint["remote_model"]) == (locality, "ours")
        assert endpoint["price"] is endpoint["key_env"] is None
    rows = rolecall("endpoints", "list").stdout.splitlines()
    paid = {row.split()[0]: row.split()[2] for row in rows if row.startswith("lab/")}
    assert (paid["lab/near"], paid["lab/there"], paid["lab/gateway"]) == ("0?", "?", "?")


def test_a_price_with_tiers_is_marked_in_the_list_and_shown_whole(rolecall: Rolecall) -> None:
    rows = rolecall("endpoints", "list").stdout.splitlines()
    [row] = [row.split() for row in rows if row.startswith("google/gemini-3.1-pro-preview")]
    assert row[2] == "2/12+"
    shown = rolecall("endpoints", "show", "google/gemini-3.1-pro-preview")
    assert "    - above_tokens: 200000\n      input_usd_per_mtok: 4\n" in shown.stdout


def test_an_endpoint_at_another_address_is_neither_added_nor_made_local(
    rolecall: Rolecall,
) -> None:
    rolecall("models", "add", "ours", "--bare")
    options = ("--model", "ours", "--base-url", "https://llm.example/v1", "--no-key")
    refused = rolecall("endpoints", "add", "lab/x", *options, "--locality", "local")
    said = "local, but https://llm.example/v1 is neither this machine nor a private network"
    hint = "hint: write locality: remote, or give the address of a local server as base_url\n"
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"error: locality: {said}\n{hint}"
    assert rolecall("endpoints", "add", "lab/x", *options).exit_code == 0
    editor = {"EDITOR": "sed -i 's/locality: remote/locality: local/'"}
    edited = rolecall("endpoints", "edit", "lab/x", env=editor)
    assert (edited.exit_code, said in edited.stderr) == (2, True)
    assert "lab/x.yaml:" in edited.stderr
    shown = json.loads(rolecall("endpoints", "show", "lab/x", "--json").stdout)
    assert shown["locality"] == "remote"


def test_a_key_may_come_from_a_command_that_listing_does_not_run(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    command = f"touch {tmp_path}/ran"
    options = ("--key-command", command, "--key-env", "LAB_API_KEY", "--json")
    added = json.loads(rolecall("endpoints", "add", "openai/gpt-4o", *options).stdout)
    assert (added["key_command"], added["key_env"]) == (command, "LAB_API_KEY")
    for value, state in (("", "command"), ("secret", "set")):
        listed = rolecall("endpoints", "list", "--json", env={"LAB_API_KEY": value})
        states = {one["id"]: one["key"] for one in json.loads(listed.stdout)["endpoints"]}
        assert states["openai/gpt-4o"] == state
    assert not (tmp_path / "ran").exists()


def test_an_endpoint_of_an_unknown_model_adds_nothing(rolecall: Rolecall) -> None:
    result = rolecall("endpoints", "add", "lab/x", "--model", "nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith('error: no model is named "nothing"\n')
    assert rolecall("endpoints", "show", "lab/x").exit_code == 2


def test_a_strategy_begins_with_anothers_values(rolecall: Rolecall) -> None:
    result = rolecall("strategies", "add", "thrifty", "--from", "cheapest", "--max-cost-usd", "0.1")
    assert (result.stdout, result.stderr) == ("added strategy thrifty\n", "")
    begin, added = (
        json.loads(rolecall("strategies", "show", name, "--json").stdout)
        for name in ("cheapest", "thrifty")
    )
    assert added == {**begin, "id": "thrifty", "max_cost_usd": 0.1}


def test_a_role_is_added_with_what_it_needs(rolecall: Rolecall) -> None:
    words = "--task code --task math --require tools --strategy quality"
    rolecall("roles", "add", "reviewer", *words.split(), "--example", "review this")
    role = json.loads(rolecall("roles", "show", "reviewer", "--json").stdout)
    assert (role["tasks"], role["require"]) == (["code", "math"], ["tools"])
    assert (role["strategy"], role["examples"]) == ("quality", ["review this"])


def test_endpoints_are_assigned_changed_and_unassigned(rolecall: Rolecall) -> None:
    place = "ollama/qwen3-8b"
    assigned = rolecall("roles", "assign", "coder", place, "--task", "code")
    assert assigned.stdout == "assigned ollama/qwen3-8b to role coder (active)\n"
    rolecall("roles", "assign", "coder", place, "--status", "inactive")
    role = json.loads(rolecall("roles", "show", "coder", "--json").stdout)
    [assignment] = role["assignments"]
    assert (assignment["endpoint"], assignment["status"]) == (place, "inactive")
    unassigned = rolecall("roles", "unassign", "coder", place)
    assert unassigned.stdout == "unassigned ollama/qwen3-8b from role coder\n"
    again = rolecall("roles", "unassign", "coder", place)
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith("error: ollama/qwen3-8b is not assigned to role coder\n")


def test_a_removed_record_is_named_and_gone(rolecall: Rolecall) -> None:
    result = rolecall("roles", "remove", "writer")
    assert (result.exit_code, result.stdout) == (0, "removed role writer\n")
    assert result.stderr == "to bring it back: rolecall registry undo\n"
    assert rolecall("roles", "show", "writer").exit_code == 2


def test_a_value_no_record_can_hold_is_refused(rolecall: Rolecall) -> None:
    result = rolecall("models", "add", "ours", "--bare", "--release-date", "yesterday")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "release_date" in result.stderr


def test_a_registry_may_be_named_after_any_command(rolecall: Rolecall, tmp_path: object) -> None:
    other = f"{tmp_path}/other.db"
    rolecall("roles", "remove", "writer", "--registry", other)
    assert rolecall("roles", "show", "writer", "--registry", other).exit_code == 2
    assert rolecall("roles", "show", "writer").exit_code == 0
