"""A key that a server refused keeps out whoever has it, says so, and is forgotten once changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rolecall.registry.core.entities import Api
from rolecall.registry.editing.open import open_registry
from rolecall.registry.storage.statistics import read_endpoint_statistics
from tests.calls.matrix import APIS
from tests.calls.serving import Serving
from tests.conftest import Rolecall
from tests.faults.plan import DEFAULT_TEXT, Plan
from tests.faults.registry import Served

WRONG, RIGHT = {"LAB_KEY": "sk-wrong-0123456789"}, {"LAB_KEY": "sk-right-0123456789"}
REFUSED = Plan(fault="bad_key")


def of_one_key(serving: Serving, *names: str, api: Api = "openai", plan: Plan = REFUSED) -> None:
    """Register endpoints of one key, each of which answers by the plan."""
    serving.register(
        *(
            Served(endpoint=f"lab/{name}", api=api, model="same", key_env="LAB_KEY")
            for name in names
        )
    )
    planned(serving, *names, plan=plan)


def planned(serving: Serving, *names: str, plan: Plan) -> None:
    for name in names:
        serving.server.plan(name, plan)


def asked(serving: Serving) -> list[str]:
    return [request.model for request in serving.server.requests]


@pytest.mark.parametrize(
    ("api", "status"), [(api, 400 if api == "gemini" else 401) for api in APIS]
)
def test_after_one_refusal_all_endpoints_of_the_key_are_left_out_and_the_message_says_why(
    serving: Serving, rolecall: Rolecall, api: Api, status: int
) -> None:
    of_one_key(serving, "a", "b", "c", api=api)
    first = rolecall("ask", "hello", env=WRONG)
    assert first.exit_code == 4
    assert f"lab/a: status {status}: " in first.stderr
    assert "lab/b has the key that was refused" in first.stderr
    for words in (("ask", "hello"), ("ask", "hello", "-e", "lab/*"), ("route", "hello")):
        later = rolecall(*words, env=WRONG)
        assert (later.exit_code, later.stdout) == (3, "")
        told = f"3 AUTH_UNAVAILABLE (LAB_KEY was refused ({status}), tried again in "
        assert told in later.stderr
        assert "hint: export LAB_KEY=...\n" in later.stderr
    assert asked(serving) == ["a"]


def test_a_changed_key_is_used_at_once(serving: Serving, rolecall: Rolecall) -> None:
    of_one_key(serving, "a", "b")
    for _ in range(3):
        rolecall("ask", "hello", env=WRONG)
    planned(serving, "a", "b", plan=Plan())
    result = rolecall("ask", "hello", env=RIGHT)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "nobody else" not in result.stderr
    assert rolecall("ask", "hello", "-e", "lab/b", env=RIGHT).exit_code == 0


def test_a_second_wrong_key_is_refused_by_itself(serving: Serving, rolecall: Rolecall) -> None:
    of_one_key(serving, "a", "b")
    for key in ("sk-first-0123456789", "sk-second-0123456789"):
        for code in (4, 3):
            assert rolecall("ask", "hello", env={"LAB_KEY": key}).exit_code == code
    assert asked(serving) == ["a", "a"]


def test_whoever_names_the_very_endpoint_asks_it_with_a_refused_key_too(
    serving: Serving, rolecall: Rolecall
) -> None:
    of_one_key(serving, "a", "b")
    rolecall("ask", "hello", env=WRONG)
    planned(serving, "a", plan=Plan())
    result = rolecall("ask", "hello", "-e", "lab/a", env=WRONG)
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "lab/a is chosen, though LAB_KEY was refused (401)" in result.stderr
    assert rolecall("route", "hello", env=WRONG).exit_code == 0


@pytest.mark.parametrize("fault", ["forbidden", "quota"])
def test_what_a_key_may_not_or_cannot_pay_leaves_its_other_endpoints_alone(
    serving: Serving, rolecall: Rolecall, fault: str
) -> None:
    of_one_key(serving, "a", "b", plan=Plan(fault=fault))
    planned(serving, "b", plan=Plan())
    for _ in range(3):
        result = rolecall("ask", "hello", env=RIGHT)
        assert (result.exit_code, result.stdout) == (0, f"{DEFAULT_TEXT}\n")
    assert "b" in asked(serving)
    shown = rolecall("route", "hello", "-e", "lab/b", env=RIGHT)
    assert shown.stdout == "lab/b\n"


def test_endpoints_of_another_host_or_another_variable_keep_their_key(
    serving: Serving, rolecall: Rolecall
) -> None:
    elsewhere = f"http://localhost:{serving.server.port}/v1"
    serving.register(
        Served(endpoint="lab/a", model="same", key_env="LAB_KEY"),
        Served(endpoint="lab/b", model="same", key_env="LAB_KEY", base_url=elsewhere),
        Served(endpoint="lab/c", model="same", key_env="OTHER_KEY"),
        Served(endpoint="lab/d", model="same"),
    )
    planned(serving, "a", "b", "c", "d", plan=REFUSED)
    keys = {**WRONG, "OTHER_KEY": "sk-other-0123456789"}
    assert rolecall("ask", "hello", env=keys).exit_code == 4
    assert asked(serving) == ["a", "b", "c", "d"]


def test_a_command_that_prints_the_key_is_marked_and_not_run_to_decide(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    command = f"echo x >> {ran}; echo sk-wrong-0123456789"
    serving.register(
        *(Served(endpoint=f"lab/{name}", model="same", key_command=command) for name in "ab")
    )
    planned(serving, "a", "b", plan=REFUSED)
    assert rolecall("ask", "hello").exit_code == 4
    later = rolecall("route", "hello")
    assert later.exit_code == 3
    assert "the key_command of lab/" in later.stderr
    assert (asked(serving), ran.read_text()) == (["a"], "x\n")


def test_no_key_is_kept_only_a_few_bits_that_differ_between_registries(
    serving: Serving, rolecall: Rolecall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = []
    for number in range(2):
        monkeypatch.setenv("ROLECALL_REGISTRY", str(tmp_path / f"own{number}.db"))
        of_one_key(serving, "a")
        assert rolecall("ask", "hello", env=WRONG).exit_code == 4
        with open_registry(None) as db:
            stats = read_endpoint_statistics(db, "lab/a")
        assert stats is not None
        assert stats.refused_key is not None
        assert len(stats.refused_key) == 6
        marks.append(stats.refused_key)
        for file in tmp_path.glob(f"own{number}.db*"):
            assert b"sk-wrong" not in file.read_bytes()
    assert marks[0] != marks[1]
    assert os.environ.get("LAB_KEY") is None
